"""Short forms of the most frequent events: what a record tells anyway is not told beside it.

They are what most events cost on their way out; whoever listens makes whole ones of them.

* The bytes of an ``ExecuteTask``: it was dispatched. On the topic of a service it is the event of
  the task, on that of a workflow the event of the workflow.
* The bytes of a ``DispatchWorkflow``: somebody asked for a workflow, and for its main method run.
* ``TaskResult`` and ``CodeRan``.
* A ``TaskEvent`` of an end with ``started``: that of the start, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import attrs

from infinitic_common._events.records import Event, EventType, TaskEvent, WorkflowEvent
from infinitic_common.codec import decode, from_plain, record
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.messages import DispatchWorkflow, ExecuteTask, TaskCompleted
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.transport import TopicKind


@record(245)
@attrs.frozen
class TaskResult:
    """A workflow got the value of a task.

    Attributes:
        body: The encoded ``TaskCompleted``.
        service_name: The service of the task.
        task_name: The method of the task.
        method_name: The method whose run dispatched it.
        workflow_version: Version of the workflow's class.
    """

    body: bytes
    service_name: str
    task_name: str
    method_name: str
    workflow_version: int | None


@record(246)
@attrs.frozen
class CodeRan:
    """The code of a method run went on, in the process of the state engine, until it waited.

    Attributes:
        task_id: Of the workflow task.
        at: Milliseconds since the epoch.
        workflow_id: The workflow.
        method_id: The run.
        method_name: Its method.
        workflow_version: Version of the workflow's class.
        retry_index: Automatic retries before.
    """

    task_id: str
    at: int
    workflow_id: str
    method_id: str
    method_name: str
    workflow_version: int | None
    retry_index: int


def expanded(plain: object, kind: TopicKind) -> Iterator[Event]:
    """The events that an item of a batch stands for.

    Args:
        plain: The item.
        kind: Of the topic that the batch is for.

    Raises:
        UndecodableMessage: This release does not know it.
    """
    if isinstance(plain, bytes):
        yield from _of_message(plain, kind)
        return
    told = from_plain(
        list(cast("tuple[object, ...]", plain)) if isinstance(plain, tuple) else plain
    )
    match told:
        case TaskEvent():
            yield from _of_task(told)
        case WorkflowEvent():
            yield told
        case TaskResult():
            yield _of_result(told)
        case CodeRan():
            yield from _of_code(told)
        case _:
            msg = f"{type(told).__name__} is no event"
            raise UndecodableMessage(msg)


def _of_message(body: bytes, kind: TopicKind) -> Iterator[Event]:
    message = decode(body)
    match message:
        case ExecuteTask() if kind is TopicKind.SERVICE_EXECUTOR_EVENT:
            yield _dispatched(message, body)
        case ExecuteTask(requester=WorkflowRequester() as requester):
            yield _asked_for(message, requester, body)
        case DispatchWorkflow():
            yield from _started(message, body)
        case _:
            msg = f"{type(message).__name__} is no event"
            raise UndecodableMessage(msg)


def _dispatched(message: ExecuteTask, body: bytes) -> TaskEvent:
    return TaskEvent(
        EventType.TASK_DISPATCH,
        message.message_id,
        message.emitted_at,
        message.task_id,
        message.service_name,
        message.method_name,
        message.retry_sequence,
        message.retry_index,
        message.requester,
        message.tags,
        message.meta,
        body,
    )


def _asked_for(message: ExecuteTask, requester: WorkflowRequester, body: bytes) -> WorkflowEvent:
    return WorkflowEvent(
        EventType.WORKFLOW_TASK_DISPATCHED,
        message.message_id,
        message.emitted_at,
        requester.workflow_id,
        body,
        requester.method_id,
        requester.method_name,
        requester.workflow_version,
    )


def _started(message: DispatchWorkflow, body: bytes) -> Iterator[WorkflowEvent]:
    """A start, and that of the main run."""
    event_id, at, workflow_id = message.message_id, message.emitted_at, message.workflow_id
    yield WorkflowEvent(EventType.DISPATCH, event_id, at, workflow_id, body)
    run_id = f"{event_id}/dispatchMethod"
    yield WorkflowEvent(EventType.DISPATCH_METHOD, run_id, at, workflow_id, body)


def _of_task(event: TaskEvent) -> Iterator[TaskEvent]:
    if event.started is None:
        yield event
        return
    at, event_id = cast("tuple[int, str]", event.started)
    yield attrs.evolve(
        event,
        type=EventType.TASK_STARTED,
        id=event_id,
        at=at,
        body=b"",
        names={},
        duration_ms=None,
        started=None,
    )
    yield attrs.evolve(event, started=None)


def _of_result(told: TaskResult) -> WorkflowEvent:
    message = decode(told.body)
    if not isinstance(message, TaskCompleted):
        msg = f"{type(message).__name__} is no result of a task"
        raise UndecodableMessage(msg)
    return WorkflowEvent(
        EventType.WORKFLOW_TASK_COMPLETED,
        message.message_id,
        message.emitted_at,
        message.workflow_id,
        told.body,
        message.method_id,
        told.method_name,
        told.workflow_version,
        {"serviceName": told.service_name, "taskName": told.task_name},
    )


def _of_code(told: CodeRan) -> Iterator[WorkflowEvent]:
    for event_type in (EventType.EXECUTOR_DISPATCHED, EventType.EXECUTOR_COMPLETED):
        yield WorkflowEvent(
            event_type,
            f"{told.task_id}/{event_type.partition('.')[2]}",
            told.at,
            told.workflow_id,
            b"",
            told.method_id,
            told.method_name,
            told.workflow_version,
            {"taskId": told.task_id, "retryIndex": told.retry_index},
        )
