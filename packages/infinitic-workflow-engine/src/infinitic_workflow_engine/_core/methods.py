"""Starting workflows and their methods, waiting for them."""

from __future__ import annotations

from infinitic_common.failures import WorkflowUnknownError
from infinitic_common.messages import DispatchMethod, DispatchWorkflow, WaitWorkflow
from infinitic_common.requesters import ClientRequester, Requester, WorkflowRequester
from infinitic_workflow_engine._core.cancels import is_canceled
from infinitic_workflow_engine._core.emissions import answer, answer_message, tag_removals, tell
from infinitic_workflow_engine._core.ends import failed_outcome
from infinitic_workflow_engine._core.executors import lacking_version
from infinitic_workflow_engine._core.runs import add_run
from infinitic_workflow_engine._core.state import MethodOutcome, MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import ANSWERS, Turn, emission


def dispatch_workflow(
    state: WorkflowState | None, message: DispatchWorkflow, turn: Turn
) -> WorkflowState:
    """Start the workflow; a second start of an id only makes its client wait."""
    if state is not None and state.started:
        _repeated_start(state, message, turn)
        return state
    state = state or WorkflowState(message.workflow_id, message.workflow_name)
    state.started = True
    state.created_at = turn.now
    state.tags = message.tags
    state.meta = dict(message.meta)
    add_run(
        state,
        MethodRun(
            method_id=message.workflow_id,
            method_name=message.method_name,
            arguments=message.arguments,
            requester=message.requester,
            waiting_clients=_waiting(message.requester, waits=message.client_waiting),
        ),
    )
    return state


def _repeated_start(state: WorkflowState, message: DispatchWorkflow, turn: Turn) -> None:
    start_of_ended(state, turn)
    waits = message.client_waiting or isinstance(message.requester, WorkflowRequester)
    if waits and not turn.is_forgotten:
        _wait(state, message.workflow_id, message.requester, turn)


def start_of_ended(state: WorkflowState, turn: Turn) -> None:
    """Whoever starts an ended workflow again has tagged it again: its tags are removed again."""
    if state.ended_at is not None:
        turn.emissions += [emission(removal) for removal in tag_removals(state)]


def _waiting(requester: Requester, *, waits: bool) -> list[str]:
    return [requester.client_name] if waits and isinstance(requester, ClientRequester) else []


def dispatch_method(state: WorkflowState, message: DispatchMethod, turn: Turn) -> None:
    """Run a method on the workflow; a second dispatch of an id does nothing."""
    known = message.method_id in state.methods or message.method_id in state.outcomes
    if known and not turn.is_forgotten:
        if message.client_waiting:
            _wait(state, message.method_id, message.requester, turn)
        return
    if _is_void(state, message.requester):
        return
    if state.ended_at is not None:
        method_unknown(message, turn)
        return
    add_run(
        state,
        MethodRun(
            method_id=message.method_id,
            method_name=message.method_name,
            arguments=message.arguments,
            requester=message.requester,
            waiting_clients=_waiting(message.requester, waits=message.client_waiting),
        ),
    )


def _is_void(state: WorkflowState, requester: Requester) -> bool:
    """Whether the run of this workflow that asks, by tag, was cancelled meanwhile."""
    if not isinstance(requester, WorkflowRequester) or requester.workflow_id != state.workflow_id:
        return False
    run = state.methods.get(requester.method_id)
    return run is None or is_canceled(state, run)


def method_unknown(message: DispatchMethod | WaitWorkflow, turn: Turn) -> None:
    """Tell the requester that there is no such workflow or run; nothing is stored for it."""
    waits = isinstance(message, WaitWorkflow) or message.client_waiting
    if isinstance(message.requester, ClientRequester) and not waits:
        return
    name = message.method_name if isinstance(message, DispatchMethod) else None
    error = WorkflowUnknownError(
        message.workflow_name, message.workflow_id, name, message.method_id
    )
    state = turn.state or WorkflowState(message.workflow_id, message.workflow_name)
    outcome = MethodOutcome(message.method_id, name or "", None, error, turn.now)
    unknown = answer_message(state, outcome, message.requester)
    turn.emissions.append(emission(unknown, wave=ANSWERS))


def wait_workflow(state: WorkflowState, message: WaitWorkflow, turn: Turn) -> None:
    """Tell the requester when the run ends or fails; at once when it has."""
    known = message.method_id in state.methods or message.method_id in state.outcomes
    if known and not turn.is_forgotten:
        _wait(state, message.method_id, message.requester, turn)
    else:
        method_unknown(message, turn)


def _wait(state: WorkflowState, method_id: str, requester: Requester, turn: Turn) -> None:
    outcome = state.outcomes.get(method_id)
    if outcome is not None:
        turn.emissions.append(answer(state, outcome, requester))
        return
    run = state.methods.get(method_id)
    if run is None:
        return
    state.dirty = _added(run, requester) or state.dirty
    lacking = lacking_version(run) if isinstance(requester, ClientRequester) else None
    error = run.stalled or lacking
    if error is not None:
        failed = failed_outcome(state, run, error, turn)
        tell(state, turn, answer_message(state, failed, requester))


def _added(run: MethodRun, requester: Requester) -> bool:
    """Whether the requester did not wait for the run yet, and does so now."""
    if isinstance(requester, ClientRequester):
        if requester.client_name in run.waiting_clients:
            return False
        run.waiting_clients.append(requester.client_name)
        return True
    if requester == run.requester or requester in run.waiting_workflows:
        return False
    run.waiting_workflows.append(requester)
    return True
