"""The data of each type of event."""

from __future__ import annotations

from typing import cast

from infinitic_common.codec import decode
from infinitic_common.events import (
    EncodedValue,
    EventBatch,
    EventType,
    TaskEvent,
    TimerDispatched,
    WorkflowEvent,
)
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.failures import DeferredError, WorkflowExecutorFailedError
from infinitic_common.messages import (
    CancelWorkflow,
    CommandByTag,
    DispatchMethod,
    DispatchWorkflow,
    ExecuteTask,
    RemoteMethodCompleted,
    RemoteMethodFailed,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    StartByCustomId,
    TaskCompleted,
    TaskFailed,
)
from infinitic_worker._events.readable import (
    Json,
    encoded_meta,
    error_data,
    failure_data,
    readable,
    readable_all,
    requester_data,
)

_COMMANDS = (
    DispatchWorkflow,
    DispatchMethod,
    CancelWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
)
_COMMAND_TYPES = frozenset(
    {
        EventType.DISPATCH,
        EventType.DISPATCH_METHOD,
        EventType.CANCEL,
        EventType.CANCEL_METHOD,
        EventType.RETRY_TASK,
        EventType.RETRY_EXECUTOR,
        EventType.SIGNAL,
    }
)


def task_data(event: TaskEvent, batch: EventBatch) -> Json:
    """The data of an event of a task."""
    data: Json = {
        "serviceName": event.service_name,
        "taskName": event.method_name,
        "retrySequence": event.retry_sequence,
        "retryIndex": event.retry_index,
        "taskTags": sorted(event.tags),
        "taskMeta": encoded_meta(event.meta),
        "requester": requester_data(event.requester),
        "infiniticVersion": batch.version,
    }
    if event.type != EventType.TASK_DISPATCH:
        data["workerName"] = batch.worker_name
    return {**data, **event.names, **_task_content(event.type, _record(event.body))}


def _task_content(event_type: str, record: object) -> Json:
    match record:
        case ExecuteTask() if event_type == EventType.TASK_DISPATCH:
            return {"taskArgs": readable_all(record.arguments)}
        case TaskCompleted() | EncodedValue():
            return {"output": readable(record.value)}
        case ExecuteTask(last_failure=failure) if failure is not None:
            seconds = failure.seconds_before_retry
            return {"failure": failure_data(failure), "secondsBeforeRetry": seconds}
        case TaskFailed() | WorkflowExecutorFailedError():
            return {"failure": failure_data(record.failure)}
        case _ if isinstance(record, DeferredError):
            return error_data(record)
        case _:
            return {}


def workflow_data(event: WorkflowEvent, batch: EventBatch, workflow_name: str) -> Json:
    """The data of an event of a workflow; what is special to its type under its name."""
    record = _record(event.body)
    data: Json = {"workflowName": workflow_name, "infiniticVersion": batch.version}
    if event.type in _COMMAND_TYPES:
        if isinstance(record, _COMMANDS):
            data["requester"] = requester_data(record.requester)
    else:
        data["workerName"] = batch.worker_name
        data["workflowVersion"] = event.workflow_version or 0
        if event.method_id is not None:
            data["methodId"] = event.method_id
            data["methodName"] = event.method_name
    if event.type == EventType.DISPATCH_METHOD:
        data["workflowVersion"] = event.workflow_version or 0
    name = event.type.partition(".")[2]
    content = {**event.names, **_content(event, name, record)}
    return {**data, name: content} if content else data


def _content(event: WorkflowEvent, name: str, record: object) -> Json:  # noqa: PLR0911 - one for each record
    match record:
        case None:
            return _run(event) if name in _RUNS else {}
        case DispatchWorkflow() if event.type == EventType.DISPATCH:
            return {
                "workflowTags": sorted(record.tags),
                "workflowMeta": encoded_meta(record.meta),
            }
        case DispatchWorkflow() | DispatchMethod() if event.type == EventType.DISPATCH_METHOD:
            return _method(record)
        case SendSignal() if event.type == EventType.SIGNAL:
            return _signal(record)
        case CancelWorkflow():
            return {} if record.method_id is None else {"methodId": record.method_id}
        case RetryTasks():
            return {
                "taskId": record.task_id,
                "taskStatus": record.task_status,
                "serviceName": record.service_name,
            }
        case RetryWorkflowTask():
            return {}
        case EncodedValue():
            return {**_run(event), "output": readable(record.value)}
        case _:
            return _happening(event, name, record)


_RUNS = ("methodCompleted", "methodFailed", "methodCanceled", "methodTimedOut")


def _run(event: WorkflowEvent) -> Json:
    return {"methodId": event.method_id, "methodName": event.method_name}


def _happening(event: WorkflowEvent, name: str, record: object) -> Json:  # noqa: PLR0911 - as above
    match record:
        case ExecuteTask() | TaskCompleted() | TaskFailed():
            return _task(record)
        case TimerDispatched():
            return _timer(record)
        case RemoteMethodCompleted():
            return {"output": readable(record.value)}
        case RemoteMethodFailed():
            return cast("Json", error_data(record.error).get(name, error_data(record.error)))
        case DispatchWorkflow() | DispatchMethod() | SendSignal() | StartByCustomId():
            return _sent(record, None)
        case CommandByTag():
            return _sent(_record(record.command), record.tag)
        case _ if isinstance(record, DeferredError):
            return _failed(event, name, record)
        case _:
            return {}


def _failed(event: WorkflowEvent, name: str, error: DeferredError) -> Json:
    told = error_data(error)
    if name == "methodFailed":
        return {**_run(event), **told}
    # executorFailed: why the code failed, whatever that was
    return {**cast("Json", told.get(name, told))}


def _task(record: ExecuteTask | TaskCompleted | TaskFailed) -> Json:
    match record:
        case ExecuteTask():
            return {
                "serviceName": record.service_name,
                "taskName": record.method_name,
                "taskId": record.task_id,
                "taskArgs": readable_all(record.arguments),
                "taskTags": sorted(record.tags),
                "taskMeta": encoded_meta(record.meta),
                "retrySequence": record.retry_sequence,
            }
        case TaskCompleted():
            return {
                "taskId": record.task_id,
                "output": readable(record.value),
                "taskMeta": encoded_meta(record.meta),
            }
        case TaskFailed():
            return {
                "serviceName": record.service_name,
                "taskName": record.method_name,
                "taskId": record.task_id,
                "failure": failure_data(record.failure),
            }


def _timer(record: TimerDispatched) -> Json:
    data: Json = {"timerId": record.timer_id, "emittedAt": record.emitted_at}
    if record.duration_ms is None:
        return {**data, "timerInstant": record.fires_at}
    return {**data, "timerDuration": record.duration_ms}


def _sent(record: object, tag: str | None) -> Json:
    """What a workflow asked another one for."""
    match record:
        case StartByCustomId():
            return _sent(_record(record.start), None)
        case DispatchWorkflow():
            return {
                **_addressed(record, tag),
                **_method(record),
                "workflowTags": sorted(record.tags),
                "workflowMeta": encoded_meta(record.meta),
            }
        case DispatchMethod():
            method = _method(record)
            if tag is not None:
                del method["methodArgs"]
            return {**_addressed(record, tag), **method}
        case SendSignal():
            return {**_addressed(record, tag), **_signal(record)}
        case _:
            return {}


def _addressed(record: DispatchWorkflow | DispatchMethod | SendSignal, tag: str | None) -> Json:
    to: Json = {"workflowId": record.workflow_id} if tag is None else {"workflowTag": tag}
    return {"workflowName": record.workflow_name, **to}


def _method(record: DispatchWorkflow | DispatchMethod) -> Json:
    return {
        "methodName": record.method_name,
        "methodId": record.method_id if isinstance(record, DispatchMethod) else record.workflow_id,
        "methodArgs": readable_all(record.arguments),
    }


def _signal(record: SendSignal) -> Json:
    return {
        "channel": record.channel_name,
        "signalId": record.signal_id,
        "signalData": readable(record.value),
    }


def _record(body: bytes) -> object:
    """What an event tells of; None when there is nothing more, or a newer release told it."""
    if not body:
        return None
    try:
        return decode(body)
    except UndecodableMessage:
        return None
