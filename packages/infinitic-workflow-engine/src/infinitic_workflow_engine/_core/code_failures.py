"""The code of a run raised: it runs again by itself, or stalls until somebody retries something."""

from __future__ import annotations

from infinitic_common.codec import encode
from infinitic_common.failures import DeferredError
from infinitic_common.history import RunFailed
from infinitic_common.ids import derived_id
from infinitic_common.messages import RetryWorkflowTask, WorkflowTaskRetryDue
from infinitic_common.workflow_tasks import WorkflowTaskResult
from infinitic_workflow_engine._core.emissions import emit
from infinitic_workflow_engine._core.ends import run_failed, tell_clients
from infinitic_workflow_engine._core.executors import is_unknown_version, waiting_for_executor
from infinitic_workflow_engine._core.outbox import MessageEffect
from infinitic_workflow_engine._core.state import MethodRun, PendingRetry, WorkflowState
from infinitic_workflow_engine._core.turn import Turn


def code_failed(
    state: WorkflowState, run: MethodRun, result: WorkflowTaskResult, turn: Turn
) -> None:
    """A workflow task failed: nobody is told as long as it is to run again.

    But clients, when an executor lacks the version: that may last, and be for people to mend.
    """
    if result.error is None:
        return
    if result.retry_after_ms is None:
        stall(state, run, result.error, turn)
        return
    if is_unknown_version(result.error) and run.retries == 0:
        turn.notes.append(f"{waiting_for_executor(state)}: its workflow task is retried meanwhile")
        tell_clients(state, run, result.error, turn)
    due = turn.now + result.retry_after_ms
    run.retry = PendingRetry(result.task_id, run.retries, due, result.error)
    message = WorkflowTaskRetryDue(
        message_id=derived_id("retry", result.task_id),
        workflow_name=state.workflow_name,
        workflow_id=state.workflow_id,
        method_id=run.method_id,
        workflow_task_id=result.task_id,
        retry_index=run.retries,
        emitted_at=due,
    )
    emit(state, turn, MessageEffect(encode(message), due))


def stall(state: WorkflowState, run: MethodRun, error: DeferredError, turn: Turn) -> None:
    """The run cannot go on: who waits is told, and it stays for a retry by hand."""
    run.log.append(RunFailed(error))
    run.stalled = error
    turn.stalled_runs.append(run)
    run.retries = 0
    run_failed(state, run, error, turn)
    if is_unknown_version(error):
        turn.notes.append(f"{waiting_for_executor(state)}: retry its workflow task when there is")


def retry_due(state: WorkflowState, message: WorkflowTaskRetryDue, turn: Turn) -> None:  # noqa: ARG001 - the signature of every handler
    """Run again the code that failed, unless something else has let it go on since."""
    run = state.methods.get(message.method_id)
    retry = None if run is None else run.retry
    if run is not None and retry is not None and retry.task_id == message.workflow_task_id:
        _run_again(state, run, retry.index + 1)


def retry_workflow_task(state: WorkflowState, message: RetryWorkflowTask, turn: Turn) -> None:  # noqa: ARG001 - as above
    """Run again the code of every run that stalled or waits for its retry."""
    for run in state.methods.values():
        if run.stalled is not None or run.retry is not None:
            _run_again(state, run, 0)


def _run_again(state: WorkflowState, run: MethodRun, retries: int) -> None:
    run.stalled = run.retry = None
    run.retries = retries
    state.ready.append(run.method_id)
    state.dirty = True
