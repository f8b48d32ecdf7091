"""Cancelling runs, and what they have running elsewhere and here."""

from __future__ import annotations

from infinitic_common.command_ids import command_id
from infinitic_common.events import EventType
from infinitic_common.failures import WorkflowCanceledError
from infinitic_common.messages import CancelWorkflow
from infinitic_common.requesters import WorkflowRequester
from infinitic_workflow_engine._core.dispatches import cancellation
from infinitic_workflow_engine._core.emissions import tell
from infinitic_workflow_engine._core.ends import cancel_run, end_run
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.telling import tell_workflow
from infinitic_workflow_engine._core.turn import Turn


def cancel_workflow(state: WorkflowState, message: CancelWorkflow, turn: Turn) -> None:
    """Cancel one run or all, with what they wait for; a parent always cancels the whole child."""
    method_id = message.method_id
    if method_id == state.workflow_id and isinstance(message.requester, WorkflowRequester):
        method_id = None
    runs = [run for run in state.methods.values() if method_id in (None, run.method_id)]
    if runs:
        event_id = f"{message.message_id}/canceled"
        tell_workflow(state, EventType.CANCELED, turn, event_id=event_id)
    for run in runs:
        _cancel(state, run, turn)


def _cancel(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    if state.methods.get(run.method_id) is not run:
        return
    own = _own_runs(state, run)
    for position in sorted(run.ongoing):
        cancel = cancellation(state, run, position, turn.now)
        if cancel is not None:
            tell(state, turn, cancel)
    if run.returned:
        # How it ended was told before: it was only kept for what it had running.
        end_run(state, run, turn)
    else:
        error = WorkflowCanceledError(
            state.workflow_name, state.workflow_id, run.method_name, run.method_id
        )
        cancel_run(state, run, error, turn)
    for child in own:
        _cancel(state, child, turn)


def _own_runs(state: WorkflowState, run: MethodRun) -> list[MethodRun]:
    """The runs of this workflow that a run started and that have not ended."""
    ids = (command_id(state.workflow_id, run.method_id, at) for at in sorted(run.ongoing))
    return [state.methods[method_id] for method_id in ids if method_id in state.methods]
