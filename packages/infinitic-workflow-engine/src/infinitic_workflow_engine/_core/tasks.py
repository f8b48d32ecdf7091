"""Results of tasks and of methods of other workflows; tasks that run again."""

from __future__ import annotations

from infinitic_common.command_ids import command_id
from infinitic_common.failures import (
    TaskFailedError,
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowTimedOutError,
    WorkflowUnknownError,
)
from infinitic_common.history import ChildWorkflowCommand, RemoteMethodCommand, TaskCommand
from infinitic_common.messages import (
    RemoteMethodCompleted,
    RemoteMethodFailed,
    RetryTasks,
    TaskCompleted,
    TaskFailed,
    TaskTimedOut,
)
from infinitic_workflow_engine._core.emissions import emit
from infinitic_workflow_engine._core.ends import end_if_finished
from infinitic_workflow_engine._core.outbox import CommandsEffect
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.task_tags import untag_task
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.waits import (
    complete_command,
    fail_command,
    go_on_mended,
    restart_command,
)


def run_with(
    state: WorkflowState, method_id: str, position: int, kinds: type | tuple[type, ...]
) -> MethodRun | None:
    """The run, when it is there and has a command of these kinds at that position."""
    run = state.methods.get(method_id)
    if run is None or not isinstance(run.commands.get(position), kinds):
        return None
    return run


def task_completed(state: WorkflowState, message: TaskCompleted, turn: Turn) -> None:
    """A task has its value."""
    run = run_with(state, message.method_id, message.position, TaskCommand)
    if run is not None:
        _untag(state, run, message.position, turn)
        complete_command(state, run, message.position, message.value)
        end_if_finished(state, run, turn)


def _untag(state: WorkflowState, run: MethodRun, position: int, turn: Turn) -> None:
    """A task ends now; the tags of one that has ended are gone."""
    if position in run.ongoing:
        untag_task(state, run, position, turn)


def task_failed(state: WorkflowState, message: TaskFailed, turn: Turn) -> None:
    """A task failed after its last attempt."""
    run = run_with(state, message.method_id, message.position, TaskCommand)
    if run is None or message.failure.retry_sequence < run.sequences.get(message.position, 0):
        return
    error = TaskFailedError(
        message.service_name, message.method_name, message.task_id, message.failure
    )
    _untag(state, run, message.position, turn)
    fail_command(state, run, message.position, error)
    end_if_finished(state, run, turn)


def task_timed_out(state: WorkflowState, message: TaskTimedOut, turn: Turn) -> None:
    """The contract's time for a task is over; it goes on, and may have a value later.

    One that was retried by hand has no limit any more.
    """
    run = state.methods.get(message.method_id)
    command = run.commands.get(message.position) if run is not None else None
    if run is None or not isinstance(command, TaskCommand) or message.position in run.sequences:
        return
    error = TaskTimedOutError(command.service_name, command.method_name, message.task_id)
    _untag(state, run, message.position, turn)
    fail_command(state, run, message.position, error)
    end_if_finished(state, run, turn)


def remote_method_completed(
    state: WorkflowState, message: RemoteMethodCompleted, turn: Turn
) -> None:
    """A child, or a method run on another workflow, has its value."""
    kinds = (ChildWorkflowCommand, RemoteMethodCommand)
    run = run_with(state, message.method_id, message.position, kinds)
    if run is not None:
        complete_command(state, run, message.position, message.value)
        end_if_finished(state, run, turn)


def remote_method_failed(state: WorkflowState, message: RemoteMethodFailed, turn: Turn) -> None:
    """A child, or a method run on another workflow, has no value."""
    kinds = (ChildWorkflowCommand, RemoteMethodCommand)
    run = run_with(state, message.method_id, message.position, kinds)
    if run is not None:
        fail_command(state, run, message.position, message.error)
        end_if_finished(state, run, turn)


def retry_tasks(state: WorkflowState, message: RetryTasks, turn: Turn) -> None:
    """Run again the tasks that match every filter; without a filter, those that failed."""
    retried: list[MethodRun] = []
    for run in list(state.methods.values()):
        for position, command in sorted(run.commands.items()):
            if isinstance(command, TaskCommand) and _matches(state, run, position, message):
                restart_command(state, run, position)
                sequence = run.sequences[position]
                emit(state, turn, CommandsEffect(run.method_id, (position,), sequence, turn.now))
                retried.append(run)
    # Last, because each of them may be what the last wait of its run was for.
    for run in retried:
        go_on_mended(state, run)


def _matches(state: WorkflowState, run: MethodRun, position: int, message: RetryTasks) -> bool:
    command = run.commands[position]
    if not isinstance(command, TaskCommand):
        return False
    if message.task_id not in (None, command_id(state.workflow_id, run.method_id, position)):
        return False
    if message.service_name not in (None, command.service_name):
        return False
    if message.task_status is None and message.task_id is not None:
        return True
    return task_status(run, position) == (message.task_status or "FAILED")


def task_status(run: MethodRun, position: int) -> str:
    """The status of a command, as users know it."""
    outcome = run.outcomes.get((position, 0))
    if outcome is None:
        return "ONGOING"
    match outcome.error:
        case None:
            return "COMPLETED"
        case TaskTimedOutError() | WorkflowTimedOutError():
            return "TIMED_OUT"
        case WorkflowCanceledError():
            return "CANCELED"
        case WorkflowUnknownError():
            return "UNKNOWN"
        case _:
            return "FAILED"
