"""A state as plain data, values decoded without knowing their types: what clients are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from infinitic_common.command_ids import command_id
from infinitic_common.failures import (
    DeferredError,
    ExceptionDetail,
    TaskFailedError,
    WorkflowExecutorFailedError,
    WorkflowFailedError,
)
from infinitic_common.history import (
    ChildWorkflowCommand,
    Command,
    CommandFailed,
    ReceiveCommand,
    RemoteMethodCommand,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.serialization import DeserializationError, to_json
from infinitic_workflow_engine._core.cancels import is_canceled
from infinitic_workflow_engine._core.executors import lacks_executor, waiting_for_executor
from infinitic_workflow_engine._core.state import MethodOutcome, MethodRun, WorkflowState
from infinitic_workflow_engine._core.tasks import task_status

View = dict[str, object]
C = TypeVar("C", bound=Command)


def workflow_status(state: WorkflowState) -> str:
    """One word for a workflow: what it does, or how it ended; what it lacks in more than one."""
    if not state.methods:
        outcome = state.outcomes.get(state.workflow_id)
        return "CANCELED" if outcome is not None and outcome.error is not None else "COMPLETED"
    if lacks_executor(state):
        return waiting_for_executor(state)
    stalled = [run.stalled for run in state.methods.values() if run.stalled is not None]
    if any(isinstance(error, WorkflowExecutorFailedError) for error in stalled):
        return "HAS_FAILED_EXECUTOR"
    if stalled:
        return "HAS_FAILED_TASK"
    retrying = any(run.retry is not None for run in state.methods.values())
    return "RUNNING" if state.running is not None or state.ready or retrying else "WAITING"


def state_view(state: WorkflowState) -> View:
    """All that is known of a workflow; instants in milliseconds since the epoch."""
    return {
        "workflow_id": state.workflow_id,
        "workflow_name": state.workflow_name,
        "workflow_version": state.workflow_version,
        "status": workflow_status(state),
        "tags": sorted(state.tags),
        "meta": dict(state.meta),
        "created_at": state.created_at,
        "ended_at": state.ended_at,
        "properties": {name: _shown(state.values[h]) for name, h in state.properties.items()},
        "waiting_signals": len(state.mailbox),
        "methods": [_run_view(state, run) for run in state.methods.values()],
        "ended_methods": [
            _outcome_view(outcome)
            for outcome in state.outcomes.values()
            if outcome.method_id not in state.methods
        ],
    }


def _shown(value: bytes) -> object:
    try:
        return to_json(value)
    except DeserializationError as error:
        return f"cannot be shown: {error}"


def _outcome_view(outcome: MethodOutcome) -> View:
    return {
        "method_id": outcome.method_id,
        "method_name": outcome.method_name,
        "status": "COMPLETED" if outcome.error is None else "CANCELED",
        "value": None if outcome.value is None else _shown(outcome.value),
        "ended_at": outcome.ended_at,
    }


def _run_view(state: WorkflowState, run: MethodRun) -> View:
    failures = _last_failures(run)
    return {
        "method_id": run.method_id,
        "method_name": run.method_name,
        "arguments": [_shown(argument) for argument in run.arguments],
        "status": _run_status(state, run),
        "failure": None if run.stalled is None else failure_text(run.stalled),
        "stalled": None if run.stalled is None else type(run.stalled).__name__,
        "retry": _retry_view(run),
        "waits_at": None if run.pending is None else run.pending.position,
        "waiting_clients": len(run.waiting_clients),
        "tasks": [
            {"service": c.service_name, "method": c.method_name, "tags": sorted(c.tags), **about}
            for c, about in _about(state, run, failures, TaskCommand)
        ],
        "children": [
            {"workflow": c.workflow_name, "method": c.method_name, "tags": sorted(c.tags), **about}
            for c, about in _about(state, run, failures, ChildWorkflowCommand)
        ],
        "calls": [
            {"workflow": c.workflow_name, "method": c.method_name, **_target(c), **about}
            for c, about in _about(state, run, failures, RemoteMethodCommand)
        ],
        "timers": [_timer_view(c, about) for c, about in _about(state, run, {}, TimerCommand)],
        "receives": list(_receives(state, run)),
    }


def _run_status(state: WorkflowState, run: MethodRun) -> str:
    if run.returned:
        return "RETURNED"
    if run.stalled is not None:
        return "FAILED"
    if run.retry is not None:
        return "RETRYING"
    if is_canceled(state, run):
        return "CANCELING"
    at_work = state.running is not None and state.running.method_id == run.method_id
    return "RUNNING" if at_work or run.method_id in state.ready else "WAITING"


def _retry_view(run: MethodRun) -> View | None:
    retry = run.retry
    if retry is None:
        return None
    return {"number": retry.index + 1, "due": retry.due, "failure": failure_text(retry.error)}


def _about(
    state: WorkflowState, run: MethodRun, failures: Mapping[int, str], kind: type[C]
) -> Iterator[tuple[C, View]]:
    """The commands of a kind, each with what all kinds have."""
    for position, command in sorted(run.commands.items()):
        if isinstance(command, kind):
            about: View = {
                "id": command_id(state.workflow_id, run.method_id, position),
                "position": position,
                "status": task_status(run, position),
                "attempt": run.sequences.get(position, 0),
                "last_failure": failures.get(position),
            }
            yield command, about


def _target(command: RemoteMethodCommand) -> View:
    return {"workflow_id": command.workflow_id, "workflow_tag": command.workflow_tag}


def _timer_view(command: TimerCommand, about: View) -> View:
    kept = {name: about[name] for name in ("id", "position", "status")}
    return {"fires_at": command.fires_at, "duration_ms": command.duration_ms, **kept}


def _receives(state: WorkflowState, run: MethodRun) -> Iterator[View]:
    for position, command in sorted(run.commands.items()):
        if isinstance(command, ReceiveCommand):
            receivers = state.receivers.get(command.channel_name, ())
            open_ = any((r.method_id, r.position) == (run.method_id, position) for r in receivers)
            yield {
                "channel": command.channel_name,
                "position": position,
                "received": run.signal_counts.get(position, 0),
                "limit": command.limit,
                "open": open_,
            }


def _last_failures(run: MethodRun) -> dict[int, str]:
    return {
        entry.position: failure_text(entry.error)
        for entry in run.log.entries
        if isinstance(entry, CommandFailed)
    }


def failure_text(error: DeferredError) -> str:
    """Why something failed, in a line: the exception that was raised, however deep."""
    match error:
        case TaskFailedError(failure=failure) | WorkflowExecutorFailedError(failure=failure):
            return _exception_text(failure.exception)
        case WorkflowFailedError(error=inner):
            return failure_text(inner)
        case _:
            return type(error).__name__


def _exception_text(detail: ExceptionDetail) -> str:
    return f"{detail.name}: {detail.message}"
