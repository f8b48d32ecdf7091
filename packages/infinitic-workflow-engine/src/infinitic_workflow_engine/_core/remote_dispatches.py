"""The messages of a workflow task that another process runs: the same ones each time."""

from __future__ import annotations

from collections.abc import Iterator

from infinitic_common.codec import encode
from infinitic_common.ids import derived_id
from infinitic_common.messages import ExecuteWorkflowTask, WorkflowTaskTimedOut
from infinitic_common.workflow_tasks import RemoteWorkflowTask
from infinitic_workflow_engine._core.outbox import WorkflowTaskEffect
from infinitic_workflow_engine._core.state import MethodRun, RunningTask, WorkflowState
from infinitic_workflow_engine._core.turn import Emission, emission


def workflow_task_emissions(state: WorkflowState, effect: WorkflowTaskEffect) -> Iterator[Emission]:
    """The task with its deadline, as long as it is the one in progress."""
    running = state.running
    run = None if running is None else state.methods.get(running.method_id)
    if running is None or run is None or not is_in_progress(state, effect):
        return
    task_id, attempt = effect.task_id, effect.attempt
    target = (state.workflow_name, state.workflow_id, run.method_id, task_id)
    identifier = derived_id("workflow-task", task_id, attempt)
    encoded = encode(_remote(state, run, running, effect))
    yield emission(ExecuteWorkflowTask(identifier, *target, encoded, effect.at, run.retries))
    identifier = derived_id("timeout", task_id, attempt)
    deadline = WorkflowTaskTimedOut(identifier, *target, running.due)
    yield emission(deadline, deliver_at=running.due)


def is_in_progress(state: WorkflowState, effect: WorkflowTaskEffect) -> bool:
    """Whether the task was neither answered nor given up nor sent again since."""
    running = state.running
    return running is not None and (running.task_id, running.attempt) == (
        effect.task_id,
        effect.attempt,
    )


def _remote(
    state: WorkflowState, run: MethodRun, running: RunningTask, effect: WorkflowTaskEffect
) -> RemoteWorkflowTask:
    """Nothing of this changes while the task is in progress: what comes is put behind it."""
    return RemoteWorkflowTask(
        task_id=running.task_id,
        workflow_name=state.workflow_name,
        workflow_id=state.workflow_id,
        workflow_version=state.workflow_version,
        tags=state.tags,
        meta=state.meta,
        method_id=run.method_id,
        method_name=run.method_name,
        arguments=run.arguments,
        history=run.log.encoded(run.resumed_at),
        state_version=effect.state_version,
        retry_index=run.retries,
    )
