"""Starting workflows and their methods, waiting for them, cancelling them."""

from __future__ import annotations

from infinitic_common.command_ids import command_id
from infinitic_common.failures import WorkflowCanceledError, WorkflowUnknownError
from infinitic_common.history import ChildWorkflowCommand, RemoteMethodCommand
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    CancelWorkflow,
    DispatchMethod,
    DispatchWorkflow,
    WaitWorkflow,
)
from infinitic_common.requesters import ClientRequester, Requester, WorkflowRequester
from infinitic_workflow_engine._core.emissions import (
    answer,
    answer_message,
    requester_of,
    tag_removals,
)
from infinitic_workflow_engine._core.ends import cancel_run, failed_outcome, tell
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
    if state.ended_at is not None:
        for removal in tag_removals(state):
            tell(state, turn, removal)
    if message.client_waiting or isinstance(message.requester, WorkflowRequester):
        _wait(state, message.workflow_id, message.requester, turn)


def _waiting(requester: Requester, *, waits: bool) -> list[str]:
    return [requester.client_name] if waits and isinstance(requester, ClientRequester) else []


def dispatch_method(state: WorkflowState, message: DispatchMethod, turn: Turn) -> None:
    """Run a method on the workflow; a second dispatch of an id does nothing."""
    if message.method_id in state.methods or message.method_id in state.outcomes:
        if message.client_waiting:
            _wait(state, message.method_id, message.requester, turn)
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
    """Tell the client when the run ends or fails; at once when it has."""
    if message.method_id in state.methods or message.method_id in state.outcomes:
        _wait(state, message.method_id, message.requester, turn)
    else:
        method_unknown(message, turn)


def _wait(state: WorkflowState, method_id: str, requester: Requester, turn: Turn) -> None:
    outcome = state.outcomes.get(method_id)
    if outcome is not None:
        turn.emissions.append(answer(state, outcome, requester))
        return
    run = state.methods.get(method_id)
    if run is None or not isinstance(requester, ClientRequester):
        return
    if requester.client_name not in run.waiting_clients:
        run.waiting_clients.append(requester.client_name)
        state.dirty = True
    if run.stalled is not None:
        failed = failed_outcome(state, run, run.stalled, turn)
        tell(state, turn, answer_message(state, failed, requester))


def cancel_workflow(state: WorkflowState, message: CancelWorkflow, turn: Turn) -> None:
    """Cancel one run or all; children that still run are cancelled too."""
    runs = [run for run in state.methods.values() if message.method_id in (None, run.method_id)]
    for run in runs:
        if run.method_id in state.methods:
            _cancel_children(state, run, turn)
            error = WorkflowCanceledError(
                state.workflow_name, state.workflow_id, run.method_name, run.method_id
            )
            if run.returned:
                run.ongoing.clear()
            cancel_run(state, run, error, turn)


def _cancel_children(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    for position in sorted(run.ongoing):
        command = run.commands[position]
        requester = requester_of(state, run, position)
        target: tuple[str, str, str | None]
        if isinstance(command, ChildWorkflowCommand):
            target = (command.workflow_name, _child_id(state, run, position), None)
        elif isinstance(command, RemoteMethodCommand) and command.workflow_id is not None:
            child_id = _child_id(state, run, position)
            target = (command.workflow_name, command.workflow_id, child_id)
        else:
            continue
        identifier = derived_id("cancel", run.method_id, position)
        name, workflow_id, method_id = target
        if workflow_id != state.workflow_id:
            cancel = CancelWorkflow(identifier, name, workflow_id, method_id, requester, turn.now)
            tell(state, turn, cancel)


def _child_id(state: WorkflowState, run: MethodRun, position: int) -> str:
    return command_id(state.workflow_id, run.method_id, position)
