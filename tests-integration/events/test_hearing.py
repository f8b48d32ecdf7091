"""Who listens, to what, and what happens when it fails."""

from collections.abc import Sequence
from typing import Any, Protocol

import pytest
from cloudevents.core.v1.event import CloudEvent

from events.hearing import (
    LOCAL,
    Heard,
    HeardTogether,
    Memory,
    Shop,
    orders,
    published_events,
    run_order,
    shop,
    stock,
    until,
)
from events.programs import Orders, OrdersImpl, Stock, StockImpl
from infinitic_common import Workflow, new_service
from infinitic_common.component import Component
from infinitic_common.configuration import (
    BatchConfiguration,
)
from infinitic_common.transport import TopicKind
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_task_tag import ServiceTagEngine
from infinitic_transport import InMemoryTransport
from infinitic_worker import EventListener
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine

pytestmark = pytest.mark.timeout(60)

AT_ONCE = BatchConfiguration(max_messages=100, max_seconds=0.01)
SOON: dict[str, Any] = {
    "service_list_refresh_seconds": 0.05,
    "workflow_list_refresh_seconds": 0.05,
}


class Other(Protocol):
    def run(self) -> str: ...


class OtherImpl:
    def run(self) -> str:
        return "other"


class Others(Protocol):
    def run(self) -> str: ...


class OthersImpl(Workflow, Others):
    other = new_service(Other)

    def run(self) -> str:
        return self.other.run()


def _entities(memory: Memory) -> set[str]:
    return {event.get_source().rpartition("/")[2] for event in list(memory.events)}


def _others() -> list[Component]:
    return [
        ServiceExecutor(Other, OtherImpl),
        WorkflowExecutor(Others, OthersImpl),
        WorkflowStateEngine(Others),
    ]


async def _both(running: Shop) -> None:
    await run_order(running)
    started = await running.client.dispatch(running.client.new_workflow(Others).run)
    assert await started.result() == "other"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, {"Stock", "Orders", "Other", "Others"}),
        ({"allow_services": [Stock], "allow_workflows": ["Orders"]}, {"Stock", "Orders"}),
        ({"disallow_services": ["Stock"], "disallow_workflows": [Orders]}, {"Other", "Others"}),
        ({"allow_services": []}, {"Orders", "Others"}),
        (
            {
                "allow_services": [],
                "allow_workflows": [Orders, Others],
                "disallow_workflows": [Others],
            },
            {"Orders"},
        ),
    ],
)
async def test_a_listener_hears_what_it_may(filters: dict[str, Any], expected: set[str]) -> None:
    everything, some = Heard(), Heard()
    listeners = [
        EventListener(everything, subscription_name="all", **SOON),
        EventListener(some, subscription_name="some", **SOON, **filters),
    ]
    parts = [*stock(), *orders(LOCAL), *_others()]
    async with shop(listeners=listeners, parts=parts) as running:
        await _until_told(running, everything, {"Stock", "Orders", "Other", "Others"})
        await _until_told(running, some, expected)
        assert _entities(some) == expected


async def _until_told(running: Shop, memory: Memory, expected: set[str]) -> None:
    """Have things happen until a listener has found all that it looks for."""
    for _ in range(100):
        await _both(running)
        if _entities(memory) >= expected:
            return
    raise AssertionError(_entities(memory))


async def test_names_that_appear_later_are_heard_from_their_first_event() -> None:
    heard = Heard()
    listener = EventListener(heard, **SOON)
    async with shop(listeners=[listener]) as running:
        workflow_id = await run_order(running)
        await heard.until_heard(workflow_id, "workflow.dispatch", "workflow.completed")
        assert "Other" not in _entities(heard)
        async with running.deployment.worker(*_others()):
            await _until_told(running, heard, {"Other", "Others"})


class RaisesTwice(HeardTogether):
    """It cannot take what it hears first."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[list[str]] = []

    def on_events(self, events: Sequence[CloudEvent]) -> None:
        if len(self.refused) < 2:
            self.refused.append([event.get_id() for event in events])
            raise OSError
        super().on_events(events)


async def test_a_listener_that_raises_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    heard = RaisesTwice()
    listener = EventListener(heard, batch=AT_ONCE, **SOON)
    async with shop(listeners=[listener]) as running:
        workflow_id = await run_order(running)
        await heard.until_heard(workflow_id, "workflow.completed", "workflow.dispatch")
        refused = {event_id for ids in heard.refused for event_id in ids}
        await until(lambda: heard.ids() >= refused)
    assert "RaisesTwice raised: its events come again" in caplog.text


class RaisesForOne(Heard):
    """It never takes one type of events."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    async def on_event(self, event: CloudEvent) -> None:
        if event.get_type() == "task.completed":
            self.refused += 1
            raise ValueError(event.get_type())
        await super().on_event(event)


async def test_what_a_listener_never_takes_does_not_keep_others_from_it() -> None:
    heard = RaisesForOne()
    async with shop(listeners=[EventListener(heard, **SOON)]) as running:
        for _ in range(3):
            workflow_id = await run_order(running)
            await heard.until_heard(workflow_id, "workflow.completed")
        await until(lambda: heard.refused)


@pytest.mark.parametrize("count", [1, 3])
async def test_a_list_has_at_most_so_many_events_and_is_never_empty(count: int) -> None:
    heard = HeardTogether()
    batch = BatchConfiguration(max_messages=count, max_seconds=0.05)
    async with shop(listeners=[EventListener(heard, batch=batch, **SOON)]) as running:
        workflow_id = await run_order(running)
        await heard.until_heard(workflow_id, "workflow.completed")
        # Which events come together is a matter of time: some do.
        while max(heard.sizes) < count:
            await run_order(running)
    assert all(0 < size <= count for size in heard.sizes)


@pytest.mark.parametrize(
    ("service", "workflow", "told"),
    [
        (False, False, set[TopicKind]()),
        (False, True, {TopicKind.SERVICE_EXECUTOR_EVENT, TopicKind.WORKFLOW_STATE_EVENT}),
        (True, False, {TopicKind.SERVICE_EXECUTOR_EVENT}),
    ],
)
async def test_no_events_where_they_are_switched_off(
    *, service: bool, workflow: bool, told: set[TopicKind]
) -> None:
    transport = InMemoryTransport()
    parts: list[Component] = [
        ServiceExecutor(Stock, StockImpl, events=service),
        ServiceTagEngine(Stock),
        WorkflowExecutor(Orders, OrdersImpl, events=workflow),
        WorkflowStateEngine(Orders, StateEngineOptions(events=workflow)),
    ]
    async with shop(transport=transport, parts=parts) as running:
        await run_order(running)
    assert published_events(transport) == told


async def test_listeners_of_one_subscription_share_and_others_hear_everything() -> None:
    first, second, other = Heard(), Heard(), Heard()
    names: dict[str, Any] = {"allow_services": [Stock], "allow_workflows": [Orders]}
    listeners = [
        EventListener(first, subscription_name="shared", **names),
        EventListener(second, subscription_name="shared", **names),
        EventListener(other, **names),
    ]
    async with shop(listeners=listeners) as running:
        ids = [await run_order(running) for _ in range(20)]
        for workflow_id in ids:
            await other.until_heard(workflow_id, "workflow.completed")
        await until(lambda: first.ids() | second.ids() == other.ids())
        assert len(first.events) + len(second.events) == len(other.events)
