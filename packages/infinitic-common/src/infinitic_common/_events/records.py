"""What components tell of what they do, as compact records.

An event holds the bytes of the message or record that it tells of, which were encoded anyway: who
listens pays for making them readable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from infinitic_common.codec import record
from infinitic_common.requesters import Requester


class EventType:
    """The types of events, as listeners see them."""

    TASK_DISPATCH: Final = "task.dispatch"
    TASK_STARTED: Final = "task.started"
    TASK_COMPLETED: Final = "task.completed"
    TASK_DELEGATION_COMPLETED: Final = "task.delegationCompleted"
    TASK_RETRY_SCHEDULED: Final = "task.retryScheduled"
    TASK_FAILED: Final = "task.failed"

    DISPATCH: Final = "workflow.dispatch"
    DISPATCH_METHOD: Final = "workflow.dispatchMethod"
    CANCEL: Final = "workflow.cancel"
    CANCEL_METHOD: Final = "workflow.cancelMethod"
    RETRY_TASK: Final = "workflow.retryTask"
    RETRY_EXECUTOR: Final = "workflow.retryExecutor"
    SIGNAL: Final = "workflow.signal"

    SIGNAL_RECEIVED: Final = "workflow.signalReceived"
    SIGNAL_DISCARDED: Final = "workflow.signalDiscarded"
    SIGNAL_DISPATCHED: Final = "workflow.signalDispatched"
    EXECUTOR_DISPATCHED: Final = "workflow.executorDispatched"
    EXECUTOR_COMPLETED: Final = "workflow.executorCompleted"
    EXECUTOR_FAILED: Final = "workflow.executorFailed"
    WORKFLOW_TASK_DISPATCHED: Final = "workflow.taskDispatched"
    WORKFLOW_TASK_COMPLETED: Final = "workflow.taskCompleted"
    WORKFLOW_TASK_FAILED: Final = "workflow.taskFailed"
    WORKFLOW_TASK_TIMED_OUT: Final = "workflow.taskTimedOut"
    TIMER_DISPATCHED: Final = "workflow.timerDispatched"
    TIMER_COMPLETED: Final = "workflow.timerCompleted"
    REMOTE_METHOD_DISPATCHED: Final = "workflow.remoteMethodDispatched"
    REMOTE_METHOD_COMPLETED: Final = "workflow.remoteMethodCompleted"
    REMOTE_METHOD_FAILED: Final = "workflow.remoteMethodFailed"
    REMOTE_METHOD_CANCELED: Final = "workflow.remoteMethodCanceled"
    REMOTE_METHOD_TIMED_OUT: Final = "workflow.remoteMethodTimedOut"
    REMOTE_METHOD_UNKNOWN: Final = "workflow.remoteMethodUnknown"
    METHOD_COMPLETED: Final = "workflow.methodCompleted"
    METHOD_FAILED: Final = "workflow.methodFailed"
    METHOD_CANCELED: Final = "workflow.methodCanceled"
    METHOD_TIMED_OUT: Final = "workflow.methodTimedOut"
    COMPLETED: Final = "workflow.completed"
    CANCELED: Final = "workflow.canceled"


@record(241)
@attrs.frozen
class WorkflowEvent:
    """Something happened in a workflow.

    Attributes:
        type: One of ``EventType``.
        id: Stable: the same event told again has the same id.
        at: Milliseconds since the epoch.
        workflow_id: The workflow.
        body: The encoded record that it tells of; empty when there is none, or it is too large.
        method_id: The method run concerned; None for the workflow as a whole.
        method_name: Its method; None when nobody knows.
        workflow_version: Version of the workflow's class; None before its first workflow task.
        names: Names and ids that the record lacks, as they appear in the data.
        duration_ms: How long what has ended took; None for anything else.
    """

    type: str
    id: str
    at: int
    workflow_id: str
    body: bytes = b""
    method_id: str | None = None
    method_name: str | None = None
    workflow_version: int | None = None
    names: Mapping[str, object] = attrs.field(factory=dict[str, object])
    duration_ms: float | None = None


@record(242)
@attrs.frozen
class TaskEvent:
    """Something happened to a task, or to a workflow task.

    Attributes:
        type: One of ``EventType``.
        id: Stable: the same event told again has the same id.
        at: Milliseconds since the epoch.
        task_id: The task.
        service_name: Its service.
        method_name: The method of the service.
        retry_sequence: Manual retries before.
        retry_index: Automatic retries before, in this sequence.
        requester: Who asked for the task.
        tags: Its tags.
        meta: Its meta.
        body: The encoded record that it tells of; empty when there is none, or it is too large.
        names: Names and ids that the record lacks, as they appear in the data.
        duration_ms: How long the attempt that has ended took; None for anything else.
        started: On its way only: that the event stands for that of the start, too; its instant,
            and its id.
    """

    type: str
    id: str
    at: int
    task_id: str
    service_name: str
    method_name: str
    retry_sequence: int
    retry_index: int
    requester: Requester
    tags: frozenset[str] = frozenset()
    meta: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])
    body: bytes = b""
    names: Mapping[str, object] = attrs.field(factory=dict[str, object])
    duration_ms: float | None = None
    started: object = None


Event = WorkflowEvent | TaskEvent
"""What happened in a workflow, or to a task."""


@record(240)
@attrs.frozen
class ToldBatch:
    """What a component tells at once, as it travels.

    Attributes:
        worker_name: Who tells.
        version: Its release of Infinitic.
        told: Events in their plain forms, in the order in which things happened.
    """

    worker_name: str
    version: str
    told: tuple[object, ...]


@attrs.frozen
class EventBatch:
    """What a component tells at once: one message on the event topic of a service or workflow.

    Attributes:
        worker_name: Who tells.
        version: Its release of Infinitic.
        events: In the order in which things happened.
    """

    worker_name: str
    version: str
    events: tuple[Event, ...]


PlainEvent = Sequence[object] | bytes
"""An event on its way: the array of its record, or a short form of it."""

_NO_NAMES: dict[str, object] = {}
_NO_META: dict[str, bytes] = {}


def workflow_event(  # noqa: PLR0913, PLR0917 - the fields of the record
    event_type: str,
    event_id: str,
    at: int,
    workflow_id: str,
    body: bytes = b"",
    method_id: str | None = None,
    method_name: str | None = None,
    workflow_version: int | None = None,
    names: dict[str, object] = _NO_NAMES,
    duration_ms: float | None = None,
) -> tuple[object, ...]:
    """A ``WorkflowEvent`` to be told; several times cheaper than the record and its encoding."""
    return (
        241,
        event_type,
        event_id,
        at,
        workflow_id,
        body,
        method_id,
        method_name,
        workflow_version,
        names,
        duration_ms,
    )


def task_event(  # noqa: PLR0913, PLR0917 - the fields of the record
    event_type: str,
    event_id: str,
    at: int,
    task: tuple[str, str, str],
    retries: tuple[int, int],
    requester: list[object],
    *,
    tags: frozenset[str] = frozenset(),
    meta: Mapping[str, bytes] = _NO_META,
    body: bytes = b"",
    names: dict[str, object] = _NO_NAMES,
    duration_ms: float | None = None,
    started: tuple[int, str] | None = None,
) -> tuple[object, ...]:
    """A ``TaskEvent`` to be told.

    Args:
        event_type: One of ``EventType``.
        event_id: Its id.
        at: Milliseconds since the epoch.
        task: Its id, service and method.
        retries: Manual and automatic retries before.
        requester: Who asked for the task, as the array of its record.
        tags: Its tags.
        meta: Its meta.
        body: The encoded record that it tells of.
        names: What the record lacks.
        duration_ms: How long the attempt took.
        started: Of the end of an attempt whose start was not told: when it was, and the id of the
            event that tells of it.
    """
    return (
        242,
        event_type,
        event_id,
        at,
        *task,
        *retries,
        requester,
        sorted(tags) if tags else [],
        meta,
        body,
        names,
        duration_ms,
        started,
    )


@record(243)
@attrs.frozen
class TimerDispatched:
    """A timer runs.

    Attributes:
        timer_id: Its id.
        fires_at: When it is due, in milliseconds since the epoch.
        duration_ms: The duration asked for; None when an instant was.
        emitted_at: When the code asked for it, in milliseconds since the epoch.
    """

    timer_id: str
    fires_at: int
    duration_ms: int | None
    emitted_at: int


@record(244)
@attrs.frozen
class EncodedValue:
    """A user's value that no message carries: of a method run, or of the code of a delegated task."""

    value: bytes
