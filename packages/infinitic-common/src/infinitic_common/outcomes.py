"""From records of failures to the exceptions that users catch, and back."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, cast

from infinitic_common import exceptions as raised
from infinitic_common import failures as told
from infinitic_common._attributes import attributes_of
from infinitic_common.failures import DeferredError, ExceptionDetail, TaskFailure
from infinitic_common.serialization import SerializationError, encode_untyped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST_TRACE = 20_000
_LONGEST_MESSAGE = 10_000
_MOST_CAUSES = 10


def to_exception(  # noqa: PLR0911 - one for each outcome
    error: DeferredError,
) -> raised.DeferredException:
    """The exception of an outcome that is no success; a new one each time.

    The traceback of the process where it went wrong is among its notes, so that an uncaught one
    shows both sides.
    """
    match error:
        case told.TaskFailedError(service, method, task_id, failure):
            return _noted(raised.TaskFailed(service, method, task_id, failure), failure)
        case told.TaskTimedOutError(service, method, task_id):
            return raised.TaskTimedOut(service, method, task_id)
        case told.WorkflowFailedError(name, workflow_id, method, method_id, inner):
            cause = to_exception(inner)
            failed = raised.WorkflowFailed(name, workflow_id, method, method_id, cause)
            failed.__cause__ = cause
            return failed
        case told.WorkflowExecutorFailedError(name, workflow_id, task_id, failure):
            executor = raised.WorkflowExecutorFailed(name, workflow_id, task_id, failure)
            return _noted(executor, failure)
        case told.WorkflowTimedOutError(name, workflow_id, method, method_id):
            return raised.WorkflowTimedOut(name, workflow_id, method, method_id)
        case told.WorkflowCanceledError(name, workflow_id, method_or_none, run):
            return raised.WorkflowCanceled(name, workflow_id, method_or_none, run)
        case told.WorkflowUnknownError(name, workflow_id, method_or_none, run):
            return raised.WorkflowUnknown(name, workflow_id, method_or_none, run)


def _noted(exception: raised.DeferredException, failure: TaskFailure) -> raised.DeferredException:
    if failure.stack_trace:
        exception.add_note(f"On {failure.worker_name}:\n{failure.stack_trace.rstrip()}")
    return exception


def error_of(exception: raised.DeferredException) -> DeferredError | None:
    """The record that gives this exception again; None for ``DeferredTimeout``, which has none.

    A ``DeferredTimeout`` that the code of a workflow does not catch is an error of that code.
    """
    match exception:
        case raised.TaskFailed():
            return told.TaskFailedError(
                exception.service_name,
                exception.method_name,
                exception.task_id,
                exception.last_failure,
            )
        case raised.TaskTimedOut(service_name=service, method_name=method, task_id=task_id):
            return told.TaskTimedOutError(service, method, task_id)
        case raised.WorkflowExecutorFailed():
            return told.WorkflowExecutorFailedError(
                exception.workflow_name,
                exception.workflow_id,
                exception.workflow_task_id,
                exception.last_failure,
            )
        case raised.WorkflowFailed():
            return _workflow_failed(exception)
        case _:
            return _workflow_ended(exception)


def _workflow_failed(exception: raised.WorkflowFailed) -> DeferredError | None:
    inner = error_of(exception.cause)
    return inner and told.WorkflowFailedError(
        exception.workflow_name,
        exception.workflow_id,
        exception.method_name,
        exception.method_id,
        inner,
    )


def _workflow_ended(exception: raised.DeferredException) -> DeferredError | None:
    match exception:
        case raised.WorkflowTimedOut(workflow_name, workflow_id, method_name, method_id):
            return told.WorkflowTimedOutError(workflow_name, workflow_id, method_name, method_id)
        case raised.WorkflowCanceled(workflow_name, workflow_id, method_or_none, run):
            return told.WorkflowCanceledError(workflow_name, workflow_id, method_or_none, run)
        case raised.WorkflowUnknown(workflow_name, workflow_id, method_or_none, run):
            return told.WorkflowUnknownError(workflow_name, workflow_id, method_or_none, run)
        case _:
            return None


def failure_of(  # noqa: PLR0913 - the fields of the record
    exception: BaseException,
    *,
    worker_name: str,
    retry_sequence: int = 0,
    retry_index: int = 0,
    seconds_before_retry: float | None = None,
    previous: TaskFailure | None = None,
) -> TaskFailure:
    """Why an attempt failed, from the exception that it raised.

    Args:
        exception: The exception.
        worker_name: The worker that ran the attempt.
        retry_sequence: Manual retries before this attempt.
        retry_index: Automatic retries before this attempt in this sequence.
        seconds_before_retry: Delay of the next attempt, in seconds; None when there is none.
        previous: The failure of the attempt before, in this sequence.
    """
    return TaskFailure(
        worker_name=worker_name,
        retry_sequence=retry_sequence,
        retry_index=retry_index,
        seconds_before_retry=seconds_before_retry,
        stack_trace=_trace(exception),
        exception=detail_of(exception),
        previous=previous,
    )


def _trace(exception: BaseException) -> str:
    """The traceback as text; of a very long one the end, which says what was raised."""
    text = _sendable("".join(traceback.format_exception(exception)))
    return text if len(text) <= _LONGEST_TRACE else f"…{text[-_LONGEST_TRACE:]}"


def detail_of(exception: BaseException) -> ExceptionDetail:
    """An exception as data: its name, its text, its public attributes and what caused it."""
    chain = list(_causes(exception))
    detail: ExceptionDetail | None = None
    for one in reversed(chain):
        detail = ExceptionDetail(name_of(type(one)), _message(one), _properties(one), detail)
    return cast("ExceptionDetail", detail)


def name_of(cls: type) -> str:
    """The qualified name of a class; of a built-in one just its name."""
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )


def _causes(exception: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    current: BaseException | None = exception
    while current is not None and current not in seen and len(seen) < _MOST_CAUSES:
        seen.append(current)
        yield current
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )


def _message(exception: BaseException) -> str:
    try:
        text = str(exception)
    except Exception:  # noqa: BLE001 - the text comes from user code
        text = repr(exception.args)
    text = _sendable(text)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"


def _sendable(text: str) -> str:
    """A text whose lone surrogates, as in names of files that are no UTF-8, are escaped."""
    return text.encode(errors="backslashreplace").decode()


def _properties(exception: BaseException) -> Mapping[str, bytes]:
    # What an exception of ours tells is in its text and in the record it came from.
    if isinstance(exception, raised.InfiniticError):
        return {}
    attributes = attributes_of(exception).items()
    return {name: _encoded(value) for name, value in attributes if not name.startswith("_")}


def _encoded(value: object) -> bytes:
    try:
        return encode_untyped(value)
    except SerializationError:
        return encode_untyped(f"cannot be encoded: {name_of(type(value))}")
