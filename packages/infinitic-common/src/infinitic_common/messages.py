"""Every message, by the topic it travels on.

All have a ``message_id`` that is the same when the same message is made or sent again, and
``emitted_at`` (milliseconds since the epoch) where time matters: it is the only clock that the
state engine knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import attrs

from infinitic_common.codec import decode, encode, record
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.failures import DeferredError, TaskFailure
from infinitic_common.requesters import Requester
from infinitic_common.transport import OutgoingMessage, ReceivedMessage, Topic, TopicKind

# --- to the state engine: what clients and other workflows ask (workflow-state-cmd) --------------


@record(100)
@attrs.frozen
class DispatchWorkflow:
    """Start a workflow; its first method run has the id of the workflow."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    tags: frozenset[str]
    meta: Mapping[str, bytes]
    requester: Requester
    client_waiting: bool
    emitted_at: int


@record(101)
@attrs.frozen
class DispatchMethod:
    """Run a method on a running workflow."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    requester: Requester
    client_waiting: bool
    emitted_at: int


@record(102)
@attrs.frozen
class WaitWorkflow:
    """Tell the requester when a method run ends or fails; at once when it already has."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    requester: Requester
    emitted_at: int


@record(103)
@attrs.frozen
class SendSignal:
    """A signal for a channel; ``value_types`` names the class of the value and its parents."""

    message_id: str
    workflow_name: str
    workflow_id: str
    channel_name: str
    signal_id: str
    value: bytes
    value_types: tuple[str, ...]
    requester: Requester
    emitted_at: int


@record(104)
@attrs.frozen
class CancelWorkflow:
    """Cancel a method run, or all of them (``method_id`` None)."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str | None
    requester: Requester
    emitted_at: int


@record(105)
@attrs.frozen
class CompleteTimers:
    """End now the running timers of a method run, or of all (``method_id`` None)."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str | None
    requester: Requester
    emitted_at: int


@record(106)
@attrs.frozen
class RetryTasks:
    """Run again the tasks that match every given filter."""

    message_id: str
    workflow_name: str
    workflow_id: str
    task_id: str | None
    task_status: str | None
    service_name: str | None
    requester: Requester
    emitted_at: int


@record(107)
@attrs.frozen
class RetryWorkflowTask:
    """Run again the code of every stalled method run."""

    message_id: str
    workflow_name: str
    workflow_id: str
    requester: Requester
    emitted_at: int


@record(108)
@attrs.frozen
class QueryWorkflow:
    """Answer a question about a workflow, without changing it.

    Attributes:
        request_id: What the answer names.
        query: ``status``, ``state`` or ``property``.
        argument: The name of the property.
    """

    message_id: str
    workflow_name: str
    workflow_id: str
    request_id: str
    query: str
    argument: str | None
    requester: Requester
    emitted_at: int


# --- to the state engine: what happened (workflow-state-engine) ----------------------------------


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


# --- to executors --------------------------------------------------------------------------------


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


# --- to clients (client-response) ----------------------------------------------------------------


@record(160)
@attrs.frozen
class MethodCompleted:
    """The method run that a client waits for has a value."""

    message_id: str
    client_name: str
    workflow_id: str
    method_id: str
    value: bytes


@record(161)
@attrs.frozen
class MethodFailed:
    """The method run that a client waits for failed, was cancelled, or is unknown."""

    message_id: str
    client_name: str
    workflow_id: str
    method_id: str
    error: DeferredError


@record(162)
@attrs.frozen
class QueryAnswered:
    """The answer to a ``QueryWorkflow``: plain CBOR data, or None for an unknown workflow."""

    message_id: str
    client_name: str
    request_id: str
    answer: bytes | None


@record(163)
@attrs.frozen
class WorkflowIdsByTag:
    """The running workflows that have a tag."""

    message_id: str
    client_name: str
    request_id: str
    workflow_ids: tuple[str, ...]


@record(164)
@attrs.frozen
class TaskIdsByTag:
    """The running tasks that have a tag."""

    message_id: str
    client_name: str
    request_id: str
    task_ids: tuple[str, ...]


# --- to tag engines ------------------------------------------------------------------------------


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


WorkflowCommandMessage = (
    DispatchWorkflow
    | DispatchMethod
    | WaitWorkflow
    | SendSignal
    | CancelWorkflow
    | CompleteTimers
    | RetryTasks
    | RetryWorkflowTask
    | QueryWorkflow
)
WorkflowEngineMessage = (
    TaskCompleted
    | TaskFailed
    | TaskTimedOut
    | TimerCompleted
    | RemoteMethodCompleted
    | RemoteMethodFailed
    | WorkflowTaskCompleted
    | WorkflowTaskTimedOut
)
StateEngineMessage = WorkflowCommandMessage | WorkflowEngineMessage
ClientMessage = MethodCompleted | MethodFailed | QueryAnswered | WorkflowIdsByTag | TaskIdsByTag
WorkflowTagMessage = AddTagToWorkflow | RemoveTagFromWorkflow | GetWorkflowIdsByTag
ServiceTagMessage = AddTagToTask | RemoveTagFromTask | GetTaskIdsByTag
ExecutorMessage = ExecuteTask | ExecuteWorkflowTask
Message = (
    StateEngineMessage | ClientMessage | WorkflowTagMessage | ServiceTagMessage | ExecutorMessage
)

_COMMANDS = WorkflowCommandMessage.__args__
_HAPPENINGS = WorkflowEngineMessage.__args__
_KIND: dict[type, TopicKind] = {
    **dict.fromkeys(_COMMANDS, TopicKind.WORKFLOW_STATE_CMD),
    **dict.fromkeys(_HAPPENINGS, TopicKind.WORKFLOW_STATE_ENGINE),
    **dict.fromkeys(ClientMessage.__args__, TopicKind.CLIENT_RESPONSE),
    **dict.fromkeys(WorkflowTagMessage.__args__, TopicKind.WORKFLOW_TAG_ENGINE),
    **dict.fromkeys(ServiceTagMessage.__args__, TopicKind.SERVICE_TAG_ENGINE),
    ExecuteTask: TopicKind.SERVICE_EXECUTOR,
    ExecuteWorkflowTask: TopicKind.WORKFLOW_EXECUTOR,
}
_ENTITY: dict[TopicKind, str] = {
    TopicKind.CLIENT_RESPONSE: "client_name",
    TopicKind.SERVICE_EXECUTOR: "service_name",
    TopicKind.SERVICE_TAG_ENGINE: "service_name",
}
_KEY: dict[TopicKind, str] = {
    TopicKind.WORKFLOW_STATE_CMD: "workflow_id",
    TopicKind.WORKFLOW_STATE_ENGINE: "workflow_id",
    TopicKind.WORKFLOW_EXECUTOR: "workflow_id",
    TopicKind.WORKFLOW_TAG_ENGINE: "tag",
    TopicKind.SERVICE_TAG_ENGINE: "tag",
}
_PROPERTIES = ("workflow_name", "workflow_id", "method_id", "position", "service_name", "task_id")


@attrs.frozen
class _Route:
    kind: TopicKind
    entity: str
    key: str | None
    properties: tuple[str, ...]


def _route(cls: type) -> _Route:
    kind = _KIND[cls]
    names = {field.name for field in attrs.fields(cls)}
    properties = tuple(name for name in _PROPERTIES if name in names)
    return _Route(kind, _ENTITY.get(kind, "workflow_name"), _KEY.get(kind), properties)


_ROUTES = {cls: _route(cls) for cls in _KIND}


def topic_of(message: Message) -> Topic:
    """The topic that a message is for, when it is not delayed."""
    route = _ROUTES[type(message)]
    return Topic(route.kind, getattr(message, route.entity))


def to_outgoing(message: Message, *, deliver_at: int | None = None) -> OutgoingMessage:
    """The message, ready to publish."""
    route = _ROUTES[type(message)]
    properties = {name: str(getattr(message, name)) for name in route.properties}
    if isinstance(message, ExecuteTask):
        properties |= _requester_properties(message.requester)
    return OutgoingMessage(
        id=message.message_id,
        body=encode(message),
        key=getattr(message, route.key) if route.key else None,
        properties=properties,
        deliver_at=deliver_at,
    )


def _requester_properties(requester: Requester) -> dict[str, str]:
    """What a dead letter needs to be reported to whoever waits for it."""
    if not hasattr(requester, "workflow_id"):
        return {}
    names = ("workflow_name", "workflow_id", "method_id", "position")
    return {name: str(getattr(requester, name)) for name in names}


def from_received(received: ReceivedMessage) -> Message:
    """The message that was received.

    Raises:
        UndecodableMessage: Its body is no message known to this release.
    """
    message = decode(received.body)
    if type(message) not in _KIND:
        msg = f"message {received.id} on {received.topic} is no message: {type(message).__name__}"
        raise UndecodableMessage(msg)
    return cast("Message", message)
