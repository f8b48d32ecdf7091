"""Signals and receives: which receive takes which signal."""

from __future__ import annotations

from infinitic_common.events import EventType
from infinitic_common.history import ReceiveCommand
from infinitic_common.messages import SendSignal
from infinitic_common.signal_filters import accepts
from infinitic_workflow_engine._core.mailbox import ParkedSignal
from infinitic_workflow_engine._core.state import MethodRun, Receiver, WorkflowState
from infinitic_workflow_engine._core.telling import tell_signal
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.unused_signals import unused_signals
from infinitic_workflow_engine._core.waits import receive_signal


def send_signal(state: WorkflowState, message: SendSignal, turn: Turn) -> None:
    """Give the signal to the first receive that takes it, else keep it; once for each id."""
    signal = ParkedSignal(
        message.channel_name, message.signal_id, message.value, message.value_types
    )
    deliver(state, signal, turn)


def deliver(state: WorkflowState, signal: ParkedSignal, turn: Turn) -> None:
    """Give a signal to the first receive that takes it, else keep it; once for each id."""
    if state.ended_at is not None:
        _discard(state, signal, turn)
        return
    if signal.signal_id in state.signal_ids:
        return
    if not _offer(state, signal, turn):
        if signal.channel_name in state.discarding:
            _discard(state, signal, turn)
        else:
            _park(state, signal)


def _offer(state: WorkflowState, signal: ParkedSignal, turn: Turn) -> bool:
    """Give a signal to the first receive that takes it; whether there is one."""
    for receiver in state.receivers.get(signal.channel_name, ()):
        run = state.methods[receiver.method_id]
        command = run.commands[receiver.position]
        if isinstance(command, ReceiveCommand) and _takes(command, signal):
            _give(state, run, receiver.position, signal, turn)
            return True
    return False


def _park(state: WorkflowState, signal: ParkedSignal) -> None:
    state.mailbox.park(signal)
    state.signal_ids.add(signal.signal_id)
    state.dirty = True


def _discard(state: WorkflowState, signal: ParkedSignal, turn: Turn) -> None:
    event_type = EventType.SIGNAL_DISCARDED
    tell_signal(state, event_type, signal.signal_id, signal.channel_name, turn)


def open_receive(state: WorkflowState, run: MethodRun, position: int, turn: Turn) -> None:
    """A run receives: it takes what waits for it, then what comes, up to its limit."""
    command = run.commands[position]
    if not isinstance(command, ReceiveCommand):
        return
    state.receivers.setdefault(command.channel_name, []).append(Receiver(run.method_id, position))
    taken: list[int] = []
    for index, signal in state.mailbox.waiting(command.channel_name):
        if command.limit is not None and len(taken) >= command.limit:
            break
        if _takes(command, signal):
            taken.append(index)
            _give(state, run, position, signal, turn)
    if taken:
        state.garbage += state.mailbox.take(taken)


def give_back(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    """The code of a run is over: what its receives got and it never had, goes to others.

    Other receives that are open take it; the rest waits again, before what waits already.
    """
    close_receives(state, run)
    unused = [s for s in unused_signals(run) if s.channel_name not in state.discarding]
    rest = [signal for signal in unused if not _offer(state, signal, turn)]
    channels = {signal.channel_name for signal in rest}
    later = [(i, s) for i, s in state.mailbox.all_waiting() if s.channel_name in channels]
    for signal in (*rest, *(signal for _, signal in later)):
        _park(state, signal)
    if later:
        state.garbage += state.mailbox.take([index for index, _ in later])


def close_receives(state: WorkflowState, run: MethodRun) -> None:
    """A run receives no more."""
    for channel, receivers in list(state.receivers.items()):
        remaining = [r for r in receivers if r.method_id != run.method_id]
        if remaining:
            state.receivers[channel] = remaining
        else:
            del state.receivers[channel]


def _takes(command: ReceiveCommand, signal: ParkedSignal) -> bool:
    return accepts(command, signal.value, signal.value_types)


def _give(
    state: WorkflowState, run: MethodRun, position: int, signal: ParkedSignal, turn: Turn
) -> None:
    event_type = EventType.SIGNAL_RECEIVED
    tell_signal(state, event_type, signal.signal_id, signal.channel_name, turn)
    state.signal_ids.add(signal.signal_id)
    receive_signal(state, run, position, signal)
    command = run.commands[position]
    limit = command.limit if isinstance(command, ReceiveCommand) else None
    if limit is not None and run.signal_counts[position] >= limit:
        _close(state, run, position, signal.channel_name)


def _close(state: WorkflowState, run: MethodRun, position: int, channel_name: str) -> None:
    receivers = state.receivers.get(channel_name, [])
    remaining = [r for r in receivers if (r.method_id, r.position) != (run.method_id, position)]
    state.receivers[channel_name] = remaining
