"""Events of a turn: what is told of the messages applied, and of what they led to.

What an event says is made from the message, so that a message delivered again tells the same. Events
that nothing but this turn knows of are remembered with its effects, until the broker has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from infinitic_common.codec import encode
from infinitic_common.command_ids import command_id
from infinitic_common.events import EncodedValue, EventType, PlainEvent, workflow_event
from infinitic_common.failures import (
    DeferredError,
    WorkflowCanceledError,
    WorkflowTimedOutError,
    WorkflowUnknownError,
)
from infinitic_common.history import (
    ChildWorkflowCommand,
    MethodStarted,
    RemoteMethodCommand,
    SendSignalCommand,
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
from infinitic_workflow_engine._core.dispatches import requester_of
from infinitic_workflow_engine._core.outbox import CommandsEffect, Effect, ToldEffect
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
Plain = Sequence[object]

_BODY = 5
"""Where the array of an event has its body; the method id comes next."""

Happening = (
    TaskCompleted
    | TaskFailed
    | TaskTimedOut
    | TimerCompleted
    | RemoteMethodCompleted
    | RemoteMethodFailed
)

# --- messages applied ---------------------------------------------------------------------------


def is_command(message: StateEngineMessage) -> bool:
    """Whether events tell of it as asked for, whatever it leads to."""
    return type(message) in _COMMANDS


def causes(message: StateEngineMessage, turn: Turn) -> list[PlainEvent]:
    """What events tell of a message; asked for before it is applied."""
    if turn.events is None:
        return []
    if type(message) is TaskCompleted:
        return [_result(message, turn.state, turn.cause_body or encode(message))]
    if isinstance(message, DispatchWorkflow):
        return _start(message, turn)
    if type(message) in _COMMANDS:
        return [_command(message, turn)]
    if isinstance(message, Happening):
        return [_happening(message, turn)]
    return []


def _changed(event: Plain, event_type: str, event_id: str) -> Plain:
    return (event[0], event_type, event_id, *event[3:])


def _with_body(event: Plain, body: bytes) -> Plain:
    return (*event[:_BODY], body, *event[_BODY + 1 :])


def tell_cause(told: list[PlainEvent], index: int, turn: Turn) -> None:
    """Tell of a message, before what it led to."""
    if told and turn.events is not None:
        turn.events[index:index] = told


def _command(message: StateEngineMessage, turn: Turn) -> PlainEvent:
    event_type = _COMMANDS[type(message)]
    if isinstance(message, CancelWorkflow) and message.method_id is not None:
        event_type = EventType.CANCEL_METHOD
    return workflow_event(
        event_type,
        message.message_id,
        message.emitted_at,
        message.workflow_id,
        turn.cause_body or encode(message),
        workflow_version=None if turn.state is None else turn.state.workflow_version,
    )


def _start(message: DispatchWorkflow, turn: Turn) -> list[PlainEvent]:
    """A start; listeners make that of the main run from it."""
    return [turn.cause_body or encode(message)]


def _result(message: TaskCompleted, state: WorkflowState | None, body: bytes) -> PlainEvent:
    run = None if state is None else state.methods.get(message.method_id)
    command = None if run is None else run.commands.get(message.position)
    if state is None or run is None or not isinstance(command, TaskCommand):
        return (245, body, "", "", "", None)
    service, method = command.service_name, command.method_name
    return (245, body, service, method, run.method_name, state.workflow_version)


def _happening(message: Happening, turn: Turn) -> PlainEvent:
    event_type = _HAPPENINGS[type(message)]
    if isinstance(message, RemoteMethodFailed):
        event_type = _REMOTE_ERRORS.get(type(message.error), event_type)
    state = turn.state
    run = None if state is None else state.methods.get(message.method_id)
    return workflow_event(
        event_type,
        message.message_id,
        message.emitted_at,
        message.workflow_id,
        turn.cause_body or encode(message),
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


# --- what they led to ---------------------------------------------------------------------------


def tell_run(  # noqa: PLR0913 - the fields of an event
    state: WorkflowState,
    run: MethodRun,
    event_type: str,
    turn: Turn,
    *,
    event_id: str | None = None,
    body: bytes = b"",
    names: dict[str, object] | None = None,
    duration_ms: float | None = None,
    remember: bool = False,
) -> None:
    """Tell of a run; to be remembered until the broker has it, unless it is of little use."""
    if turn.events is None:
        return
    event = workflow_event(
        event_type,
        event_id or f"{run.method_id}/{event_type.partition('.')[2]}",
        turn.now,
        state.workflow_id,
        body,
        run.method_id,
        run.method_name,
        state.workflow_version,
        names or {},
        duration_ms,
    )
    turn.events.append(event)
    if remember:
        turn.effects.append(ToldEffect(_with_body(event, b"") if body else event))


def tell_workflow(
    state: WorkflowState,
    event_type: str,
    turn: Turn,
    *,
    event_id: str | None = None,
    duration_ms: float | None = None,
) -> None:
    """Tell of a workflow as a whole, remembered until the broker has it."""
    if turn.events is None:
        return
    event = workflow_event(
        event_type,
        event_id or f"{state.workflow_id}/{event_type.partition('.')[2]}",
        turn.now,
        state.workflow_id,
        workflow_version=state.workflow_version,
        duration_ms=duration_ms,
    )
    turn.events.append(event)
    turn.effects.append(ToldEffect(event))


def tell_code_ran(state: WorkflowState, run: MethodRun, task_id: str, turn: Turn) -> None:
    """Tell that code ran here; not remembered, as what it did is told anyway."""
    if turn.events is not None:
        version, retries = state.workflow_version, run.retries
        who = (state.workflow_id, run.method_id, run.method_name)
        turn.events.append((246, task_id, turn.now, *who, version, retries))


def tell_executor(  # noqa: PLR0913 - the fields of an event
    state: WorkflowState,
    run: MethodRun,
    event_type: str,
    task_id: str,
    turn: Turn,
    *,
    error: DeferredError | None = None,
    retry_after_ms: int | None = None,
) -> None:
    """Tell of a workflow task; not remembered, as what it did is told anyway."""
    if turn.events is None:
        return
    names: dict[str, object] = {"taskId": task_id, "retryIndex": run.retries}
    if error is not None:
        seconds = None if retry_after_ms is None else retry_after_ms / 1000
        names["secondsBeforeRetry"] = seconds
    tell_run(
        state,
        run,
        event_type,
        turn,
        event_id=f"{task_id}/{event_type.partition('.')[2]}",
        body=b"" if error is None else encode(error),
        names=names,
    )


def tell_completed(state: WorkflowState, run: MethodRun, value: bytes, turn: Turn) -> None:
    """Tell that a run returned."""
    if turn.events is not None:
        body, took = encode(EncodedValue(value)), duration(run, turn)
        event_type = EventType.METHOD_COMPLETED
        tell_run(state, run, event_type, turn, body=body, duration_ms=took, remember=True)


def tell_failed(state: WorkflowState, run: MethodRun, error: DeferredError, turn: Turn) -> None:
    """Tell that a run is stalled."""
    if turn.events is not None:
        tell_run(
            state,
            run,
            EventType.METHOD_FAILED,
            turn,
            event_id=f"{run.method_id}/methodFailed/{len(run.log.entries)}",
            body=encode(error),
            remember=True,
        )


def duration(run: MethodRun, turn: Turn) -> float | None:
    """How long a run has lasted, in milliseconds; None when its code has not begun."""
    first = run.log.entries[0] if run.log.entries else None
    return float(turn.now - first.at) if isinstance(first, MethodStarted) else None


def tell_signal(
    state: WorkflowState, event_type: str, signal_id: str, channel_name: str, turn: Turn
) -> None:
    """Tell that a signal was received or discarded; what is received is remembered."""
    if turn.events is None:
        return
    event = workflow_event(
        event_type,
        f"{signal_id}/{event_type.partition('.')[2]}",
        turn.now,
        state.workflow_id,
        workflow_version=state.workflow_version,
        names={"signalId": signal_id, "channel": channel_name},
    )
    turn.events.append(event)
    if event_type == EventType.SIGNAL_RECEIVED:
        turn.effects.append(ToldEffect(event))


def tell_again(state: WorkflowState, effect: Effect, turn: Turn) -> None:
    """Tell what an effect that is emitted again tells, besides its messages."""
    if turn.events is None:
        return
    if isinstance(effect, ToldEffect):
        turn.events.append(_remembered(state, cast("Plain", effect.event)))
    elif isinstance(effect, CommandsEffect) and effect.method_id in state.methods:
        for position in effect.positions:
            tell_own(state, state.methods[effect.method_id], position, effect, turn)


def _remembered(state: WorkflowState, event: Plain) -> Plain:
    """An event, with what the state has of it."""
    event_type, method_id = event[1], cast("str", event[_BODY + 1])
    if event_type == EventType.METHOD_COMPLETED:
        outcome = state.outcomes.get(method_id)
        if outcome is not None and outcome.value is not None:
            return _with_body(event, encode(EncodedValue(outcome.value)))
    elif event_type == EventType.METHOD_FAILED:
        run = state.methods.get(method_id)
        if run is not None and run.stalled is not None:
            return _with_body(event, encode(run.stalled))
    return event


# --- commands to the workflow itself ------------------------------------------------------------


def tell_own(
    state: WorkflowState, run: MethodRun, position: int, effect: CommandsEffect, turn: Turn
) -> None:
    """Tell what a run asks of its own workflow, for which no message leaves."""
    if turn.events is None:
        return
    command = run.commands[position]
    if isinstance(command, RemoteMethodCommand) and command.workflow_id == state.workflow_id:
        sent, received = EventType.REMOTE_METHOD_DISPATCHED, EventType.DISPATCH_METHOD
    elif isinstance(command, SendSignalCommand) and command.workflow_id == state.workflow_id:
        sent, received = EventType.SIGNAL_DISPATCHED, EventType.SIGNAL
    else:
        return
    identifier = command_id(state.workflow_id, run.method_id, position)
    event = workflow_event(
        sent,
        sent_id(identifier),
        effect.at,
        state.workflow_id,
        encode(_own_message(state, run, position, effect)),
        run.method_id,
        run.method_name,
        state.workflow_version,
    )
    turn.events += [event, _changed(event, received, identifier)]


def _own_message(
    state: WorkflowState,
    run: MethodRun,
    position: int,
    effect: CommandsEffect,
) -> DispatchMethod | SendSignal:
    command = run.commands[position]
    identifier = command_id(state.workflow_id, run.method_id, position)
    requester = requester_of(state, run, position)
    if isinstance(command, RemoteMethodCommand):
        return DispatchMethod(
            identifier,
            state.workflow_name,
            state.workflow_id,
            identifier,
            command.method_name,
            command.arguments,
            requester,
            client_waiting=False,
            emitted_at=effect.at,
        )
    signal = cast("SendSignalCommand", command)
    return SendSignal(
        identifier,
        state.workflow_name,
        state.workflow_id,
        signal.channel_name,
        identifier,
        signal.value,
        signal.value_types,
        requester,
        effect.at,
    )


def sent_id(message_id: str) -> str:
    """Id of the event that tells of a message where it is sent: its reader's event has its own id."""
    return f"{message_id}/dispatched"
