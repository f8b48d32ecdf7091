from typing import cast

import pytest
from worker_doubles import (
    RecordingBlockingClient,
    RecordingClient,
    RecordingComponent,
    RecordingHandler,
    RecordingStorage,
    RecordingTransport,
    make_client,
)

from infinitic_common.component import ComponentHost
from infinitic_common.configuration import ConfigurationError, StorageConfiguration
from infinitic_common.discovery import ComponentNotInstalled
from infinitic_worker import InfiniticWorker, WorkerError

pytestmark = pytest.mark.usefixtures("empty_site")


def host_of(component: RecordingComponent) -> ComponentHost:
    assert component.host is not None
    return component.host


async def test_a_component_is_given_the_transport_and_the_name_of_the_worker() -> None:
    component, transport = RecordingComponent(), RecordingTransport()
    async with InfiniticWorker(transport=transport, components=[component], name="w1") as worker:
        assert host_of(component).transport is transport
        assert host_of(component).worker_name == worker.name == "w1"
        assert worker.components == (component,)


async def test_a_worker_without_a_name_has_that_of_its_transport() -> None:
    component = RecordingComponent()
    async with InfiniticWorker(transport=RecordingTransport("t1"), components=[component]):
        assert host_of(component).worker_name == "t1"


async def test_components_share_the_default_storage() -> None:
    storage, component = RecordingStorage(), RecordingComponent(asks_for_storage=True)
    worker = InfiniticWorker(
        transport=RecordingTransport(), components=[component], storage=storage
    )
    async with worker:
        assert component.storage is storage


async def test_a_missing_storage_is_told_with_the_component_that_needs_it() -> None:
    component = RecordingComponent("WorkflowStateEngine", asks_for_storage=True)
    worker = InfiniticWorker(transport=RecordingTransport(), components=[component])
    with pytest.raises(ConfigurationError, match="WorkflowStateEngine needs a storage"):
        await worker.open()


@pytest.mark.usefixtures("site")
async def test_components_with_equal_configurations_share_one_storage() -> None:
    default = RecordingStorage()
    configurations = [
        StorageConfiguration("probe", {"host": "a"}),
        StorageConfiguration("probe", {"host": "a"}),
        StorageConfiguration("probe", {"host": "b"}),
    ]
    components = [
        RecordingComponent(asks_for_storage=True, storage_configuration=each)
        for each in configurations
    ]
    worker = InfiniticWorker(transport=RecordingTransport(), components=components, storage=default)
    async with worker:
        one, same, other = (component.storage for component in components)
    assert one is same
    assert one is not other
    for storage in (default, one, other):
        assert isinstance(storage, RecordingStorage)
        assert storage.journal == ["storage closed"]


async def test_a_storage_that_is_not_installed_is_told_with_the_component() -> None:
    configuration = StorageConfiguration("inMemory")
    component = RecordingComponent(
        "engine", asks_for_storage=True, storage_configuration=configuration
    )
    worker = InfiniticWorker(transport=RecordingTransport(), components=[component])
    with pytest.raises(ComponentNotInstalled, match="pip install") as caught:
        await worker.open()
    assert caught.value.__notes__ == ["while starting engine"]


async def test_workflow_code_is_run_by_the_hosted_executor_of_that_workflow() -> None:
    engine, order = RecordingComponent(), RecordingHandler(workflow_name="Order")
    other = RecordingHandler(workflow_name="Other")
    worker = InfiniticWorker(transport=RecordingTransport(), components=[engine, order, other])
    async with worker:
        assert host_of(engine).workflow_task_handler("Order") is order
        assert host_of(engine).workflow_task_handler("Other") is other
        assert host_of(engine).workflow_task_handler("Third") is None


def test_two_executors_of_one_workflow_are_refused() -> None:
    handlers = [RecordingHandler(), RecordingHandler()]
    with pytest.raises(ConfigurationError, match="two components run the code of workflow Order"):
        InfiniticWorker(transport=RecordingTransport(), components=handlers)


# --- client ---------------------------------------------------------------------------------------


async def test_the_client_shares_the_transport_and_closes_before_it() -> None:
    transport, component = RecordingTransport(), RecordingComponent()
    worker = InfiniticWorker(
        transport=transport, components=[component], client_factory=make_client
    )
    async with worker:
        client = cast("RecordingClient", worker.async_client)
        blocking = worker.client
        assert isinstance(blocking, RecordingBlockingClient)
        assert client.transport is transport
        assert not client.close_transport
        assert blocking.inner is client
        assert host_of(component).client is blocking
        assert host_of(component).async_client is client
    assert transport.journal == ["client closed", "transport closed"]


@pytest.mark.usefixtures("client_site")
async def test_an_installed_client_is_found() -> None:
    async with InfiniticWorker(transport=RecordingTransport(), components=[]) as worker:
        assert isinstance(worker.client, RecordingBlockingClient)


async def test_without_an_installed_client_tasks_find_none_and_users_what_to_install() -> None:
    component = RecordingComponent()
    worker = InfiniticWorker(transport=RecordingTransport(), components=[component])
    async with worker:
        assert host_of(component).client is None
        assert host_of(component).async_client is None
        with pytest.raises(ComponentNotInstalled, match="pip install infinitic-client"):
            _ = worker.client


def test_there_is_no_client_before_the_start() -> None:
    worker = InfiniticWorker(
        transport=RecordingTransport(), components=[], client_factory=make_client
    )
    with pytest.raises(WorkerError, match="before it is started"):
        _ = worker.client
    with pytest.raises(WorkerError, match="before it is started"):
        _ = worker.async_client
