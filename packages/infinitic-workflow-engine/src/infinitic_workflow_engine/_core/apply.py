"""``apply``: one message, one decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infinitic_common.messages import (
    CancelWorkflow,
    CompleteTimers,
    DispatchMethod,
    DispatchWorkflow,
    QueryWorkflow,
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
    WaitWorkflow,
    WorkflowTaskCompleted,
    WorkflowTaskRetryDue,
    WorkflowTaskTimedOut,
)
from infinitic_common.workflow_tasks import WorkflowTaskResult
from infinitic_workflow_engine._core import (
    cascade,
    causes,
    channels,
    code_failures,
    methods,
    remote_tasks,
    tasks,
    telling,
    timers,
)
from infinitic_workflow_engine._core.emissions import emissions
from infinitic_workflow_engine._core.outbox import short_hash
from infinitic_workflow_engine._core.queries import query_workflow
from infinitic_workflow_engine._core.runs import pump
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.workflow_tasks import workflow_task_ended

Handler = Callable[[WorkflowState, Any, Turn], None]

_HANDLERS: dict[type, Handler] = {
    DispatchMethod: methods.dispatch_method,
    WaitWorkflow: methods.wait_workflow,
    CancelWorkflow: cascade.cancel_workflow,
    SendSignal: channels.send_signal,
    CompleteTimers: timers.complete_timers,
    TimerCompleted: timers.timer_completed,
    RetryTasks: tasks.retry_tasks,
    RetryWorkflowTask: code_failures.retry_workflow_task,
    TaskCompleted: tasks.task_completed,
    TaskFailed: tasks.task_failed,
    TaskTimedOut: tasks.task_timed_out,
    RemoteMethodCompleted: tasks.remote_method_completed,
    RemoteMethodFailed: tasks.remote_method_failed,
    WorkflowTaskCompleted: remote_tasks.workflow_task_completed,
    WorkflowTaskTimedOut: remote_tasks.workflow_task_timed_out,
    WorkflowTaskRetryDue: code_failures.retry_due,
}


def apply(message: StateEngineMessage, turn: Turn) -> None:
    """Decide what a message changes; ``turn`` has the state and takes what follows.

    A message that the state knows changes nothing: what it emitted is emitted again, unless that
    is known to have reached the broker. Afterwards ``turn.task`` may ask for a workflow task: run
    it, and give the result to ``apply_result`` before the next message.
    """
    if isinstance(message, QueryWorkflow):
        query_workflow(turn.state, message, turn)
        return
    told, before = causes.events_of(message, turn), len(turn.events or ())
    cause = short_hash(message.message_id)
    if turn.state is not None and (turn.state.outbox.knows(cause) or cause in turn.causes):
        _emit_again(turn.state, cause, turn)
        if isinstance(message, DispatchWorkflow):
            methods.start_of_ended(turn.state, turn)
        causes.tell_cause(told, before, turn)
        return
    effects = len(turn.effects)
    if isinstance(message, DispatchWorkflow):
        turn.state = methods.dispatch_workflow(turn.state, message, turn)
    elif turn.state is None or not turn.state.started:
        _apply_to_unknown(message, turn)
    else:
        _HANDLERS[type(message)](turn.state, message, turn)
    changed = False
    if turn.state is not None:
        pump(turn.state, turn)
        changed = turn.state.dirty or len(turn.effects) > effects
        if changed:
            turn.causes[cause] = None
            _note_change(turn.state, turn)
    if changed or causes.is_command(message):
        causes.tell_cause(told, before, turn)


def _note_change(state: WorkflowState, turn: Turn) -> None:
    """Only a message that changed something needs to be known: any other may come again."""
    turn.changed = True
    state.dirty = False


def apply_result(method_id: str, result: WorkflowTaskResult, turn: Turn) -> None:
    """Take in the result of ``turn.task``; the next one may be asked for."""
    turn.task = None
    if turn.state is not None:
        workflow_task_ended(turn.state, method_id, result, turn)
        pump(turn.state, turn)
        _note_change(turn.state, turn)


def _emit_again(state: WorkflowState, cause: bytes, turn: Turn) -> None:
    entry = state.outbox.entry_of(cause)
    if entry is None or entry in state.outbox.confirmed:
        return
    if id(entry) not in turn.repeated:
        turn.repeated[id(entry)] = entry
        for effect in entry.effects:
            turn.emissions.extend(emissions(state, effect))
            telling.tell_again(state, effect, turn)


def _apply_to_unknown(message: StateEngineMessage, turn: Turn) -> None:
    """Of a workflow that is not there, signals are kept for a while; who waits is told."""
    if isinstance(message, DispatchMethod | WaitWorkflow):
        methods.method_unknown(message, turn)
    elif isinstance(message, SendSignal):
        if turn.state is None:
            turn.state = WorkflowState(message.workflow_id, message.workflow_name, started=False)
            turn.state.created_at = turn.now
        channels.send_signal(turn.state, message, turn)
