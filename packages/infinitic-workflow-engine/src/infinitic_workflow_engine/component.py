"""The component: subscriptions of a state engine, and turns for what they deliver."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import attrs

from infinitic_common.arguments import (
    demand_counts,
    demand_flags,
    demand_kinds,
    demand_spans,
)
from infinitic_common.configuration import ConfigurationError, Problem, StorageConfiguration
from infinitic_common.contracts import contract_of
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.messages import StateEngineMessage, from_received
from infinitic_common.telemetry import telemetry_of
from infinitic_common.transport import (
    Consumption,
    Counts,
    Deferral,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_workflow_engine import _dead_letters
from infinitic_workflow_engine._core.turn import Limits
from infinitic_workflow_engine._group import Group
from infinitic_workflow_engine._storage.logged import LoggedWorkflowStateStorage
from infinitic_workflow_engine._storage.states import (
    KeyValueWorkflowStateStorage,
    Retention,
    WorkflowStateStorage,
)
from infinitic_workflow_engine._telling import Telling
from infinitic_workflow_engine._turns import Turns

if TYPE_CHECKING:
    from infinitic_common.component import ComponentHost
    from infinitic_common.configuration import WorkflowConfiguration

_LOGGER = logging.getLogger(__name__)

_DEADLINE_MARGIN_MS = 30_000
"""How much later than the executor's own limit a remote workflow task is sent again."""


@attrs.frozen(kw_only=True)
class StateEngineOptions:
    """How a state engine works.

    Attributes:
        concurrency: Workflow ids handled at once.
        retention: How long the result of an ended workflow is known.
        deduplication_window: How long a repeated start of an ended workflow is recognised.
        max_batch_messages: The most messages taken into one turn; nothing waits for them.
        max_batches: Turns in progress at once.
        max_delivery_count: Attempts at a message before it moves to the dead letters; None for the
            transport's default.
        cached_entries: History entries of all states kept in memory.
        workflow_task_timeout: Limit of a workflow task in an executor.
        remote_workflow_tasks: Have workflow code run elsewhere even when an executor is here.
        log_states: Log each access to states, at debug level.
        storage: A storage of its own; None for the worker's.
        events: Tell listeners of what happens.
    """

    concurrency: int = 1000
    retention: timedelta = timedelta(hours=24)
    deduplication_window: timedelta = timedelta(hours=1)
    max_batch_messages: int = 500
    max_batches: int = 4
    max_delivery_count: int | None = None
    cached_entries: int = 500_000
    workflow_task_timeout: timedelta = timedelta(seconds=60)
    remote_workflow_tasks: bool = False
    log_states: bool = False
    storage: StorageConfiguration | None = None
    events: bool = True

    def __attrs_post_init__(self) -> None:
        """See that each can be worked with.

        Raises:
            InvalidSetting: One cannot.
        """
        demand_counts(
            concurrency=self.concurrency,
            max_batch_messages=self.max_batch_messages,
            max_batches=self.max_batches,
            otherwise="leave the engine out",
        )
        demand_counts(cached_entries=self.cached_entries, least=0)
        if self.max_delivery_count is not None:
            demand_counts(max_delivery_count=self.max_delivery_count)
        demand_spans(
            retention=self.retention,
            deduplication_window=self.deduplication_window,
            positive=False,
        )
        demand_spans(workflow_task_timeout=self.workflow_task_timeout)
        demand_flags(
            remote_workflow_tasks=self.remote_workflow_tasks,
            log_states=self.log_states,
            events=self.events,
        )
        demand_kinds(StorageConfiguration, storage=self.storage)


class WorkflowStateEngine:
    """Decides what happens next in the workflows of one name.

    Args:
        workflow: The contract of the workflow, or its name.
        options: How it works.

    Raises:
        InvalidContract: The workflow is neither a contract nor a name.
        InvalidSetting: The options are none.
    """

    label = "WorkflowStateEngine"

    def __init__(self, workflow: type | str, options: StateEngineOptions | None = None) -> None:
        demand_kinds(StateEngineOptions, options=options)
        self._name = _name_of(workflow)
        self._options = options or StateEngineOptions()
        self._host: ComponentHost | None = None
        self._turns: Turns | None = None
        self._consumptions: list[Consumption] = []
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_configuration(cls, configuration: WorkflowConfiguration) -> WorkflowStateEngine:
        """The state engine that a workflow's entry of a configuration describes.

        Raises:
            ConfigurationError: The entry has no state engine.
        """
        engine = configuration.state_engine
        if engine is None:
            place = f"workflows.{configuration.name}"
            raise ConfigurationError([Problem(place, "no state engine", "add `stateEngine:`")])
        options = StateEngineOptions(
            concurrency=engine.concurrency,
            retention=timedelta(seconds=engine.retention_seconds),
            deduplication_window=timedelta(seconds=engine.deduplication_window_seconds),
            max_batch_messages=engine.batch.max_messages,
            max_delivery_count=engine.max_redeliver_count,
            remote_workflow_tasks=engine.remote_workflow_tasks,
            storage=engine.storage,
            events=engine.events is not False,
        )
        return cls(configuration.name, options)

    @property
    def workflow_name(self) -> str:
        """The workflow it decides for."""
        return self._name

    @property
    def counts(self) -> Counts:
        """Messages received and not yet settled."""
        return sum((c.counts for c in self._consumptions), Counts())

    def __str__(self) -> str:
        options = self._options
        where = "elsewhere" if options.remote_workflow_tasks else "here where it is hosted"
        return (
            f"{self.label} {self._name} (concurrency {options.concurrency}, "
            f"retention {options.retention.total_seconds():g} s, workflow code runs {where})"
        )

    async def start(self, host: ComponentHost) -> None:
        """Begin to receive commands, events and due timers."""
        self._host = host
        options = self._options
        handler = None
        if not options.remote_workflow_tasks:
            handler = host.workflow_task_handler(self._name)
        timeout = _milliseconds(options.workflow_task_timeout)
        self._turns = Turns(
            host.transport,
            self._states(host),
            handler,
            limits=Limits(timeout + _DEADLINE_MARGIN_MS, _milliseconds(options.retention)),
            cached_entries=options.cached_entries,
            telemetry=telemetry_of(host),
            telling=self._telling(host),
        )
        self._closing = asyncio.create_task(self._turns.closing.run())
        self._consumptions = [
            await host.transport.consume(self._main_subscription(), self._handle),
            await host.transport.consume(self._timer_subscription(), self._forward),
        ]

    def _telling(self, host: ComponentHost) -> Telling | None:
        if not self._options.events:
            return None
        return Telling(host.transport, host.worker_name, self._name)

    def _states(self, host: ComponentHost) -> WorkflowStateStorage:
        options = self._options
        retention = Retention(
            _milliseconds(options.retention), _milliseconds(options.deduplication_window)
        )
        storage = host.storage(options.storage) if options.storage is not None else host.storage()
        states = KeyValueWorkflowStateStorage(storage.key_values, retention)
        return LoggedWorkflowStateStorage(states) if options.log_states else states

    def _main_subscription(self) -> Subscription:
        kinds = (TopicKind.WORKFLOW_STATE_CMD, TopicKind.WORKFLOW_STATE_ENGINE)
        options = self._options
        subscription = Subscription(
            topics=tuple(Topic(kind, self._name) for kind in kinds),
            name="workflow-state-engine",
            ordered=True,
            max_batch_messages=options.max_batch_messages,
            max_in_flight_messages=options.max_batch_messages * options.max_batches,
            max_in_flight_batches=options.max_batches,
            on_dead_letter=self._report,
        )
        if options.max_delivery_count is None:
            return subscription
        return attrs.evolve(subscription, max_delivery_count=options.max_delivery_count)

    def _timer_subscription(self) -> Subscription:
        topic = Topic(TopicKind.WORKFLOW_STATE_TIMER, self._name)
        return Subscription(topics=(topic,), name="workflow-state-timer", max_batch_messages=100)

    async def stop(self, grace_seconds: float) -> None:
        """Stop receiving, finish turns in progress, write what is left to write."""
        consumptions, closing, turns = self._consumptions, self._closing, self._turns
        self._closing = self._turns = None
        await asyncio.gather(*(c.stop(grace_seconds) for c in consumptions))
        if closing is not None and turns is not None:
            closing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await closing
            await turns.closing.flush()

    # --- messages ---------------------------------------------------------------------------

    async def _handle(
        self, batch: Sequence[ReceivedMessage]
    ) -> Sequence[ReceivedMessage | Deferral]:
        """One turn for what arrived; answers what to try again."""
        turns = self._turns
        if turns is None:
            return batch
        groups, unreadable = _grouped(batch)
        again: list[ReceivedMessage | Deferral] = list(unreadable)
        for first in range(0, len(groups), self._options.concurrency):
            again += await turns.take(groups[first : first + self._options.concurrency])
        return again

    async def _forward(self, batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """Timers are due: the engine is told in the order of each workflow's messages."""
        host = cast("ComponentHost", self._host)
        topic = Topic(TopicKind.WORKFLOW_STATE_ENGINE, self._name)
        due = [OutgoingMessage(m.id, m.body, m.key, dict(m.properties)) for m in batch]
        await host.transport.publish(topic, due)
        return []

    async def _report(self, dead: ReceivedMessage, why: str) -> None:
        host = cast("ComponentHost", self._host)
        await _dead_letters.report(host.transport, host.worker_name, dead, why)


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)


def _name_of(workflow: type | str) -> str:
    if isinstance(workflow, str):
        return workflow
    return contract_of(workflow).name


def _grouped(
    batch: Sequence[ReceivedMessage],
) -> tuple[list[Group], list[ReceivedMessage]]:
    """The messages by workflow; and those that cannot be decoded, with nothing after them."""
    groups: dict[str, list[tuple[ReceivedMessage, StateEngineMessage]]] = {}
    again: dict[str, ReceivedMessage] = {}
    for received in batch:
        key = received.key or ""
        if key in again:
            continue
        try:
            message = cast("StateEngineMessage", from_received(received))
        except UndecodableMessage:
            _LOGGER.exception("message %s cannot be read", received.id)
            again[key] = received
            continue
        groups.setdefault(message.workflow_id, []).append((received, message))
    return [Group(i, messages) for i, messages in groups.items()], list(again.values())
