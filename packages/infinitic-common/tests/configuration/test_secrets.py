import pytest

from infinitic_common.configuration import (
    ConfigurationError,
    TokenAuthentication,
    WorkerConfiguration,
    load_configuration,
    string_source,
)

TEXT = """
transport:
  pulsar:
    brokerServiceUrl: pulsar://b
    webServiceUrl: http://w
    tenant: t
    namespace: n
    authentication: {token: hush}
    client: {tlsKeyStorePassword: hush, tlsTrustStorePassword: hush, socks5ProxyPassword: hush}
storage:
  postgres: {host: h, port: 1, username: u, password: hush}
services:
  - name: S
    tagEngine: {storage: {redis: {host: h, port: 1, password: "${SECRET}"}}}
"""


OTHER_WAYS = (
    "{type: basic, username: u, password: hush}",
    "{type: oauth2, issuerUrl: i, privateKey: hush, audience: a}",
    "{type: athenz, tenantDomain: d, tenantService: s, providerDomain: p, privateKey: hush}",
    "{type: sasl, tenantDomain: d, tenantService: s, providerDomain: p, privateKey: hush}",
)


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("show", [str, repr])
def test_the_secrets_of_every_way_to_authenticate_are_masked(show: type[str], way: str) -> None:
    text = TEXT.replace("{token: hush}", way)
    environ = {"SECRET": "hush"}
    loaded = load_configuration(WorkerConfiguration, string_source(text), environ=environ)
    assert "hush" not in show(loaded)


@pytest.mark.parametrize("show", [str, repr])
def test_secrets_are_masked_when_a_configuration_is_shown(show: type[str]) -> None:
    environ = {"SECRET": "hush"}
    loaded = load_configuration(WorkerConfiguration, string_source(TEXT), environ=environ)
    shown = show(loaded)
    assert "***" in shown
    assert "hush" not in shown


def test_str_leaves_out_what_was_not_set() -> None:
    loaded = load_configuration(
        WorkerConfiguration, string_source("transport: inMemory"), environ={}
    )
    assert str(loaded) == (
        "WorkerConfiguration(transport=TransportConfiguration(kind='inMemory', "
        "options=InMemoryTransportConfiguration(), shutdown_grace_period_seconds=5.0), "
        "events=True, logs=LogsConfiguration(format='console', beautify=True), tracing=False)"
    )


def test_a_transport_and_a_storage_tell_what_was_chosen_of_them() -> None:
    text = TEXT.replace("storage:\n  postgres", "storage:\n  compression: lz4\n  postgres")
    loaded = load_configuration(
        WorkerConfiguration, string_source(text), environ={"SECRET": "hush"}
    )
    assert str(loaded.transport).startswith("pulsar (broker_service_url='pulsar://b', web_serv")
    told = str(loaded.storage)
    assert told.startswith("postgres (host='h', port=1, username='u', password='***'")
    assert told.endswith("), compressed by lz4")


def test_a_refused_secret_is_not_told() -> None:
    with pytest.raises(ConfigurationError) as caught:
        TokenAuthentication(token="  ")  # noqa: S106 - not a real one
    assert str(caught.value) == "token: must not be blank"
