"""Listeners: what they hear, from when, and that nothing is lost."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from cloudevents.core.v1.event import CloudEvent
from harness.brokers import BROKERS
from harness.stores import STORES

from events.listening import Told, components, listened
from events.shop import Orders, OrdersImpl, Stock, StockImpl
from infinitic_client import AsyncInfiniticClient
from infinitic_common.component import Component
from infinitic_common.configuration import BatchConfiguration
from infinitic_common.transport import Transport
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import EventListener, InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine

OF_A_WORKFLOW = {
    "workflow.dispatch": 1,
    "workflow.dispatchMethod": 1,
    "workflow.executorDispatched": 3,
    "workflow.executorCompleted": 3,
    "workflow.taskDispatched": 2,
    "workflow.taskCompleted": 2,
    "workflow.methodCompleted": 1,
    "workflow.completed": 1,
}


def _worker(transport: Transport, *parts: Component) -> InfiniticWorker:
    return InfiniticWorker(
        transport=transport,
        storage=MemoryStorage(),
        components=parts,
        client_factory=AsyncInfiniticClient,
        close_transport=False,
    )


async def test_every_event_of_100_workflows_is_heard_on_pulsar() -> None:
    async with STORES["postgres"]() as storage:
        transport, _ = BROKERS["pulsar"]()
        async with listened(components(), transport, storage) as scene:
            client = scene.client
            ids = [
                (await client.dispatch(client.new_workflow(Orders).order, "abc")).id
                for _ in range(100)
            ]
            for workflow_id in ids:
                await scene.told.first("workflow.completed", workflow_id)
            for workflow_id in ids:
                assert _counts(scene.told, workflow_id) == OF_A_WORKFLOW
            tasks = {event.get_subject() for event in scene.told.of("task.dispatch")}
            assert len(tasks) == 200
            for task_id in tasks:
                await scene.told.first("task.completed", task_id)
                await scene.told.first("task.started", task_id)
            assert len(scene.told.of("task.retryScheduled")) == 100
            assert len(scene.told.of("task.dispatch")) == 300
            source = scene.told.of("task.dispatch")[0].get_source()
            assert source.startswith("pulsar://")
            assert source.endswith("/services/executor/Stock")


def _counts(told: Told, workflow_id: str) -> dict[str, int]:
    types = [e.get_type() for e in told.events.values() if e.get_subject() == workflow_id]
    return {each: types.count(each) for each in types}


async def test_names_that_appear_later_are_heard_from_their_first_event() -> None:
    transport, told = InMemoryTransport(), Told()
    listener = EventListener(
        told, service_list_refresh_seconds=0.1, workflow_list_refresh_seconds=0.1
    )
    async with _worker(transport, listener), _worker(transport, *components()) as worker:
        client = worker.async_client
        deferred = await client.dispatch(client.new_workflow(Orders).order, "abc")
        await told.first("workflow.dispatch", deferred.id)
        await told.first("workflow.completed", deferred.id)
        await told.first("task.completed")
    await transport.close()


async def test_a_listener_hears_only_what_it_is_allowed_to() -> None:
    transport, told = InMemoryTransport(), Told()
    listener = EventListener(told, allow_services=[Stock], disallow_workflows=["Orders"])
    async with _worker(transport, listener, *components()) as worker:
        client = worker.async_client
        await client.call(client.new_workflow(Orders).order, "abc")
        await told.first("task.completed")
    await transport.close()
    assert {event.get_type().partition(".")[0] for event in told.events.values()} == {"task"}


class Unwilling:
    """Raises at first; a plain method that takes many."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.taken = threading.Event()

    def on_events(self, events: Sequence[CloudEvent]) -> None:
        self.calls.append([event.get_id() for event in events])
        if len(self.calls) == 1:
            msg = "not now"
            raise RuntimeError(msg)
        if any(event.get_type() == "workflow.completed" for event in events):
            self.taken.set()


async def test_events_that_a_listener_raised_for_come_again() -> None:
    transport, unwilling = InMemoryTransport(), Unwilling()
    listener = EventListener(unwilling, batch=BatchConfiguration(max_messages=500, max_seconds=0.5))
    async with _worker(transport, listener, *components()) as worker:
        client = worker.async_client
        await client.call(client.new_workflow(Orders).note, "abc")
        assert await asyncio.to_thread(unwilling.taken.wait, 30)
    await transport.close()
    again = {event_id for call in unwilling.calls[1:] for event_id in call}
    assert set(unwilling.calls[0]) <= again


async def test_a_new_subscription_name_gets_everything_again_on_pulsar() -> None:
    transport, _ = BROKERS["pulsar"]()
    async with listened(components(), transport) as scene:
        client = scene.client
        deferred = await client.dispatch(client.new_workflow(Orders).order, "abc")
        await scene.told.first("workflow.completed", deferred.id)
        late = Told()
        again = EventListener(late, subscription_name="listener-late")
        async with _worker(transport, again):
            await late.first("workflow.dispatch", deferred.id)
            await late.first("workflow.completed", deferred.id)


async def test_nothing_is_told_where_events_are_off() -> None:
    transport = InMemoryTransport()
    worker = _worker(
        transport,
        ServiceExecutor(Stock, StockImpl, events=False),
        WorkflowExecutor(Orders, OrdersImpl, events=False),
        WorkflowStateEngine(Orders, StateEngineOptions(events=False)),
    )
    async with worker:
        client = worker.async_client
        await client.call(client.new_workflow(Orders).order, "abc")
    kinds = {topic.kind for topic in transport.universe.topics()}
    await transport.close()
    assert not {kind for kind in kinds if kind.endswith("-event")}


@pytest.mark.parametrize("count", [1, 3])
async def test_a_batch_has_at_most_so_many_events(count: int) -> None:
    class Noting:
        def __init__(self) -> None:
            self.sizes: list[int] = []
            self.done = asyncio.Event()

        async def on_events(self, events: Sequence[CloudEvent]) -> None:
            self.sizes.append(len(events))
            if any(event.get_type() == "workflow.completed" for event in events):
                self.done.set()

    transport, noting = InMemoryTransport(), Noting()
    batch = BatchConfiguration(max_messages=count, max_seconds=0.05)
    async with _worker(
        transport, EventListener(noting, batch=batch, concurrency=2), *components()
    ) as worker:
        client = worker.async_client
        await client.call(client.new_workflow(Orders).note, "abc")
        async with asyncio.timeout(30):
            await noting.done.wait()
    await transport.close()
    assert max(noting.sizes) <= count
