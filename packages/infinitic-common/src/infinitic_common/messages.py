"""Every message, by the topic it travels on.

All have a ``message_id`` that is the same when the same message is made or sent again, and
``emitted_at`` (milliseconds since the epoch) where time matters: it is the only clock that the
state engine knows.
"""

from __future__ import annotations

from typing import cast

import attrs

from infinitic_common._messages.answers import (
    CustomIdClaimed,
    MethodCompleted,
    MethodFailed,
    QueryAnswered,
    TaskIdsByTag,
    WorkflowIdsByTag,
)
from infinitic_common._messages.commands import (
    CancelWorkflow,
    CompleteTimers,
    DispatchMethod,
    DispatchWorkflow,
    QueryWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    WaitWorkflow,
)
from infinitic_common._messages.executions import (
    ExecuteTask,
    ExecuteWorkflowTask,
)
from infinitic_common._messages.happenings import (
    RemoteMethodCompleted,
    RemoteMethodFailed,
    TaskCompleted,
    TaskFailed,
    TaskTimedOut,
    TimerCompleted,
    WorkflowTaskCompleted,
    WorkflowTaskRetryDue,
    WorkflowTaskTimedOut,
)
from infinitic_common._messages.tags import (
    AddTagToTask,
    AddTagToWorkflow,
    CommandByTag,
    CompleteDelegatedTask,
    FailDelegatedTask,
    GetTaskIdsByTag,
    GetWorkflowIdsByTag,
    RegisterDelegatedTask,
    RemoveTagFromTask,
    RemoveTagFromWorkflow,
    StartByCustomId,
)
from infinitic_common.codec import decode, encode
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.requesters import Requester
from infinitic_common.telemetry import watched_decoder
from infinitic_common.transport import OutgoingMessage, ReceivedMessage, Topic, TopicKind

__all__ = [
    "AddTagToTask",
    "AddTagToWorkflow",
    "CancelWorkflow",
    "ClientMessage",
    "CommandByTag",
    "CompleteDelegatedTask",
    "CompleteTimers",
    "CustomIdClaimed",
    "DispatchMethod",
    "DispatchWorkflow",
    "ExecuteTask",
    "ExecuteWorkflowTask",
    "ExecutorMessage",
    "FailDelegatedTask",
    "GetTaskIdsByTag",
    "GetWorkflowIdsByTag",
    "Message",
    "MethodCompleted",
    "MethodFailed",
    "QueryAnswered",
    "QueryWorkflow",
    "RegisterDelegatedTask",
    "RemoteMethodCompleted",
    "RemoteMethodFailed",
    "RemoveTagFromTask",
    "RemoveTagFromWorkflow",
    "RetryTasks",
    "RetryWorkflowTask",
    "SendSignal",
    "ServiceTagMessage",
    "StartByCustomId",
    "StateEngineMessage",
    "TaskCompleted",
    "TaskFailed",
    "TaskIdsByTag",
    "TaskTimedOut",
    "TimerCompleted",
    "WaitWorkflow",
    "WorkflowCommandMessage",
    "WorkflowEngineMessage",
    "WorkflowIdsByTag",
    "WorkflowTagMessage",
    "WorkflowTaskCompleted",
    "WorkflowTaskRetryDue",
    "WorkflowTaskTimedOut",
    "from_received",
    "to_outgoing",
    "topic_of",
]

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
    | WorkflowTaskRetryDue
)
StateEngineMessage = WorkflowCommandMessage | WorkflowEngineMessage
ClientMessage = (
    MethodCompleted
    | MethodFailed
    | QueryAnswered
    | WorkflowIdsByTag
    | TaskIdsByTag
    | CustomIdClaimed
)
WorkflowTagMessage = (
    AddTagToWorkflow | RemoveTagFromWorkflow | GetWorkflowIdsByTag | CommandByTag | StartByCustomId
)
ServiceTagMessage = (
    AddTagToTask
    | RemoveTagFromTask
    | GetTaskIdsByTag
    | RegisterDelegatedTask
    | CompleteDelegatedTask
    | FailDelegatedTask
)
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
_KEY_OF: dict[type, str] = dict.fromkeys(
    (RegisterDelegatedTask, CompleteDelegatedTask, FailDelegatedTask), "task_id"
)
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
    key = _KEY_OF.get(cls, _KEY.get(kind))
    return _Route(kind, _ENTITY.get(kind, "workflow_name"), key, properties)


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
    watched = watched_decoder.get()
    message = decode(received.body) if watched is None else watched(received)
    if type(message) not in _KIND:
        msg = f"message {received.id} on {received.topic} is no message: {type(message).__name__}"
        raise UndecodableMessage(msg)
    return cast("Message", message)
