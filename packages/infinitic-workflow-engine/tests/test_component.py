"""The component: made from a configuration, forwarding what is due."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from infinitic_common.configuration import (
    ConfigurationError,
    WorkerConfiguration,
    WorkflowConfiguration,
    load_configuration,
    string_source,
)
from infinitic_common.exceptions import InvalidContract, InvalidSetting
from infinitic_common.messages import (
    Message,
    TaskTimedOut,
    TimerCompleted,
    to_outgoing,
    topic_of,
)
from infinitic_common.transport import (
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine

NOW = 1_700_000_000_000
TEN_DAYS_MS = 10 * 24 * 3600 * 1000


class Consuming:
    async def stop(self, grace_seconds: float) -> None:
        """Nothing runs."""


class Host:
    """A worker whose transport only records."""

    worker_name = "worker"
    max_message_bytes = 5_000_000
    key_values = None

    def __init__(self) -> None:
        self.transport = self
        self.subscriptions: dict[str, Subscription] = {}
        self.handlers: dict[str, Any] = {}
        self.published: list[tuple[Topic, OutgoingMessage]] = []
        self.asked_storage: list[object] = []

    def storage(self, configuration: object = None) -> "Host":
        self.asked_storage.append(configuration)
        return self

    def workflow_task_handler(self, workflow_name: str) -> object:
        return workflow_name

    def now(self) -> int:
        return NOW

    async def consume(self, subscription: Subscription, handler: object) -> Consuming:
        self.subscriptions[subscription.name] = subscription
        self.handlers[subscription.name] = handler
        return Consuming()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        self.published += [(topic, message) for message in messages]


def configured(text: str) -> WorkflowConfiguration:
    whole = string_source(f"transport: {{inMemory: }}\n{text}")
    worker = load_configuration(WorkerConfiguration, whole, environ={})
    return worker.workflows[0]


def received(message: Message) -> ReceivedMessage:
    out = to_outgoing(message, deliver_at=NOW)
    topic = Topic(TopicKind.WORKFLOW_STATE_TIMER, topic_of(message).entity)
    return ReceivedMessage(out.id, topic, out.body, out.key, out.properties, 1, 0)


async def _forwarded(message: Message) -> tuple[Topic, OutgoingMessage]:
    host, engine = Host(), WorkflowStateEngine("Flow")
    await engine.start(host)  # type: ignore[arg-type]  # a double
    assert await host.handlers["workflow-state-timer"]([received(message)]) == []
    await engine.stop(0)
    [forwarded] = host.published
    return forwarded


async def test_timers_11_a_due_timer_is_forwarded_to_the_state_engine_without_delay() -> None:
    message = TimerCompleted("t", "Flow", "w1", "w1", 2, NOW)
    topic, out = await _forwarded(message)
    assert topic == Topic(TopicKind.WORKFLOW_STATE_ENGINE, "Flow")
    assert out == to_outgoing(message)
    assert out.deliver_at is None


@pytest.mark.parametrize("age_ms", [0, TEN_DAYS_MS, 365 * 24 * 3600 * 1000])
async def test_timers_13_whatever_else_is_due_is_forwarded_however_old(age_ms: int) -> None:
    message = TaskTimedOut("t", "Flow", "w1", "w1", 2, "task", NOW - age_ms)
    topic, out = await _forwarded(message)
    assert topic == Topic(TopicKind.WORKFLOW_STATE_ENGINE, "Flow")
    assert out == to_outgoing(message)


def test_an_entry_without_state_engine_is_refused_with_its_place() -> None:
    entry = configured("storage: {inMemory: }\nworkflows: [{name: Flow, tagEngine: }]")
    with pytest.raises(ConfigurationError, match=r"Flow.*no state engine.*stateEngine"):
        WorkflowStateEngine.from_configuration(entry)


async def test_a_configuration_decides_storage_batches_deliveries_and_where_code_runs() -> None:
    entry = configured(
        """
workflows:
  - name: Flow
    stateEngine:
      concurrency: 7
      batch: {maxMessages: 33}
      maxRedeliverCount: 5
      remoteWorkflowTasks: true
      retentionSeconds: 60
      deduplicationWindowSeconds: 30
      storage:
        inMemory:
        compression: gzip
        cache:
"""
    )
    host, engine = Host(), WorkflowStateEngine.from_configuration(entry)
    await engine.start(host)  # type: ignore[arg-type]  # a double
    await engine.stop(0)
    assert entry.state_engine is not None
    assert host.asked_storage == [entry.state_engine.storage]
    main = host.subscriptions["workflow-state-engine"]
    assert (main.max_batch_messages, main.max_delivery_count) == (33, 5)
    assert "concurrency 7" in str(engine)
    assert engine._options == StateEngineOptions(
        concurrency=7,
        retention=timedelta(seconds=60),
        deduplication_window=timedelta(seconds=30),
        max_batch_messages=33,
        max_delivery_count=5,
        remote_workflow_tasks=True,
        storage=entry.state_engine.storage,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"concurrency": "5"},
        {"max_batches": 0},
        {"max_delivery_count": 0},
        {"cached_entries": -1},
        {"retention": 3600},
        {"workflow_task_timeout": timedelta(0)},
        {"events": "no"},
        {"storage": "postgres"},
    ],
)
def test_options_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(wrong))):
        StateEngineOptions(**wrong)


def test_no_options_and_no_contract_are_refused_where_they_are_given() -> None:
    with pytest.raises(InvalidSetting, match="options=10: give StateEngineOptions"):
        WorkflowStateEngine("Order", 10)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(InvalidContract, match="10 is no contract"):
        WorkflowStateEngine(10)  # type: ignore[arg-type]  # what is refused
