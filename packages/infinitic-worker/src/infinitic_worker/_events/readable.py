"""Parts of the data of events, in terms of JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping

from infinitic_common.failures import (
    DeferredError,
    ExceptionDetail,
    TaskFailedError,
    TaskFailure,
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowExecutorFailedError,
    WorkflowFailedError,
    WorkflowTimedOutError,
    WorkflowUnknownError,
)
from infinitic_common.requesters import ClientRequester, Requester
from infinitic_common.serialization import DeserializationError, to_json

Json = dict[str, object]


def readable(value: bytes) -> object:
    """A user's value; a text that says so when its bytes are damaged."""
    try:
        return to_json(value)
    except DeserializationError as error:
        return f"cannot be read: {error}"


def readable_all(values: Iterable[bytes]) -> list[object]:
    """Users' values."""
    return [readable(value) for value in values]


def encoded_meta(meta: Mapping[str, bytes]) -> Json:
    """Meta data: whatever bytes users put there, in Base64."""
    return {name: b64encode(value).decode() for name, value in meta.items()}


def requester_data(requester: Requester) -> Json:
    """Who asked for something."""
    if isinstance(requester, ClientRequester):
        return {"clientName": requester.client_name}
    return {
        "workflowName": requester.workflow_name,
        "workflowId": requester.workflow_id,
        "workflowVersion": requester.workflow_version,
        "methodName": requester.method_name,
        "methodId": requester.method_id,
    }


def failure_data(failure: TaskFailure) -> Json:
    """Why an attempt failed, and the attempts before it."""
    previous = failure.previous
    return {
        "workerName": failure.worker_name,
        "retrySequence": failure.retry_sequence,
        "retryIndex": failure.retry_index,
        "secondsBeforeRetry": failure.seconds_before_retry,
        "error": _exception_data(failure.exception),
        "stackTrace": failure.stack_trace,
        "previousFailure": None if previous is None else failure_data(previous),
    }


def _exception_data(detail: ExceptionDetail) -> Json:
    return {
        "name": detail.name,
        "message": detail.message,
        "customProperties": {name: readable(value) for name, value in detail.properties.items()},
        "cause": None if detail.cause is None else _exception_data(detail.cause),
    }


def error_data(error: DeferredError) -> Json:
    """Why something has no value, under the name of what happened."""
    match error:
        case TaskFailedError(service, method, task_id, failure):
            task = _task(service, method, task_id)
            return {"taskFailed": {**task, "failure": failure_data(failure)}}
        case TaskTimedOutError(service, method, task_id):
            return {"taskTimedOut": _task(service, method, task_id)}
        case WorkflowExecutorFailedError(name, workflow_id, task_id, failure):
            executor = {"workflowName": name, "workflowId": workflow_id, "taskId": task_id}
            return {"executorFailed": {**executor, "failure": failure_data(failure)}}
        case WorkflowFailedError(name, workflow_id, method, method_id, inner):
            run = _run(name, workflow_id, method, method_id)
            return {"remoteMethodFailed": {**run, **error_data(inner)}}
        case _:
            return _ended(error)


def _ended(
    error: WorkflowTimedOutError | WorkflowCanceledError | WorkflowUnknownError,
) -> Json:
    run = _run(error.workflow_name, error.workflow_id, error.method_name, error.method_id)
    match error:
        case WorkflowTimedOutError():
            return {"remoteMethodTimedOut": run}
        case WorkflowCanceledError():
            return {"remoteMethodCanceled": run}
        case WorkflowUnknownError():
            return {"remoteMethodUnknown": run}


def _task(service: str, method: str, task_id: str) -> Json:
    return {"serviceName": service, "taskName": method, "taskId": task_id}


def _run(name: str, workflow_id: str, method: str | None, method_id: str | None) -> Json:
    return {
        "workflowName": name,
        "workflowId": workflow_id,
        "methodName": method,
        "methodId": method_id,
    }
