"""How runs and workflows end or fail, and who is told."""

from __future__ import annotations

from infinitic_common.events import EventType
from infinitic_common.failures import DeferredError, WorkflowFailedError
from infinitic_common.history import SendSignalCommand, SignalReceived
from infinitic_common.requesters import ClientRequester, Requester, WorkflowRequester
from infinitic_workflow_engine._core.cancels import can_clean_up, clean_up, is_canceled
from infinitic_workflow_engine._core.channels import close_receives, give_back
from infinitic_workflow_engine._core.dispatches import command_emissions, void_emissions
from infinitic_workflow_engine._core.emissions import answer_message, emit, tag_removals, tell
from infinitic_workflow_engine._core.mailbox import Mailbox
from infinitic_workflow_engine._core.outbox import (
    CommandsEffect,
    Effect,
    MessageEffect,
    OutboxEntry,
    OutcomeEffect,
)
from infinitic_workflow_engine._core.state import MethodOutcome, MethodRun, WorkflowState
from infinitic_workflow_engine._core.task_tags import untag_tasks
from infinitic_workflow_engine._core.telling import (
    duration,
    tell_completed,
    tell_failed,
    tell_run,
    tell_workflow,
)
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.unused_signals import unused_signals
from infinitic_workflow_engine._core.waits import complete_command, fail_command

REMEMBERED_OUTCOMES = 32
"""Ended runs of a workflow that is still running whose outcome is kept."""


def run_failed(state: WorkflowState, run: MethodRun, error: DeferredError, turn: Turn) -> None:
    """Tell everyone who waits for the run that it failed for now; clients wait on.

    Of a cancelled one that fails to clean up nobody is told any more.
    """
    if is_canceled(state, run):
        return
    tell_failed(state, run, error, turn)
    outcome = failed_outcome(state, run, error, turn)
    for requester in _waiting_for(run):
        if _is_own(state, requester):
            _tell_own(state, outcome, requester, turn)
        else:
            tell(state, turn, answer_message(state, outcome, requester))


def tell_clients(state: WorkflowState, run: MethodRun, error: DeferredError, turn: Turn) -> None:
    """Tell the clients who wait for the run that it failed for now; they wait on."""
    outcome = failed_outcome(state, run, error, turn)
    for name in run.waiting_clients:
        tell(state, turn, answer_message(state, outcome, ClientRequester(name)))


def failed_outcome(
    state: WorkflowState, run: MethodRun, error: DeferredError, turn: Turn
) -> MethodOutcome:
    """What is told of a run that failed for now: it, and within it the reason."""
    told = WorkflowFailedError(
        state.workflow_name, state.workflow_id, run.method_name, run.method_id, error
    )
    generation = len(run.log.entries)
    return MethodOutcome(run.method_id, run.method_name, None, told, turn.now, generation)


def run_returned(state: WorkflowState, run: MethodRun, value: bytes, turn: Turn) -> None:
    """The code of a run returned: everyone is told; the run ends when its tasks have."""
    canceled = is_canceled(state, run)
    run.returned = True
    run.pending = None
    state.dirty = True
    if len(state.methods) > 1 or run.ongoing:
        give_back(state, run, turn)
    if not canceled:
        outcome = MethodOutcome(run.method_id, run.method_name, value, None, turn.now)
        state.outcomes[run.method_id] = outcome
        tell_completed(state, run, value, turn)
        _tell_outcome(state, run, outcome, turn)
    end_if_finished(state, run, turn)


def cancel_run(state: WorkflowState, run: MethodRun, error: DeferredError, turn: Turn) -> None:
    """A run is cancelled: everyone is told at once; it ends when its code has cleaned up.

    Cancelled again, it ends as it is when that has failed.
    """
    if is_canceled(state, run):
        if run.stalled is not None:
            end_run(state, run, turn)
        return
    outcome = MethodOutcome(run.method_id, run.method_name, None, error, turn.now)
    state.outcomes[run.method_id] = outcome
    took = duration(run, turn)
    tell_run(state, run, EventType.METHOD_CANCELED, turn, duration_ms=took, remember=True)
    _tell_outcome(state, run, outcome, turn)
    run.retry, run.retries = None, 0
    if can_clean_up(run):
        untag_tasks(state, run, turn)
        clean_up(state, run, turn)
    else:
        end_run(state, run, turn)


def _tell_outcome(state: WorkflowState, run: MethodRun, outcome: MethodOutcome, turn: Turn) -> None:
    for requester in _waiting_for(run):
        if _is_own(state, requester):
            _tell_own(state, outcome, requester, turn)
        else:
            emit(state, turn, OutcomeEffect(run.method_id, requester))
    run.waiting_clients = []
    run.waiting_workflows = []


def _waiting_for(run: MethodRun) -> list[Requester]:
    clients: list[Requester] = [ClientRequester(name) for name in run.waiting_clients]
    parent = [run.requester] if isinstance(run.requester, WorkflowRequester) else []
    return [*parent, *run.waiting_workflows, *clients]


def _is_own(state: WorkflowState, requester: Requester) -> bool:
    return isinstance(requester, WorkflowRequester) and requester.workflow_id == state.workflow_id


def _tell_own(
    state: WorkflowState, outcome: MethodOutcome, requester: Requester, turn: Turn
) -> None:
    """A run of this workflow waits for another one: no message is needed."""
    if not isinstance(requester, WorkflowRequester):
        return
    waiting = state.methods.get(requester.method_id)
    if waiting is None:
        return
    if outcome.error is not None:
        fail_command(state, waiting, requester.position, outcome.error)
    elif outcome.value is not None:
        complete_command(state, waiting, requester.position, outcome.value)
    end_if_finished(state, waiting, turn)


def end_if_finished(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    """A run that returned ends when nothing that it dispatched is running."""
    if run.finished and run.method_id in state.methods:
        end_run(state, run, turn)


def end_run(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    """Drop a run and its history; the workflow ends with its last run."""
    untag_tasks(state, run, turn)
    _keep_remainder(state, run, turn)
    if not run.returned and len(state.methods) > 1:
        give_back(state, run, turn)
    del state.methods[run.method_id]
    turn.ended_methods.append(run.method_id)
    turn.ended_runs.append(run)
    state.garbage += [s.key for s in run.log.segments if s.key not in run.log.unwritten]
    _forget_signals(state, run)
    if state.running is not None and state.running.method_id == run.method_id:
        state.running = None
    if state.methods:
        _limit_outcomes(state)
    else:
        _end_workflow(state, turn)
    state.dirty = True


def _forget_signals(state: WorkflowState, run: MethodRun) -> None:
    """Its receives are closed, and the ids of the signals that it had are free.

    Those of signals that others have now are not.
    """
    close_receives(state, run)
    if run.signal_counts:
        elsewhere = {signal.signal_id for signal in unused_signals(run)}
        received = [entry for entry in run.log.entries if isinstance(entry, SignalReceived)]
        state.signal_ids.difference_update({e.signal_id for e in received} - elsewhere)


def _limit_outcomes(state: WorkflowState) -> None:
    effects = [effect for entry in state.outbox.entries for effect in entry.effects]
    needed = {effect.method_id for effect in effects if isinstance(effect, OutcomeEffect)}
    spare = [m for m in state.outcomes if m not in needed and m not in state.methods]
    for method_id in spare[: max(0, len(spare) - REMEMBERED_OUTCOMES)]:
        del state.outcomes[method_id]


def _end_workflow(state: WorkflowState, turn: Turn) -> None:
    state.ended_at = turn.now
    main = state.outcomes.get(state.workflow_id)
    if main is None or main.error is None:
        took = float(turn.now - state.created_at)
        tell_workflow(state, EventType.COMPLETED, turn, duration_ms=took)
    state.ready = []
    state.running = None
    state.properties = {}
    state.values = {}
    state.receivers = {}
    log = state.mailbox.log
    state.garbage += [s.key for s in log.segments if s.key not in log.unwritten]
    state.mailbox = Mailbox()
    state.signal_ids = set()
    for message in tag_removals(state):
        tell(state, turn, message)


def _keep_remainder(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    """Copy the signals that the outbox only refers to, before the run's history goes.

    Of what else a run dispatched nothing matters once it is over, except what must be taken back.
    """
    entries = state.outbox.entries
    for index, entry in enumerate(entries):
        effects = _kept(state, run, entry.effects)
        if effects != entry.effects:
            entries[index] = OutboxEntry(entry.causes, effects)
    turn.effects = list(_kept(state, run, tuple(turn.effects)))


def _kept(state: WorkflowState, run: MethodRun, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    kept: list[Effect] = []
    for effect in effects:
        if isinstance(effect, CommandsEffect) and effect.method_id == run.method_id:
            kept.extend(_remainder(state, run, effect))
        else:
            kept.append(effect)
    return tuple(kept)


def _remainder(state: WorkflowState, run: MethodRun, effect: CommandsEffect) -> list[Effect]:
    return [
        MessageEffect(emission.message.body)
        for position in effect.positions
        for emission in (
            command_emissions(state, run, position, effect)
            if isinstance(run.commands[position], SendSignalCommand)
            else void_emissions(state, run, position)
        )
    ]
