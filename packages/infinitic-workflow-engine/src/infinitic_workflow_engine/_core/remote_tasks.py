"""Workflow tasks that run in another process."""

from __future__ import annotations

from typing import cast

from infinitic_common.codec import decode
from infinitic_common.events import EventType
from infinitic_common.messages import WorkflowTaskCompleted, WorkflowTaskTimedOut
from infinitic_common.workflow_tasks import WorkflowTaskResult
from infinitic_workflow_engine._core.emissions import emit
from infinitic_workflow_engine._core.executors import waiting_for_executor
from infinitic_workflow_engine._core.outbox import WorkflowTaskEffect
from infinitic_workflow_engine._core.state import RunningTask, WorkflowState
from infinitic_workflow_engine._core.telling import tell_executor
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.workflow_tasks import workflow_task_ended


def send_workflow_task(turn: Turn) -> None:
    """Have the task of this turn run by another process, with a deadline."""
    task, state = turn.task, turn.state
    turn.task = None
    if task is None or state is None:
        return
    _send(state, task.method_id, task.task_id, 0, turn)
    run = state.methods.get(task.method_id)
    if run is not None:
        tell_executor(state, run, EventType.EXECUTOR_DISPATCHED, task.task_id, turn)


def _send(state: WorkflowState, method_id: str, task_id: str, attempt: int, turn: Turn) -> None:
    due = turn.now + turn.limits.workflow_task_timeout_ms
    state.running = RunningTask(task_id, method_id, due, attempt)
    state.dirty = True
    emit(state, turn, WorkflowTaskEffect(task_id, attempt, state.version, turn.now))


def workflow_task_completed(
    state: WorkflowState, message: WorkflowTaskCompleted, turn: Turn
) -> None:
    """The result of the task in progress; that of any other comes too late."""
    if state.running is not None and state.running.task_id == message.workflow_task_id:
        result = cast("WorkflowTaskResult", decode(message.result))
        workflow_task_ended(state, message.method_id, result, turn)


def workflow_task_timed_out(
    state: WorkflowState, message: WorkflowTaskTimedOut, turn: Turn
) -> None:
    """The task in progress was not answered in time: it is sent again."""
    running = state.running
    if running is None or running.task_id != message.workflow_task_id:
        return
    if message.emitted_at >= running.due:
        _send(state, running.method_id, running.task_id, running.attempt + 1, turn)
        turn.notes.append(
            f"{waiting_for_executor(state)}: nobody answered workflow task {running.task_id}"
        )
