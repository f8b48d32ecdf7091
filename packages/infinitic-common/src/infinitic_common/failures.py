"""What went wrong, as data: failures of attempts, and outcomes of deferreds that are no success.

They travel in messages and rest in histories; ``infinitic_common.exceptions`` has the exceptions
that users catch, made from these.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from infinitic_common.codec import record
from infinitic_common.serialization import DeserializationError, decode_untyped


@record(1)
@attrs.frozen
class ExceptionDetail:
    """An exception, told to another process.

    Attributes:
        name: Qualified name of its class.
        message: Its text.
        properties: Its public attributes, each encoded self-describing.
        cause: What caused it.
    """

    name: str
    message: str
    properties: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])
    cause: ExceptionDetail | None = None

    def custom_properties(self) -> dict[str, object]:
        """Its public attributes, decoded; a text says so where one cannot be."""
        return {name: _decoded(value) for name, value in self.properties.items()}


def _decoded(value: bytes) -> object:
    try:
        return decode_untyped(value)
    except DeserializationError as error:
        return f"cannot be decoded here: {error}"


@record(2)
@attrs.frozen
class TaskFailure:
    """Why one attempt of a task failed.

    Attributes:
        worker_name: The worker that ran it.
        retry_sequence: Manual retries before this attempt.
        retry_index: Automatic retries before this attempt in this sequence.
        seconds_before_retry: Delay of the next attempt; None after the last one.
        stack_trace: The remote traceback, as text.
        exception: The exception.
        previous: The failure of the attempt before, in this sequence.
    """

    worker_name: str
    retry_sequence: int
    retry_index: int
    seconds_before_retry: float | None
    stack_trace: str
    exception: ExceptionDetail
    previous: TaskFailure | None = None


@record(3)
@attrs.frozen
class TaskFailedError:
    """A task failed after its last attempt."""

    service_name: str
    method_name: str
    task_id: str
    failure: TaskFailure


@record(4)
@attrs.frozen
class TaskTimedOutError:
    """A task gave no result within the time its contract allows."""

    service_name: str
    method_name: str
    task_id: str


@record(5)
@attrs.frozen
class WorkflowFailedError:
    """A method run of a workflow failed because of ``error``."""

    workflow_name: str
    workflow_id: str
    method_name: str
    method_id: str
    error: DeferredError


@record(6)
@attrs.frozen
class WorkflowExecutorFailedError:
    """The code of a workflow raised something of its own."""

    workflow_name: str
    workflow_id: str
    workflow_task_id: str
    failure: TaskFailure


@record(7)
@attrs.frozen
class WorkflowTimedOutError:
    """A method run gave no result within the time its contract allows."""

    workflow_name: str
    workflow_id: str
    method_name: str
    method_id: str


@record(8)
@attrs.frozen
class WorkflowCanceledError:
    """A method run was cancelled."""

    workflow_name: str
    workflow_id: str
    method_name: str | None
    method_id: str | None


@record(9)
@attrs.frozen
class WorkflowUnknownError:
    """No such workflow, or no such method run, exists or is remembered."""

    workflow_name: str
    workflow_id: str
    method_name: str | None
    method_id: str | None


DeferredError = (
    TaskFailedError
    | TaskTimedOutError
    | WorkflowFailedError
    | WorkflowExecutorFailedError
    | WorkflowTimedOutError
    | WorkflowCanceledError
    | WorkflowUnknownError
)
"""Why a deferred has no value."""
