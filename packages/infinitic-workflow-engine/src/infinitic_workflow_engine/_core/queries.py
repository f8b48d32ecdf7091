"""Answers about a workflow, for clients; nothing changes by asking."""

from __future__ import annotations

from infinitic_common.command_ids import command_id
from infinitic_common.failures import TaskFailedError, WorkflowExecutorFailedError
from infinitic_common.history import CommandFailed, TaskCommand
from infinitic_common.ids import derived_id
from infinitic_common.messages import QueryAnswered, QueryWorkflow
from infinitic_common.requesters import ClientRequester
from infinitic_common.serialization import encode_untyped, to_json
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.tasks import task_status
from infinitic_workflow_engine._core.turn import ANSWERS, Turn, emission


def query_workflow(state: WorkflowState | None, message: QueryWorkflow, turn: Turn) -> None:
    """Answer a client; None for a workflow that is not known."""
    if not isinstance(message.requester, ClientRequester):
        return
    known = state is not None and state.started
    answer = _answer(state, message) if state is not None and known else None
    answered = QueryAnswered(
        derived_id("answer", message.message_id),
        message.requester.client_name,
        message.request_id,
        answer,
    )
    turn.emissions.append(emission(answered, wave=ANSWERS))


def _answer(state: WorkflowState, message: QueryWorkflow) -> bytes | None:
    if message.query == "status":
        return encode_untyped(workflow_status(state))
    if message.query == "property":
        return state.values.get(state.properties.get(message.argument or "", b""))
    return encode_untyped(state_view(state))


def workflow_status(state: WorkflowState) -> str:
    """One word for a workflow: what it does, or how it ended."""
    if not state.methods:
        outcome = state.outcomes.get(state.workflow_id)
        return "CANCELED" if outcome is not None and outcome.error is not None else "COMPLETED"
    stalled = [run.stalled for run in state.methods.values() if run.stalled is not None]
    if any(isinstance(error, WorkflowExecutorFailedError) for error in stalled):
        return "HAS_FAILED_EXECUTOR"
    if stalled:
        return "HAS_FAILED_TASK"
    return "RUNNING" if state.running is not None or state.ready else "WAITING"


def state_view(state: WorkflowState) -> dict[str, object]:
    """The state as plain data, values decoded without knowing their types."""
    properties = {name: to_json(state.values[h]) for name, h in state.properties.items()}
    return {
        "workflow_id": state.workflow_id,
        "workflow_name": state.workflow_name,
        "workflow_version": state.workflow_version,
        "status": workflow_status(state),
        "tags": sorted(state.tags),
        "meta": dict(state.meta),
        "created_at": state.created_at,
        "ended_at": state.ended_at,
        "properties": properties,
        "waiting_signals": len(state.mailbox),
        "methods": [_run_view(state, run) for run in state.methods.values()],
    }


def _run_view(state: WorkflowState, run: MethodRun) -> dict[str, object]:
    return {
        "method_id": run.method_id,
        "method_name": run.method_name,
        "arguments": [to_json(argument) for argument in run.arguments],
        "stalled": None if run.stalled is None else type(run.stalled).__name__,
        "waits_at": None if run.pending is None else run.pending.position,
        "tasks": [
            _task_view(state, run, position, command)
            for position, command in sorted(run.commands.items())
            if isinstance(command, TaskCommand)
        ],
    }


def _task_view(
    state: WorkflowState, run: MethodRun, position: int, command: TaskCommand
) -> dict[str, object]:
    return {
        "id": command_id(state.workflow_id, run.method_id, position),
        "service": command.service_name,
        "method": command.method_name,
        "status": task_status(run, position),
        "attempt": run.sequences.get(position, 0),
        "last_failure": _last_failure(run, position),
    }


def _last_failure(run: MethodRun, position: int) -> str | None:
    for entry in reversed(run.log.entries):
        if isinstance(entry, CommandFailed) and entry.position == position:
            error = entry.error
            if isinstance(error, TaskFailedError):
                detail = error.failure.exception
                return f"{detail.name}: {detail.message}"
            return type(error).__name__
    return None
