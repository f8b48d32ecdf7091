"""Who listens, to what, and what happens when it fails."""

from collections.abc import Sequence
from typing import Any, Protocol

import pytest
from cloudevents.core.v1.event import CloudEvent

from events.hearing import (
    LOCAL,
    Heard,
    HeardTogether,
    Kept,
    Memory,
    Shop,
    orders,
    shop,
    stock,
    until,
)
from events.programs import Orders, OrdersImpl, Stock, StockImpl
from infinitic_common import UsageError, Workflow, new_service
from infinitic_common.component import Component
from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    WorkerConfiguration,
    load_configuration,
    string_source,
)
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_task_tag import ServiceTagEngine
from infinitic_worker import EventListener, InfiniticWorker
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


class NoListener:
    """It has neither method."""


def _entities(memory: Memory) -> set[str]:
    return {event.get_source().rpartition("/")[2] for event in list(memory.events)}


def _others() -> list[Component]:
    return [
        ServiceExecutor(Other, OtherImpl),
        WorkflowExecutor(Others, OthersImpl),
        WorkflowStateEngine(Others),
    ]


async def _order(running: Shop) -> str:
    client = running.client
    started = await client.dispatch(client.new_workflow(Orders).order, "pen")
    assert await started.result() == 3
    return started.id


async def _both(running: Shop) -> None:
    await _order(running)
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


async def test_a_listener_finds_a_service_that_appears_later() -> None:
    heard = Heard()
    listener = EventListener(heard, **SOON)
    async with shop(listeners=[listener]) as running:
        workflow_id = await _order(running)
        await heard.until_heard(workflow_id, "workflow.completed")
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
        workflow_id = await _order(running)
        await heard.until_heard(workflow_id, "workflow.completed", "workflow.dispatch")
        refused = {event_id for ids in heard.refused for event_id in ids}
        await until(lambda: heard.ids() >= refused)
    assert "RaisesTwice raised: its events come again" in caplog.text


class RaisesForOne(Heard):
    """It never takes one type of events."""

    async def on_event(self, event: CloudEvent) -> None:
        if event.get_type() == "task.completed":
            raise ValueError(event.get_type())
        await super().on_event(event)


async def test_what_a_listener_never_takes_does_not_keep_others_from_it() -> None:
    heard = RaisesForOne()
    async with shop(listeners=[EventListener(heard, **SOON)]) as running:
        for _ in range(3):
            workflow_id = await _order(running)
            await heard.until_heard(workflow_id, "workflow.completed")
    assert heard.events


@pytest.mark.parametrize("silent", ["service", "workflow"])
async def test_no_events_where_they_are_switched_off(silent: str) -> None:
    heard = Heard()
    listener = EventListener(heard, allow_services=[Stock], allow_workflows=[Orders])
    speaks = {"service": silent != "service", "workflow": silent != "workflow"}
    parts: list[Component] = [
        ServiceExecutor(Stock, StockImpl, events=speaks["service"]),
        ServiceTagEngine(Stock),
        WorkflowExecutor(Orders, OrdersImpl),
        WorkflowStateEngine(Orders, StateEngineOptions(events=speaks["workflow"])),
    ]
    async with shop(listeners=[listener], parts=parts) as running:
        workflow_id = await _order(running)
        if silent == "service":
            await heard.until_heard(workflow_id, "workflow.completed")
            # That it is dispatched is the engine's to tell.
            told = {"task.started", "task.completed"}
            assert not told & {event.get_type() for event in heard.events}
        else:
            await until(lambda: "task.completed" in {e.get_type() for e in heard.events})
            assert {e.get_type() for e in heard.events} == {"task.started", "task.completed"}


async def test_listeners_of_one_subscription_share_and_others_hear_everything() -> None:
    first, second, other = Heard(), Heard(), Heard()
    names: dict[str, Any] = {"allow_services": [Stock], "allow_workflows": [Orders]}
    listeners = [
        EventListener(first, subscription_name="shared", **names),
        EventListener(second, subscription_name="shared", **names),
        EventListener(other, **names),
    ]
    async with shop(listeners=listeners) as running:
        ids = [await _order(running) for _ in range(20)]
        for workflow_id in ids:
            await other.until_heard(workflow_id, "workflow.completed")
        await until(lambda: first.ids() | second.ids() == other.ids())
        assert len(first.events) + len(second.events) == len(other.events)


def test_a_listener_says_its_subscription() -> None:
    assert "subscription listener-subscription" in str(EventListener(Heard()))
    assert "subscription mine" in str(EventListener(Heard(), subscription_name="mine"))
    with pytest.raises(ValueError, match="subscription_name is blank"):
        EventListener(Heard(), subscription_name=" ")
    with pytest.raises(ValueError, match="concurrency=0"):
        EventListener(Heard(), concurrency=0)


def test_config_21_an_object_that_cannot_listen_is_refused() -> None:
    with pytest.raises(UsageError, match=r"NoListener is no CloudEventListener: .* on_events"):
        EventListener(NoListener())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("class_name", "complaint"),
    [
        ("events.hearing.Nothing", "eventListener.class"),
        ("events.nowhere.Listener", "events.nowhere"),
        ("nowhere.at.all.Listener", "nowhere"),
        ("events.hearing.Shop", "eventListener.class"),
        ("events.programs.StockImpl", "StockImpl is no CloudEventListener"),
    ],
)
def test_config_21_a_class_that_cannot_listen_is_refused(class_name: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        InfiniticWorker.from_yaml_string(
            f"transport: inMemory\neventListener: {{class: {class_name}}}"
        )
    assert complaint in str(raised.value)
    assert class_name.rpartition(".")[2] in str(raised.value)


WHOLE = """
transport: inMemory
storage: inMemory
events: {events}
eventListener:
  class: events.hearing.Kept
  concurrency: 3
  subscriptionName: mine
  services: {{allow: [Stock]}}
  workflows: {{allow: [Orders]}}
services:
  - name: Stock
    executor: {{class: events.programs.StockImpl}}
workflows:
  - name: Orders
    executor: {{class: events.programs.OrdersImpl}}
    stateEngine: {{}}
"""


def _listener_of(configuration: WorkerConfiguration) -> EventListener:
    assert configuration.event_listener is not None
    return EventListener.from_configuration(configuration.event_listener)


@pytest.mark.parametrize("events", ["true", "false"])
async def test_config_21_a_configured_listener_hears_what_is_not_silenced(events: str) -> None:
    text = WHOLE.format(events=events)
    configuration = load_configuration(WorkerConfiguration, string_source(text), environ={})
    listener = _listener_of(configuration)
    assert str(listener) == "EventListener Kept (concurrency 3, subscription mine)"
    kept = Kept.made[-1]
    (service,), (workflow,) = configuration.services, configuration.workflows
    assert workflow.state_engine is not None
    parts: list[Component] = [
        ServiceExecutor.from_configuration(service),
        WorkflowExecutor.from_configuration(workflow),
        # On the storage of the shop.
        WorkflowStateEngine(
            Orders, StateEngineOptions(events=workflow.state_engine.events is not False)
        ),
    ]
    async with shop(listeners=[listener], parts=parts) as running:
        workflow_id = await _order(running)
        if events == "true":
            await kept.until_heard(workflow_id, "workflow.completed", "workflow.taskCompleted")
    # What the parts told is with the listener by now, or there is nothing.
    assert bool(kept.events) is (events == "true")
