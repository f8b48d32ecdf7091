import sys
from pathlib import Path

import pytest

from infinitic_common.discovery import (
    CACHES,
    COMPONENTS,
    STORAGES,
    TRANSPORTS,
    ComponentNotInstalled,
    installed_names,
    load_entry_point,
)


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide what is really installed, so that the tests mean the same in every environment."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def install(site: Path, wheel: str, entry_points: str) -> None:
    info = site / f"{wheel.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {wheel}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")


def test_an_installed_component_is_loaded(site: Path) -> None:
    (site / "probe_nats.py").write_text("class NatsTransport: ...", encoding="utf-8")
    install(site, "probe-nats", "[infinitic.transports]\nnats = probe_nats:NatsTransport\n")
    loaded = load_entry_point(TRANSPORTS, "nats")
    assert isinstance(loaded, type)
    assert loaded.__name__ == "NatsTransport"
    assert installed_names(TRANSPORTS) == ("nats",)
    assert installed_names(STORAGES) == ()


@pytest.mark.parametrize(
    ("group", "name", "message"),
    [
        (TRANSPORTS, "pulsar", "transport 'pulsar' is not installed: pip install infinitic-transport-pulsar"),
        (TRANSPORTS, "inMemory", "transport 'inMemory' is not installed: pip install infinitic-transport"),
        (STORAGES, "inMemory", "storage 'inMemory' is not installed: pip install infinitic-storage"),
        (STORAGES, "postgres", "storage 'postgres' is not installed: pip install \"infinitic-storage[postgres]\""),
        (STORAGES, "redis", "storage 'redis' is not installed: pip install \"infinitic-storage[redis]\""),
        (STORAGES, "mysql", "storage 'mysql' is not installed: pip install \"infinitic-storage[mysql]\""),
        (CACHES, "inMemory", "cache 'inMemory' is not installed: pip install infinitic-cache"),
        (COMPONENTS, "serviceExecutor", "component 'serviceExecutor' is not installed: pip install infinitic-task-executor"),
        (COMPONENTS, "workflowExecutor", "component 'workflowExecutor' is not installed: pip install infinitic-task-executor"),
        (COMPONENTS, "workflowStateEngine", "component 'workflowStateEngine' is not installed: pip install infinitic-workflow-engine"),
        (COMPONENTS, "serviceTagEngine", "component 'serviceTagEngine' is not installed: pip install infinitic-task-tag"),
        (COMPONENTS, "workflowTagEngine", "component 'workflowTagEngine' is not installed: pip install infinitic-workflow-tag"),
    ],
)  # fmt: skip
def test_a_known_component_that_is_missing_is_told_with_what_to_install(
    group: str, name: str, message: str
) -> None:
    with pytest.raises(ComponentNotInstalled) as caught:
        load_entry_point(group, name)
    assert str(caught.value) == message
    assert (caught.value.group, caught.value.name) == (group, name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pulsr", "unknown transport 'pulsr'; did you mean 'pulsar'?; known are inMemory, pulsar"),
        ("kafka", "unknown transport 'kafka'; known are inMemory, pulsar"),
    ],
)
def test_an_unknown_component_is_told_with_the_known_ones(name: str, message: str) -> None:
    with pytest.raises(ComponentNotInstalled) as caught:
        load_entry_point(TRANSPORTS, name)
    assert str(caught.value) == message


def test_an_unknown_component_is_compared_with_installed_ones_too(site: Path) -> None:
    install(site, "probe-nats", "[infinitic.transports]\nnats = probe_nats:NatsTransport\n")
    with pytest.raises(ComponentNotInstalled, match="did you mean 'nats'"):
        load_entry_point(TRANSPORTS, "natss")


def test_a_component_whose_import_fails_is_told_with_cause_and_extra(site: Path) -> None:
    code = "import probe_missing_driver"
    (site / "probe_storage.py").write_text(code, encoding="utf-8")
    install(site, "probe-storage", "[infinitic.storages]\npostgres = probe_storage:Storage\n")
    with pytest.raises(ComponentNotInstalled) as caught:
        load_entry_point(STORAGES, "postgres")
    assert str(caught.value) == (
        "storage 'postgres' (probe_storage:Storage) cannot be loaded: ModuleNotFoundError: "
        "No module named 'probe_missing_driver'; pip install \"infinitic-storage[postgres]\""
    )
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_component_of_another_wheel_whose_import_fails_names_that_wheel(site: Path) -> None:
    (site / "probe_etcd.py").write_text("", encoding="utf-8")
    install(site, "probe-etcd", "[infinitic.storages]\netcd = probe_etcd:Storage\n")
    with pytest.raises(ComponentNotInstalled, match=r"AttributeError: .*; pip install probe-etcd"):
        load_entry_point(STORAGES, "etcd")
