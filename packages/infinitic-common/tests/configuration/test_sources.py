import os
from pathlib import Path

import pytest

from infinitic_common.configuration import (
    ClientConfiguration,
    ConfigurationError,
    PostgresConfiguration,
    PulsarConfiguration,
    WorkerConfiguration,
    load_configuration,
    resource_source,
    string_source,
)

PULSAR = """
transport:
  pulsar:
    brokerServiceUrl: pulsar://localhost:6650
    webServiceUrl: http://localhost:8080
    tenant: infinitic
    namespace: dev
"""
SERVICE = """
services:
  - name: PaymentService
    class: shop.PaymentServiceImpl
"""


def worker(*texts: str, environ: dict[str, str] | None = None) -> WorkerConfiguration:
    sources = [string_source(text, name=f"text{i}") for i, text in enumerate(texts, 1)]
    return load_configuration(WorkerConfiguration, *sources, environ=environ or {})


def pulsar_of(configuration: WorkerConfiguration) -> PulsarConfiguration:
    options = configuration.transport.options
    assert isinstance(options, PulsarConfiguration)
    return options


def refusal(*texts: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        worker(*texts, environ=environ)
    return str(caught.value)


def test_a_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "infinitic.yml"
    path.write_text(PULSAR, encoding="utf-8")
    assert load_configuration(WorkerConfiguration, path, environ={}).transport.kind == "pulsar"
    assert load_configuration(WorkerConfiguration, str(path), environ={}).transport.kind == "pulsar"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yml' cannot be read"):
        load_configuration(WorkerConfiguration, tmp_path / "nowhere.yml", environ={})


def test_a_file_in_another_encoding_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "infinitic.yml"
    path.write_bytes("name: Zürich".encode("latin-1"))
    with pytest.raises(
        ConfigurationError, match=r"infinitic\.yml' cannot be read.*save it as UTF-8"
    ):
        load_configuration(WorkerConfiguration, path, environ={})


@pytest.mark.parametrize("name", ["shopconfig:conf/a.yml", "shopconfig/conf/a.yml"])
def test_a_file_in_a_package_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "shopconfig" / "conf").mkdir(parents=True)
    (tmp_path / "shopconfig" / "__init__.py").touch()
    (tmp_path / "shopconfig" / "conf" / "a.yml").write_text(PULSAR, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = load_configuration(WorkerConfiguration, resource_source(name), environ={})
    assert loaded.transport.kind == "pulsar"


@pytest.mark.parametrize("name", ["infinitic.yml", "no_such_package:a.yml", "email:none.yml"])
def test_a_resource_that_is_not_there_is_named_with_the_form_to_write(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        resource_source(name)
    assert "package:file.yml" in str(caught.value)


def test_without_a_source_the_files_of_the_variable_are_loaded(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yml", tmp_path / "b.yml"
    first.write_text("name: mine", encoding="utf-8")
    second.write_text("name: other" + PULSAR, encoding="utf-8")
    environ = {"INFINITIC_CONFIG": f"{first}{os.pathsep}{second}"}
    loaded = load_configuration(WorkerConfiguration, environ=environ)
    assert (loaded.name, loaded.transport.kind) == ("mine", "pulsar")


def test_without_a_source_and_variable_the_error_says_what_to_give() -> None:
    with pytest.raises(ConfigurationError, match="INFINITIC_CONFIG"):
        load_configuration(WorkerConfiguration, environ={})


def test_sources_are_merged_key_by_key_and_the_first_wins() -> None:
    first = "transport: {pulsar: {tenant: mine, partitions: 4}}"
    options = pulsar_of(worker(first, PULSAR))
    assert (options.tenant, options.namespace, options.partitions) == ("mine", "dev", 4)


def test_keys_are_merged_whatever_their_spelling() -> None:
    first = "Transport: {PULSAR: {broker-service-url: 'pulsar://other'}}"
    assert pulsar_of(worker(first, PULSAR)).broker_service_url == "pulsar://other"


def test_a_list_is_taken_from_the_first_source_as_a_whole() -> None:
    other = "services: [{name: Other, class: shop.Other}]"
    loaded = worker(SERVICE, other + PULSAR)
    assert [service.name for service in loaded.services] == ["PaymentService"]


def test_a_problem_names_the_source_and_the_line_it_stands_on() -> None:
    message = refusal("name: a\n\nlogs:\n  beautify: 3\n", PULSAR.replace("infinitic", "''"))
    assert "logs.beautify (text1:4): must be true or false, is 3" in message
    assert "transport.pulsar.tenant (text2:6): must not be blank" in message


@pytest.mark.parametrize(
    "variable",
    [
        "INFINITIC_CONFIG_OVERRIDE_transport__pulsar__tenant",
        "INFINITIC_CONFIG_OVERRIDE_TRANSPORT__PULSAR__TENANT",
        "config.override.transport.pulsar.tenant",
        "config.override.transport__pulsar__tenant",
    ],
)
def test_a_variable_overrides_a_key(variable: str) -> None:
    assert pulsar_of(worker(PULSAR, environ={variable: "x:y"})).tenant == "x:y"


def test_a_variable_overrides_a_key_that_has_several_words() -> None:
    variable = "INFINITIC_CONFIG_OVERRIDE_TRANSPORT__PULSAR__ORDERED_SUBSCRIPTION"
    loaded = worker(PULSAR, environ={variable: "keyShared"})
    assert pulsar_of(loaded).ordered_subscription == "keyShared"


def test_a_variable_adds_a_block_and_overrides_an_item_of_a_list() -> None:
    environ = {
        "INFINITIC_CONFIG_OVERRIDE_transport__inMemory": "",
        "INFINITIC_CONFIG_OVERRIDE_services__0__concurrency": "7",
    }
    loaded = worker(SERVICE, environ=environ)
    assert loaded.transport.kind == "inMemory"
    assert [s.executor.concurrency for s in loaded.services if s.executor] == [7]


@pytest.mark.parametrize("path", ["services__1__name", "services__x__name", "name__x__y"])
def test_a_variable_whose_path_leads_nowhere_is_refused(path: str) -> None:
    name = f"INFINITIC_CONFIG_OVERRIDE_{path}"
    message = refusal("name: n", PULSAR, SERVICE, environ={name: "v"})
    assert f"(environment variable {name})" in message


def test_a_wrong_value_of_a_variable_names_the_variable() -> None:
    environ = {"INFINITIC_CONFIG_OVERRIDE_transport__pulsar__partitions": "0"}
    message = refusal(PULSAR, environ=environ)
    assert "transport.pulsar.partitions (environment variable INFINITIC_" in message
    assert "must be > 0, is 0" in message


def test_a_client_can_use_the_file_of_a_worker_even_if_its_other_variables_are_not_set() -> None:
    text = PULSAR + "services: [{name: ${NOT_SET}}]\nworkflows: {}\neventListener:\nlogs: 1\n"
    text = text.replace("${NOT_SET}", "'${NOT_SET}'")
    loaded = load_configuration(ClientConfiguration, string_source(text), environ={})
    assert loaded.transport.kind == "pulsar"
    assert loaded.storage is None


def test_a_key_that_neither_worker_nor_client_knows_is_refused_for_a_client() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'transport'"):
        load_configuration(ClientConfiguration, string_source("transprot: inMemory"), environ={})


def test_a_part_can_be_loaded_for_itself() -> None:
    text = "{host: db, port: 5432, username: me}"
    loaded = load_configuration(PostgresConfiguration, string_source(text), environ={})
    assert loaded == PostgresConfiguration(host="db", port=5432, username="me")
