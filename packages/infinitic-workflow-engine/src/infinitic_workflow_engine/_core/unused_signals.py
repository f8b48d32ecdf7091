"""What the receives of a run got, and its code never had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from infinitic_common.history import ReceiveCommand, SignalReceived
from infinitic_common.steps import evaluate
from infinitic_workflow_engine._core.mailbox import ParkedSignal
from infinitic_workflow_engine._core.state import MethodRun


def note_uses(run: MethodRun, used: Mapping[int, int] | None) -> None:
    """Take in how many signals of each receive the code has had.

    Only the code knows: a wait for what is there already leaves nothing in the history.
    """
    if used is None:
        run.signals_used = None
    elif used and run.signals_used is not None:
        run.signals_used.update(used)


def unused_signals(run: MethodRun) -> list[ParkedSignal]:
    """The signals in the order they came; none of a run whose code did not tell what it had."""
    if run.signals_used is None or not run.signal_counts:
        return []
    used = run.signals_used | _used_by_last_wait(run)
    if all(used.get(position, 0) >= count for position, count in run.signal_counts.items()):
        return []
    unused: list[ParkedSignal] = []
    counts = Counter[int]()
    for entry in run.log.entries:
        if isinstance(entry, SignalReceived):
            if counts[entry.position] >= used.get(entry.position, 0):
                unused.append(_parked(run, entry))
            counts[entry.position] += 1
    return unused


def _parked(run: MethodRun, entry: SignalReceived) -> ParkedSignal:
    command = run.commands[entry.position]
    name = command.channel_name if isinstance(command, ReceiveCommand) else ""
    return ParkedSignal(name, entry.signal_id, entry.value, entry.value_types)


def _used_by_last_wait(run: MethodRun) -> dict[int, int]:
    """What the code had from a wait after which it failed, so that it told nothing."""
    pending = run.pending
    if pending is None or run.stalled is None:
        return {}
    ended = evaluate(pending.step, lambda leaf: run.outcomes.get((leaf.position, leaf.index)))
    if ended is None or ended.error is not None or ended.order != pending.resolved:
        return {}
    return {leaf.position: leaf.index + 1 for leaf in ended.leaves}
