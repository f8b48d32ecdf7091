"""What can listen, and what configurations say of it."""

import pytest

from events.hearing import Heard, Kept, published_events, run_order, shop
from events.programs import Orders
from infinitic_common import UsageError
from infinitic_common.component import Component
from infinitic_common.configuration import (
    ConfigurationError,
    WorkerConfiguration,
    load_configuration,
    string_source,
)
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import EventListener, InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine

pytestmark = pytest.mark.timeout(60)


class NoListener:
    """It has neither method."""


def test_a_listener_says_its_subscription() -> None:
    assert "subscription listener-subscription" in str(EventListener(Heard()))
    assert "subscription mine" in str(EventListener(Heard(), subscription_name="mine"))
    with pytest.raises(ValueError, match="subscription_name is blank"):
        EventListener(Heard(), subscription_name=" ")
    with pytest.raises(ValueError, match="concurrency=0"):
        EventListener(Heard(), concurrency=0)


def test_config_21_an_object_that_cannot_listen_is_refused() -> None:
    with pytest.raises(UsageError, match=r"NoListener is no CloudEventListener: .* on_events"):
        EventListener(NoListener())  # type: ignore[arg-type]  # the mistake itself


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


def _configured(events: str) -> WorkerConfiguration:
    return load_configuration(
        WorkerConfiguration, string_source(WHOLE.format(events=events)), environ={}
    )


def _parts_of(configuration: WorkerConfiguration) -> list[Component]:
    """What is configured, on the storage of the shop."""
    (service,), (workflow,) = configuration.services, configuration.workflows
    assert workflow.state_engine is not None
    options = StateEngineOptions(events=workflow.state_engine.events is not False)
    return [
        ServiceExecutor.from_configuration(service),
        WorkflowExecutor.from_configuration(workflow),
        WorkflowStateEngine(Orders, options),
    ]


async def test_config_21_a_configured_listener_hears() -> None:
    configuration = _configured("true")
    assert configuration.event_listener is not None
    listener = EventListener.from_configuration(configuration.event_listener)
    assert str(listener) == "EventListener Kept (concurrency 3, subscription mine)"
    kept = Kept.made[-1]
    async with shop(listeners=[listener], parts=_parts_of(configuration)) as running:
        workflow_id = await run_order(running)
        await kept.until_heard(workflow_id, "workflow.completed", "workflow.taskCompleted")


@pytest.mark.parametrize("events", ["true", "false"])
async def test_config_21_events_can_be_silenced(events: str) -> None:
    transport = InMemoryTransport()
    async with shop(parts=_parts_of(_configured(events)), transport=transport) as running:
        await run_order(running)
    assert bool(published_events(transport)) is (events == "true")
