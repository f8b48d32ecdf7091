"""Events that tell of the messages applied, whatever they led to.

What an event says is made from the message, so that a message delivered again tells the same.
"""

from __future__ import annotations

from infinitic_common.codec import encode
from infinitic_common.command_ids import command_id
from infinitic_common.events import EventType, PlainEvent, workflow_event
from infinitic_common.failures import (
    WorkflowCanceledError,
    WorkflowTimedOutError,
    WorkflowUnknownError,
)
from infinitic_common.history import (
    ChildWorkflowCommand,
    RemoteMethodCommand,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.messages import (
    CancelWorkflow,
    DispatchMethod,
    DispatchWorkflow,
    RemoteMethodCompleted,
    RemoteMethodFailed,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    StateEngineMessage,
    TaskCompleted,
    TaskFailed,
    TaskTimedOut,
    TimerCompleted,
)
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import Turn

_COMMANDS: dict[type, str] = {
    DispatchWorkflow: EventType.DISPATCH,
    DispatchMethod: EventType.DISPATCH_METHOD,
    CancelWorkflow: EventType.CANCEL,
    RetryTasks: EventType.RETRY_TASK,
    RetryWorkflowTask: EventType.RETRY_EXECUTOR,
    SendSignal: EventType.SIGNAL,
}
_HAPPENINGS: dict[type, str] = {
    TaskCompleted: EventType.WORKFLOW_TASK_COMPLETED,
    TaskFailed: EventType.WORKFLOW_TASK_FAILED,
    TaskTimedOut: EventType.WORKFLOW_TASK_TIMED_OUT,
    TimerCompleted: EventType.TIMER_COMPLETED,
    RemoteMethodCompleted: EventType.REMOTE_METHOD_COMPLETED,
    RemoteMethodFailed: EventType.REMOTE_METHOD_FAILED,
}
_REMOTE_ERRORS: dict[type, str] = {
    WorkflowCanceledError: EventType.REMOTE_METHOD_CANCELED,
    WorkflowTimedOutError: EventType.REMOTE_METHOD_TIMED_OUT,
    WorkflowUnknownError: EventType.REMOTE_METHOD_UNKNOWN,
}

Happening = (
    TaskCompleted
    | TaskFailed
    | TaskTimedOut
    | TimerCompleted
    | RemoteMethodCompleted
    | RemoteMethodFailed
)


def is_command(message: StateEngineMessage) -> bool:
    """Whether events tell of it as asked for, whatever it leads to."""
    return type(message) in _COMMANDS


def events_of(message: StateEngineMessage, turn: Turn) -> list[PlainEvent]:
    """What events tell of a message; asked for before it is applied."""
    if turn.events is None:
        return []
    body = turn.cause_body or encode(message)
    if type(message) is TaskCompleted:
        return [_result(message, turn.state, body)]
    if isinstance(message, DispatchWorkflow):
        # Listeners make the start of the main run from it, too.
        return [body]
    if type(message) in _COMMANDS:
        return [_command(message, turn.state, body)]
    if isinstance(message, Happening):
        return [_happening(message, turn.state, body)]
    return []


def tell_cause(told: list[PlainEvent], index: int, turn: Turn) -> None:
    """Tell of a message, before what it led to."""
    if told and turn.events is not None:
        turn.events[index:index] = told


def _command(message: StateEngineMessage, state: WorkflowState | None, body: bytes) -> PlainEvent:
    event_type = _COMMANDS[type(message)]
    if isinstance(message, CancelWorkflow) and message.method_id is not None:
        event_type = EventType.CANCEL_METHOD
    return workflow_event(
        event_type,
        message.message_id,
        message.emitted_at,
        message.workflow_id,
        body,
        workflow_version=None if state is None else state.workflow_version,
    )


def _result(message: TaskCompleted, state: WorkflowState | None, body: bytes) -> PlainEvent:
    run = None if state is None else state.methods.get(message.method_id)
    command = None if run is None else run.commands.get(message.position)
    if state is None or run is None or not isinstance(command, TaskCommand):
        return (245, body, "", "", "", None)
    service, method = command.service_name, command.method_name
    return (245, body, service, method, run.method_name, state.workflow_version)


def _happening(message: Happening, state: WorkflowState | None, body: bytes) -> PlainEvent:
    event_type = _HAPPENINGS[type(message)]
    if isinstance(message, RemoteMethodFailed):
        event_type = _REMOTE_ERRORS.get(type(message.error), event_type)
    run = None if state is None else state.methods.get(message.method_id)
    return workflow_event(
        event_type,
        message.message_id,
        message.emitted_at,
        message.workflow_id,
        body,
        message.method_id,
        None if run is None else run.method_name,
        None if state is None else state.workflow_version,
        {} if run is None else _names(message, run),
    )


def _names(message: Happening, run: MethodRun) -> dict[str, object]:
    """What the message does not tell of the command that it is about."""
    match run.commands.get(message.position):
        case TaskCommand(service_name=service, method_name=method):
            task_id = getattr(message, "task_id", None)
            return {"serviceName": service, "taskName": method, "taskId": task_id}
        case TimerCommand():
            return {"timerId": _command_id(message)}
        case ChildWorkflowCommand() as child:
            target = _command_id(message)
            return _remote(child.workflow_name, target, child.method_name, target)
        case RemoteMethodCommand() as method:
            name, workflow_id = method.workflow_name, method.workflow_id
            return _remote(name, workflow_id, method.method_name, _command_id(message))
        case _:
            return {}


def _remote(name: str, workflow_id: str | None, method: str, method_id: str) -> dict[str, object]:
    return {
        "workflowName": name,
        "workflowId": workflow_id,
        "methodName": method,
        "methodId": method_id,
    }


def _command_id(message: Happening) -> str:
    return command_id(message.workflow_id, message.method_id, message.position)
