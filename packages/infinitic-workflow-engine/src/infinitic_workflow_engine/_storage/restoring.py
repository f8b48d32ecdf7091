"""A state from its stored form: what no field keeps is derived from the history again."""

from __future__ import annotations

from infinitic_common.history import (
    CommandCompleted,
    CommandFailed,
    CommandIssued,
    CommandRetried,
    Entry,
    MethodStarted,
    RunCanceled,
    RunFailed,
    SignalReceived,
    StepEnded,
    StepStarted,
)
from infinitic_common.steps import Outcome, step_from_plain
from infinitic_workflow_engine._core.cancels import INTERRUPTED
from infinitic_workflow_engine._core.log import Log
from infinitic_workflow_engine._core.mailbox import Mailbox, ParkedSignal
from infinitic_workflow_engine._core.outbox import Outbox, split_hashes
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.unused_signals import note_uses
from infinitic_workflow_engine._core.waits import pending_step, resolution_order
from infinitic_workflow_engine._core.workflow_tasks import register
from infinitic_workflow_engine._storage.format import StoredRun, StoredState


def from_head(head: StoredState, segments: dict[str, bytes], version: int) -> WorkflowState:
    """The state of a head and its segments, by key."""
    state = WorkflowState(
        workflow_id=head.workflow_id,
        workflow_name=head.workflow_name,
        version=version,
        workflow_version=head.workflow_version,
        tags=head.tags,
        meta=dict(head.meta),
        started=head.started,
        created_at=head.created_at,
        running=head.running,
        properties=dict(head.properties),
        values=dict(head.values),
        receivers={channel.name: list(channel.receivers) for channel in head.channels},
        mailbox=_mailbox(head, segments),
        discarding=head.discarding,
        outcomes={outcome.method_id: outcome for outcome in head.outcomes},
        outbox=_outbox(head),
        ended_at=head.ended_at,
        garbage=list(head.garbage),
        ready=list(head.ready),
    )
    for stored in head.runs:
        state.methods[stored.method_id] = _run(stored, segments)
    _collect_signal_ids(state)
    _collect_values(state)
    for method_id in state.ready:
        _queued(state.methods[method_id])
    return state


def _mailbox(head: StoredState, segments: dict[str, bytes]) -> Mailbox:
    log = Log[ParkedSignal](segments=list(head.mailbox.segments))
    log.restore(head.mailbox.tail, segments)
    return Mailbox(log, head.mailbox_first, set(head.mailbox_taken))


def _outbox(head: StoredState) -> Outbox:
    known = dict.fromkeys(split_hashes(head.known))
    return Outbox(list(head.outbox), known, head.last_write)


def _run(stored: StoredRun, segments: dict[str, bytes]) -> MethodRun:
    log = Log[Entry](segments=list(stored.log.segments))
    log.restore(stored.log.tail, segments)
    run = MethodRun(
        method_id=stored.method_id,
        method_name=stored.method_name,
        arguments=stored.arguments,
        requester=stored.requester,
        waiting_clients=list(stored.waiting_clients),
        waiting_workflows=list(stored.waiting_workflows),
        log=log,
        returned=stored.returned,
        retry=stored.retry,
        retries=stored.retries,
    )
    for order, entry in enumerate(log.entries):
        _replay(run, order, entry)
    return run


def _replay(run: MethodRun, order: int, entry: Entry) -> None:
    """Derive from an entry what was derived when it was made."""
    match entry:
        case CommandIssued():
            register(run, entry, order)
        case CommandCompleted(position=position):
            _ended(run, (position, 0), Outcome(order))
        case CommandFailed(position=position, error=error):
            _ended(run, (position, 0), Outcome(order, error=error))
        case CommandRetried(position=position, sequence=sequence):
            run.outcomes.pop((position, 0), None)
            run.ongoing.add(position)
            run.sequences[position] = sequence
            _reopen(run, position)
        case SignalReceived(position=position):
            count = run.signal_counts.get(position, 0)
            run.signal_counts[position] = count + 1
            _ended(run, (position, count), Outcome(order))
        case StepStarted(position=position, step=step, shielded=shielded, signals_used=used):
            note_uses(run, used)
            run.pending = pending_step(run, position, step_from_plain(step))
            run.shielded = shielded
        case MethodStarted() | StepEnded():
            _resumed(run, order, entry)
        case RunCanceled():
            _canceled(run, order, entry)
        case RunFailed(error=error):
            run.stalled = error


def _ended(run: MethodRun, leaf: tuple[int, int], outcome: Outcome) -> None:
    run.outcomes[leaf] = outcome
    run.ongoing.discard(leaf[0])
    if run.pending is not None:
        run.pending.missing.discard(leaf)


def _reopen(run: MethodRun, position: int) -> None:
    pending = run.pending
    if pending is not None and (position, 0) in pending.leaves:
        pending.missing.add((position, 0))
        if run.stalled is not None and resolution_order(run, pending) is None:
            pending.resolved = None
            run.stalled = None


def _canceled(run: MethodRun, order: int, entry: RunCanceled) -> None:
    run.canceled = True
    run.ongoing.clear()
    if entry.position is not None:
        _resumed(run, order, entry)
        if run.pending is not None:
            run.pending.resolved = INTERRUPTED


def _resumed(run: MethodRun, order: int, entry: MethodStarted | StepEnded | RunCanceled) -> None:
    run.resumed_at = order + 1
    run.stalled = None
    run.known_values.update(entry.values)
    if entry.properties is not None:
        run.snapshot = dict(entry.properties)
    if run.pending is not None and isinstance(entry, StepEnded):
        run.pending.resolved = resolution_order(run, run.pending)


def _collect_signal_ids(state: WorkflowState) -> None:
    for _, signal in state.mailbox.all_waiting():
        state.signal_ids.add(signal.signal_id)
    for run in state.methods.values():
        for entry in run.log.entries:
            if isinstance(entry, SignalReceived):
                state.signal_ids.add(entry.signal_id)


def _collect_values(state: WorkflowState) -> None:
    needed = set(state.properties.values()) - set(state.values)
    for run in state.methods.values():
        for entry in run.log.entries:
            if needed and isinstance(entry, MethodStarted | StepEnded | RunCanceled):
                found = needed & set(entry.values)
                state.values.update({digest: entry.values[digest] for digest in found})
                needed -= found


def _queued(run: MethodRun) -> None:
    if run.pending is not None:
        order = resolution_order(run, run.pending)
        # One that is queued without an outcome has been cancelled.
        run.pending.resolved = INTERRUPTED if order is None else order
