import logging
import sys
from pathlib import Path

import pytest
from listener_doubles import Many
from worker_doubles import (
    RecordingComponent,
    RecordingStorage,
    ServiceExecutor,
    ServiceTagEngine,
    WorkflowExecutor,
    WorkflowStateEngine,
    WorkflowTagEngine,
)

from infinitic_common.configuration import ConfigurationError
from infinitic_common.discovery import ComponentNotInstalled
from infinitic_worker import EventListener, InfiniticWorker

ALL = """
name: w1
transport:
  probe: {}
  shutdownGracePeriodSeconds: 12
storage:
  probe: {host: top, password: hunter2}
services:
  - name: Payments
    class: shop.Payments
    concurrency: 10
    tagEngine:
      storage:
        probe: {host: own}
workflows:
  - name: Order
    class: shop.Order
    tagEngine: {concurrency: 5}
    stateEngine: {concurrency: 4}
"""

SERVICE = """
transport:
  probe: {}
services:
  - name: Payments
    class: shop.Payments
"""


@pytest.fixture(autouse=True)
def shop(site: Path) -> None:
    (site / "shop.py").write_text("class Payments: ...\nclass Order: ...\n", encoding="utf-8")
    sys.modules.pop("shop", None)


def test_worker_01_each_part_of_a_configuration_becomes_a_component() -> None:
    worker = InfiniticWorker.from_yaml_string(ALL)
    assert [type(component) for component in worker.components] == [
        ServiceTagEngine,
        ServiceExecutor,
        WorkflowExecutor,
        WorkflowTagEngine,
        WorkflowStateEngine,
    ]


def test_worker_01_the_configuration_can_be_read_back() -> None:
    configuration = InfiniticWorker.from_yaml_string(ALL).configuration
    assert configuration is not None
    [service], [workflow] = configuration.services, configuration.workflows
    assert service.executor is not None
    assert service.executor.concurrency == 10
    assert workflow.state_engine is not None
    assert workflow.state_engine.concurrency == 4
    assert configuration.transport.shutdown_grace_period_seconds == 12


def test_worker_01_absent_parts_are_not_hosted() -> None:
    worker = InfiniticWorker.from_yaml_string(SERVICE)
    assert [type(component) for component in worker.components] == [ServiceExecutor]
    assert worker.configuration is not None
    assert worker.configuration.services[0].tag_engine is None
    assert worker.configuration.workflows == ()


def test_parts_without_concurrency_are_not_hosted() -> None:
    text = """
        transport: {probe: {}}
        services: [{name: Payments, concurrency: 0}]
        workflows:
          - {name: Order, concurrency: 0, stateEngine: {concurrency: 0}, tagEngine: {concurrency: 0}}
        """
    assert InfiniticWorker.from_yaml_string(text).components == ()


def test_the_name_of_the_configuration_is_that_of_transport_and_worker() -> None:
    worker = InfiniticWorker.from_yaml_string(ALL)
    assert worker.name == worker.transport.name == "w1"
    assert InfiniticWorker.from_yaml_string(SERVICE).name == "made up"


async def test_an_engine_uses_its_own_storage_or_the_one_at_the_top() -> None:
    async with InfiniticWorker.from_yaml_string(ALL) as worker:
        tag_engine, *_, state_engine = worker.components
        hosts = [host_of_storage(component) for component in (tag_engine, state_engine)]
    assert hosts == ["own", "top"]


def host_of_storage(component: object) -> object:
    assert isinstance(component, RecordingComponent)
    assert isinstance(component.storage, RecordingStorage)
    assert component.storage.configuration is not None
    options = component.storage.configuration.options
    assert isinstance(options, dict)
    return options["host"]


async def test_configuration_and_components_are_logged_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with InfiniticWorker.from_yaml_string(ALL):
        pass
    assert "configuration: WorkerConfiguration(name='w1'" in caplog.text
    assert "ServiceExecutor of Payments\n" in caplog.text
    assert "hunter2" not in caplog.text


def test_files_and_resources_are_read(site: Path) -> None:
    (site / "one.yml").write_text("name: first", encoding="utf-8")
    (site / "two.yml").write_text(ALL, encoding="utf-8")
    worker = InfiniticWorker.from_yaml_file(site / "one.yml", site / "two.yml")
    assert worker.name == "first"
    (site / "pack").mkdir()
    (site / "pack" / "__init__.py").touch()
    (site / "pack" / "w.yml").write_text(ALL, encoding="utf-8")
    assert InfiniticWorker.from_yaml_resource("pack:w.yml").name == "w1"


def test_every_class_that_cannot_be_loaded_is_told_at_once() -> None:
    text = """
        transport: {probe: {}}
        services:
          - {name: A, class: shop.Missing}
          - {name: B, class: nowhere.Class}
        """
    with pytest.raises(ConfigurationError) as caught:
        InfiniticWorker.from_yaml_string(text)
    assert len(caught.value.problems) == 2
    assert "shop.Missing" in str(caught.value)
    assert "nowhere" in str(caught.value)


def test_config_10_a_class_that_does_not_fit_is_told_with_its_place() -> None:
    text = SERVICE.replace("shop.Payments", "worker_doubles.DoesNotFit")
    with pytest.raises(ConfigurationError, match=r"services\[0\] 'Payments'.*refund"):
        InfiniticWorker.from_yaml_string(text)


def test_a_wheel_that_is_missing_is_told_with_what_to_install(site: Path) -> None:
    announced = site / "probe-1.0.dist-info" / "entry_points.txt"
    transports = announced.read_text(encoding="utf-8").partition("[infinitic.storages]")[0]
    announced.write_text(transports, encoding="utf-8")
    with pytest.raises(ComponentNotInstalled, match="pip install infinitic-task-executor"):
        InfiniticWorker.from_yaml_string(SERVICE)


def test_an_event_listener_is_hosted_last() -> None:
    listener = f"{Many.__module__}.{Many.__name__}"
    worker = InfiniticWorker.from_yaml_string(SERVICE + f"eventListener: {{class: {listener}}}\n")
    assert isinstance(worker.components[-1], EventListener)


def test_config_21_a_wrong_event_listener_is_told_with_everything_else() -> None:
    text = SERVICE.replace("shop.Payments", "nowhere.Payments")
    with pytest.raises(ConfigurationError) as caught:
        InfiniticWorker.from_yaml_string(text + "eventListener: {class: shop.Order}\n")
    assert "CloudEventListener" in str(caught.value)
    assert "nowhere" in str(caught.value)
