"""What commands of a run give, and whether that ends the wait of the run."""

from __future__ import annotations

from infinitic_common.failures import (
    DeferredError,
    WorkflowCanceledError,
    WorkflowTimedOutError,
)
from infinitic_common.history import (
    CommandCompleted,
    CommandFailed,
    CommandRetried,
    SignalReceived,
    TaskCommand,
)
from infinitic_common.steps import AllOf, Leaf, Outcome, Resolution, Step, evaluate, leaves_of
from infinitic_workflow_engine._core.mailbox import ParkedSignal
from infinitic_workflow_engine._core.state import LeafKey, MethodRun, PendingStep, WorkflowState


def complete_command(state: WorkflowState, run: MethodRun, position: int, value: bytes) -> None:
    """A command has its value; nothing happens when it has already ended for good."""
    existing = run.outcomes.get((position, 0))
    if existing is not None and not _may_still_succeed(existing):
        return
    order = run.log.append(CommandCompleted(position, value))
    _record(state, run, (position, 0), Outcome(order))
    if existing is not None:
        go_on_mended(state, run)


def fail_command(state: WorkflowState, run: MethodRun, position: int, error: DeferredError) -> None:
    """A command has no value; nothing happens when it has already ended, or it fails anew."""
    existing = run.outcomes.get((position, 0))
    if existing is not None and not _fails_anew(run, position, existing, error):
        return
    order = run.log.append(CommandFailed(position, error))
    _record(state, run, (position, 0), Outcome(order, error=error))


def _fails_anew(run: MethodRun, position: int, before: Outcome, error: DeferredError) -> bool:
    """Whether a child failed again, while the run is stalled by its failure.

    It went on meanwhile, which nobody was told: whoever waits for the run is told again.
    """
    if run.stalled is None or run.pending is None or not _may_still_succeed(before):
        return False
    waits = (position, 0) in run.pending.leaves
    task = isinstance(run.commands[position], TaskCommand)
    return waits and not task and not isinstance(error, WorkflowTimedOutError)


def receive_signal(
    state: WorkflowState, run: MethodRun, position: int, signal: ParkedSignal
) -> None:
    """A receive gets its next signal."""
    count = run.signal_counts.get(position, 0)
    run.signal_counts[position] = count + 1
    entry = SignalReceived(position, signal.signal_id, signal.value, signal.value_types)
    order = run.log.append(entry)
    _record(state, run, (position, count), Outcome(order))


def restart_command(state: WorkflowState, run: MethodRun, position: int) -> None:
    """A task runs again: as if it had no outcome yet."""
    sequence = run.sequences.get(position, 0) + 1
    run.sequences[position] = sequence
    run.log.append(CommandRetried(position, sequence))
    run.outcomes.pop((position, 0), None)
    run.ongoing.add(position)
    state.dirty = True
    pending = run.pending
    if pending is not None and (position, 0) in pending.leaves:
        pending.missing.add((position, 0))
        if run.stalled is not None and resolution_order(run, pending) is None:
            pending.resolved = None
            run.stalled = None


def go_on_mended(state: WorkflowState, run: MethodRun) -> None:
    """A command that failed is retried, or has its value after all: what stalled runs again.

    Not when the last wait itself failed as the run did: that ends anew by itself. Elsewhere the code
    was told of a failure without waiting for it, which leaves nothing in the history.
    """
    pending = run.pending
    if run.stalled is None or pending is None or run.method_id in state.ready:
        return
    resolution = _resolution(run, pending)
    if pending.resolved is None or (resolution is not None and resolution.error == run.stalled):
        return
    run.stalled = None
    state.ready.append(run.method_id)
    state.dirty = True


def _may_still_succeed(outcome: Outcome) -> bool:
    """What timed out goes on and may have a value later; a cancellation is for good."""
    return outcome.error is not None and not isinstance(outcome.error, WorkflowCanceledError)


def _record(state: WorkflowState, run: MethodRun, leaf: LeafKey, outcome: Outcome) -> None:
    run.outcomes[leaf] = outcome
    run.ongoing.discard(leaf[0])
    state.dirty = True
    pending = run.pending
    if pending is None or leaf not in pending.leaves:
        return
    pending.missing.discard(leaf)
    if pending.plain and pending.missing and outcome.error is None and run.stalled is None:
        return
    _check(state, run, pending)


def await_step(state: WorkflowState, run: MethodRun, position: int, step: Step) -> None:
    """The run waits; it goes on at once when what it waits for is there."""
    run.pending = pending = pending_step(run, position, step)
    if not (isinstance(step, Leaf) and pending.missing):
        _check(state, run, pending)


def pending_step(run: MethodRun, position: int, step: Step) -> PendingStep:
    """What is missing for a step."""
    if isinstance(step, Leaf):
        leaf = step.position, step.index
        missing = set[LeafKey]() if leaf in run.outcomes else {leaf}
        return PendingStep(position, step, frozenset((leaf,)), missing, plain=True)
    leaves = frozenset((leaf.position, leaf.index) for leaf in leaves_of(step))
    missing = {leaf for leaf in leaves if leaf not in run.outcomes}
    plain = isinstance(step, AllOf) and all(isinstance(member, Leaf) for member in step.members)
    return PendingStep(position, step, leaves, missing, plain)


def _check(state: WorkflowState, run: MethodRun, pending: PendingStep) -> None:
    """Queue the run when its wait has ended, or has ended in another way than when it stalled."""
    order = resolution_order(run, pending)
    if order is None or order == pending.resolved:
        return
    if pending.resolved is not None and run.stalled is None:
        return
    pending.resolved = order
    state.ready.append(run.method_id)
    state.dirty = True


def resolution_order(run: MethodRun, pending: PendingStep) -> int | None:
    """When what the run waits for ended; None while it has not."""
    resolution = _resolution(run, pending)
    return None if resolution is None else resolution.order


def _resolution(run: MethodRun, pending: PendingStep) -> Resolution | None:
    return evaluate(pending.step, lambda leaf: run.outcomes.get((leaf.position, leaf.index)))
