"""To tag engines."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from infinitic_common.codec import record
from infinitic_common.failures import TaskFailure
from infinitic_common.requesters import Requester


@record(180)
@attrs.frozen
class AddTagToWorkflow:
    """A workflow carries a tag from now on."""

    message_id: str
    workflow_name: str
    workflow_id: str
    tag: str


@record(181)
@attrs.frozen
class RemoveTagFromWorkflow:
    """A workflow has ended: its tag finds it no more."""

    message_id: str
    workflow_name: str
    workflow_id: str
    tag: str


@record(182)
@attrs.frozen
class GetWorkflowIdsByTag:
    """Tell a client which running workflows have a tag."""

    message_id: str
    workflow_name: str
    tag: str
    request_id: str
    requester: Requester


@record(190)
@attrs.frozen
class AddTagToTask:
    """A task carries a tag from now on."""

    message_id: str
    service_name: str
    task_id: str
    tag: str


@record(191)
@attrs.frozen
class RemoveTagFromTask:
    """A task has ended: its tag finds it no more."""

    message_id: str
    service_name: str
    task_id: str
    tag: str


@record(192)
@attrs.frozen
class GetTaskIdsByTag:
    """Tell a client which running tasks have a tag."""

    message_id: str
    service_name: str
    tag: str
    request_id: str
    requester: Requester


@record(183)
@attrs.frozen
class CommandByTag:
    """Give a command to every running workflow that has a tag, page by page.

    Attributes:
        command: The encoded command, a ``DispatchMethod``, ``SendSignal``, ``CancelWorkflow``,
            ``CompleteTimers``, ``RetryTasks`` or ``RetryWorkflowTask`` whose ``workflow_id`` is
            empty; each workflow gets it with its own id, and with a message id made of both.
        requester: Who asked. A workflow does not signal or cancel itself by tag; one that calls a
            method by a tag that nothing has is told that it is unknown.
        cursor: Where the page begins; None for the first one.
    """

    message_id: str
    workflow_name: str
    tag: str
    command: bytes
    requester: Requester
    cursor: str | None = None


@record(184)
@attrs.frozen
class StartByCustomId:
    """Start a workflow unless a running one has its custom id.

    A client is told with ``CustomIdClaimed`` whose the id is. A workflow that loses gets the
    outcome of the instance that has it.

    Attributes:
        tag: The custom id, with its ``customId:``; also one of the start's tags.
        start: The encoded ``DispatchWorkflow``.
        request_id: What the answer to a client names; None when no answer is wanted.
    """

    message_id: str
    workflow_name: str
    tag: str
    start: bytes
    requester: Requester
    request_id: str | None = None


@record(193)
@attrs.frozen
class RegisterDelegatedTask:
    """The code of a delegated task has returned: its outcome will come from elsewhere.

    Attributes:
        requester: Who waits for the task.
        meta: The meta of the task, as its code left it.
        retry_sequence: Manual retries before this attempt; a failure is told as one of it.
        retry_index: Automatic retries before this attempt, in this sequence.
        tags: Removed when the outcome is there.
    """

    message_id: str
    service_name: str
    task_id: str
    method_name: str
    requester: Requester
    meta: Mapping[str, bytes]
    emitted_at: int
    retry_sequence: int = 0
    retry_index: int = 0
    tags: frozenset[str] = frozenset()


@record(194)
@attrs.frozen
class CompleteDelegatedTask:
    """The value of a delegated task; it may overtake the registration of the task."""

    message_id: str
    service_name: str
    task_id: str
    value: bytes
    emitted_at: int


@record(195)
@attrs.frozen
class FailDelegatedTask:
    """A delegated task failed; it may overtake the registration of the task."""

    message_id: str
    service_name: str
    task_id: str
    failure: TaskFailure
    emitted_at: int
