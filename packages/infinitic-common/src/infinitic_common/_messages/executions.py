"""To executors."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from infinitic_common.codec import record
from infinitic_common.failures import TaskFailure
from infinitic_common.requesters import Requester


@record(140)
@attrs.frozen
class ExecuteTask:
    """Run a task.

    Attributes:
        retry_sequence: Manual retries before.
        retry_index: Automatic retries before, in this sequence.
        last_failure: Of the attempt before, in this sequence.
    """

    message_id: str
    service_name: str
    task_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    tags: frozenset[str]
    meta: Mapping[str, bytes]
    requester: Requester
    retry_sequence: int = 0
    retry_index: int = 0
    last_failure: TaskFailure | None = None
    emitted_at: int = 0


@record(141)
@attrs.frozen
class ExecuteWorkflowTask:
    """Run a workflow task away from the engine; ``task`` is the encoded ``WorkflowTask``."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    workflow_task_id: str
    task: bytes
    emitted_at: int
    retry_index: int = 0
