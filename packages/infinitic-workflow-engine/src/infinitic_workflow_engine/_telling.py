"""What turns tell: their events leave beside their emissions, one message for each topic."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol, cast

from infinitic_common.codec import decode, encode, to_plain
from infinitic_common.events import (
    EventPublisher,
    EventType,
    PlainEvent,
    service_events,
    task_event,
    workflow_event,
    workflow_events,
    workflow_executor_events,
)
from infinitic_common.messages import (
    CommandByTag,
    DispatchMethod,
    DispatchWorkflow,
    ExecuteTask,
    ExecuteWorkflowTask,
    SendSignal,
    StartByCustomId,
)
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.transport import Topic, Transport
from infinitic_common.workflow_tasks import WORKFLOW_EXECUTOR
from infinitic_workflow_engine._core.own_commands import sent_id
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._core.turn import Emission, TimerTold, Turn

_METHOD = "handle"
"""How events name the method of the service whose tasks are workflow tasks."""


class _Asking(Protocol):
    """A message with the run that asks."""

    requester: WorkflowRequester


Told = defaultdict[Topic, list[PlainEvent]]


class Telling:
    """Publishes the events of turns.

    Args:
        transport: Takes them.
        worker_name: Who tells.
        workflow_name: Whose workflows they are about.
    """

    def __init__(self, transport: Transport, worker_name: str, workflow_name: str) -> None:
        self._publisher = EventPublisher(transport, worker_name)
        self._topic = workflow_events(workflow_name)

    def begin(self, turns: Iterable[Turn]) -> asyncio.Task[None] | None:
        """Start to publish what turns tell; ``finish`` waits for it."""
        told = Told(list[PlainEvent])
        events = told[self._topic]
        for turn in turns:
            events += turn.events or ()
            for emission in turn.emissions:
                _tell_emission(emission, turn, events, told)
        if not events:
            del told[self._topic]
        return self._publisher.begin(told)

    async def finish(self, publication: asyncio.Task[None] | None) -> None:
        """Wait for it; never raises, and not for ever."""
        await self._publisher.finish(publication)


def _tell_emission(emission: Emission, turn: Turn, events: list[PlainEvent], told: Told) -> None:
    """What events tell of a message that leaves."""
    record = emission.record
    if type(record) is ExecuteTask:
        body = emission.message.body
        events.append(body)
        told[service_events(record.service_name)].append(body)
    elif isinstance(emission.about, TimerTold):
        events.append(_timer(emission.about))
    elif type(record) in (DispatchWorkflow, DispatchMethod, StartByCustomId):
        events.append(_sent(emission, EventType.REMOTE_METHOD_DISPATCHED, turn))
    elif type(record) is SendSignal:
        events.append(_sent(emission, EventType.SIGNAL_DISPATCHED, turn))
    elif type(record) is CommandByTag and (by_tag := _by_tag(record)) is not None:
        events.append(_sent(emission, by_tag, turn))
    elif type(record) is ExecuteWorkflowTask:
        topic = workflow_executor_events(record.workflow_name)
        told[topic].append(_workflow_task(record, turn.state))


def _by_tag(record: CommandByTag) -> str | None:
    """The type of the event that tells of a command by tag; None for a cancellation."""
    command = decode(record.command)
    if isinstance(command, DispatchMethod):
        return EventType.REMOTE_METHOD_DISPATCHED
    return EventType.SIGNAL_DISPATCHED if isinstance(command, SendSignal) else None


def _sent(emission: Emission, event_type: str, turn: Turn) -> PlainEvent:
    """A run asked for something elsewhere."""
    record = emission.record
    requester = cast("_Asking", record).requester
    message = emission.message
    timeout = emission.about
    return workflow_event(
        event_type,
        sent_id(message.id),
        getattr(record, "emitted_at", turn.now),
        requester.workflow_id,
        message.body,
        requester.method_id,
        requester.method_name,
        requester.workflow_version,
        {} if timeout is None else {"timeout": timeout},
    )


def _timer(about: TimerTold) -> PlainEvent:
    requester, timer = about.requester, about.timer
    return workflow_event(
        EventType.TIMER_DISPATCHED,
        timer.timer_id,
        timer.emitted_at,
        requester.workflow_id,
        encode(timer),
        requester.method_id,
        requester.method_name,
        requester.workflow_version,
    )


def _workflow_task(record: ExecuteWorkflowTask, state: WorkflowState | None) -> PlainEvent:
    """Without the history that goes with it: what is in it was told before."""
    run = None if state is None else state.methods.get(record.method_id)
    requester = WorkflowRequester(
        record.workflow_name,
        record.workflow_id,
        "" if run is None else run.method_name,
        record.method_id,
        0,
        0 if state is None else state.workflow_version or 0,
    )
    return task_event(
        EventType.TASK_DISPATCH,
        record.message_id,
        record.emitted_at,
        (record.workflow_task_id, WORKFLOW_EXECUTOR, _METHOD),
        (0, record.retry_index),
        to_plain(requester),
    )
