"""Workflow tasks that run in another process."""

from __future__ import annotations

from typing import cast

import attrs

from infinitic_common.codec import decode, encode
from infinitic_common.events import EventType
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    ExecuteWorkflowTask,
    WorkflowTaskCompleted,
    WorkflowTaskTimedOut,
)
from infinitic_common.workflow_tasks import RemoteWorkflowTask, WorkflowTask, WorkflowTaskResult
from infinitic_workflow_engine._core.emissions import emit, tell
from infinitic_workflow_engine._core.executors import waiting_for_executor
from infinitic_workflow_engine._core.outbox import MessageEffect
from infinitic_workflow_engine._core.runs import workflow_task
from infinitic_workflow_engine._core.state import RunningTask, WorkflowState
from infinitic_workflow_engine._core.telling import tell_executor
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.workflow_tasks import workflow_task_ended


def send_workflow_task(turn: Turn) -> None:
    """Have the task of this turn run by another process, with a deadline."""
    task, state = turn.task, turn.state
    turn.task = None
    if task is not None and state is not None:
        _send(state, task, 0, turn)


def _send(state: WorkflowState, task: WorkflowTask, attempt: int, turn: Turn) -> None:
    due = turn.now + turn.limits.workflow_task_timeout_ms
    state.running = RunningTask(task.task_id, task.method_id, due, attempt)
    state.dirty = True
    run = state.methods.get(task.method_id)
    if run is not None and not attempt:
        tell_executor(state, run, EventType.EXECUTOR_DISPATCHED, task.task_id, turn)
    target = (task.workflow_name, task.workflow_id, task.method_id, task.task_id)
    encoded = encode(_remote(state, task))
    retries = task.retry_index
    identifier = derived_id("workflow-task", task.task_id, attempt)
    tell(state, turn, ExecuteWorkflowTask(identifier, *target, encoded, turn.now, retries))
    deadline = WorkflowTaskTimedOut(derived_id("timeout", task.task_id, attempt), *target, due)
    emit(state, turn, MessageEffect(encode(deadline), due))


def _remote(state: WorkflowState, task: WorkflowTask) -> RemoteWorkflowTask:
    return RemoteWorkflowTask(
        task_id=task.task_id,
        workflow_name=task.workflow_name,
        workflow_id=task.workflow_id,
        workflow_version=task.workflow_version,
        tags=task.tags,
        meta=task.meta,
        method_id=task.method_id,
        method_name=task.method_name,
        arguments=task.arguments,
        history=state.methods[task.method_id].log.encoded(task.visible),
        state_version=task.state_version,
        retry_index=task.retry_index,
    )


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
    run = state.methods.get(running.method_id)
    if run is not None and message.emitted_at >= running.due:
        task = attrs.evolve(workflow_task(state, run, turn.number), task_id=running.task_id)
        _send(state, task, running.attempt + 1, turn)
        turn.notes.append(
            f"{waiting_for_executor(state)}: nobody answered workflow task {task.task_id}"
        )
