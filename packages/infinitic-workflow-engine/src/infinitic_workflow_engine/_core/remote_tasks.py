"""Workflow tasks that run in another process."""

from __future__ import annotations

from typing import cast

import attrs

from infinitic_common.codec import decode
from infinitic_common.events import EventType
from infinitic_common.messages import WorkflowTaskCompleted, WorkflowTaskTimedOut
from infinitic_common.workflow_tasks import WorkflowTaskResult
from infinitic_workflow_engine._core.emissions import emit
from infinitic_workflow_engine._core.executors import waiting_for_executor
from infinitic_workflow_engine._core.outbox import WorkflowTaskEffect
from infinitic_workflow_engine._core.state import RunningTask, WorkflowState
from infinitic_workflow_engine._core.telling import tell_executor
from infinitic_workflow_engine._core.timers import end_timers
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.workflow_tasks import workflow_task_ended


def send_workflow_task(turn: Turn) -> None:
    """Have the task of this turn run by another process, with a deadline."""
    task, state = turn.task, turn.state
    turn.task = None
    if task is None or state is None:
        return
    due = turn.now + turn.limits.workflow_task_timeout_ms
    _send(state, RunningTask(task.task_id, task.method_id, due, 0), turn)
    run = state.methods.get(task.method_id)
    if run is not None:
        tell_executor(state, run, EventType.EXECUTOR_DISPATCHED, task.task_id, turn)


def _send(state: WorkflowState, running: RunningTask, turn: Turn) -> None:
    state.running = running
    state.dirty = True
    emit(state, turn, WorkflowTaskEffect(running.task_id, running.attempt, state.version, turn.now))


def workflow_task_completed(
    state: WorkflowState, message: WorkflowTaskCompleted, turn: Turn
) -> None:
    """The result of the task in progress; that of any other comes too late."""
    running = state.running
    if running is None or running.task_id != message.workflow_task_id:
        return
    result = cast("WorkflowTaskResult", decode(message.result))
    workflow_task_ended(state, message.method_id, result, turn)
    run = state.methods.get(message.method_id)
    if running.ends_timers and run is not None:
        end_timers(state, run)


def workflow_task_timed_out(
    state: WorkflowState, message: WorkflowTaskTimedOut, turn: Turn
) -> None:
    """The task in progress was not answered in time: it is sent again."""
    running = state.running
    if running is None or running.task_id != message.workflow_task_id:
        return
    if message.emitted_at >= running.due:
        due = turn.now + turn.limits.workflow_task_timeout_ms
        _send(state, attrs.evolve(running, due=due, attempt=running.attempt + 1), turn)
        turn.notes.append(
            f"{waiting_for_executor(state)}: nobody answered workflow task {running.task_id}"
        )
