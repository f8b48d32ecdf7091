"""To the state engine: what happened (workflow-state-engine, and delayed workflow-state-timer)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from infinitic_common.codec import record
from infinitic_common.failures import DeferredError, TaskFailure


@record(120)
@attrs.frozen
class TaskCompleted:
    """A task of this workflow has a value."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    position: int
    task_id: str
    value: bytes
    meta: Mapping[str, bytes]
    emitted_at: int


@record(121)
@attrs.frozen
class TaskFailed:
    """A task of this workflow failed after its last attempt.

    ``deferred_error`` is set when the task itself waited for a workflow, which failed.
    """

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    position: int
    task_id: str
    service_name: str
    method_name: str
    failure: TaskFailure
    emitted_at: int
    deferred_error: DeferredError | None = None


@record(122)
@attrs.frozen
class TaskTimedOut:
    """The time that the contract of a task allows is over (delayed)."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    position: int
    task_id: str
    emitted_at: int


@record(123)
@attrs.frozen
class TimerCompleted:
    """A timer is due (delayed); ``emitted_at`` is its scheduled instant."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    position: int
    emitted_at: int


@record(124)
@attrs.frozen
class RemoteMethodCompleted:
    """A child workflow, or a method run on another workflow, has a value."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    position: int
    value: bytes
    emitted_at: int


@record(125)
@attrs.frozen
class RemoteMethodFailed:
    """A child workflow, or a method run on another workflow, has no value, as ``error`` says.

    It failed, timed out, was cancelled or is unknown.
    """

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    position: int
    error: DeferredError
    emitted_at: int


@record(126)
@attrs.frozen
class WorkflowTaskCompleted:
    """A remote workflow task ended; ``result`` is the encoded ``WorkflowTaskResult``."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    workflow_task_id: str
    result: bytes
    emitted_at: int


@record(127)
@attrs.frozen
class WorkflowTaskTimedOut:
    """The deadline of a remote workflow task is over (delayed)."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    workflow_task_id: str
    emitted_at: int


@record(128)
@attrs.frozen
class WorkflowTaskRetryDue:
    """The retry policy of a workflow's executor lets a failed run go on now (delayed).

    Attributes:
        workflow_task_id: The workflow task that failed; another one since makes this void.
        retry_index: Automatic retries before.
    """

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    workflow_task_id: str
    retry_index: int
    emitted_at: int
