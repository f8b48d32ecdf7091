"""What a run may know at some point of its code: the history up to the entry that resumed it."""

from collections.abc import Mapping, Sequence

from infinitic_common.history import (
    CommandCompleted,
    CommandFailed,
    CommandIssued,
    CommandRetried,
    Entry,
    InlineCommand,
    MethodStarted,
    RunCanceled,
    SendSignalCommand,
    SignalReceived,
    StepEnded,
    StepStarted,
)
from infinitic_common.steps import Leaf, Outcome

NONE = b"\xf6"
"""None, encoded."""


class Seen:
    """The outcomes and the properties as of the last entry seen.

    Live runs and replay feed it the same entries in the same portions, so that both know the same
    at the same point of the code.

    Attributes:
        at: Milliseconds since the epoch of the event that let the code go on.
        count: Number of entries seen.
        canceled: Whether the run was cancelled.
        snapshot: Hashes of properties by name; None before there is any.
        values: Encoded property values by hash.
    """

    __slots__ = ("_born", "_outcomes", "_signals", "at", "canceled", "count", "snapshot", "values")

    def __init__(self) -> None:
        """Nothing has been seen."""
        self.at = 0
        self.canceled = False
        self.count = 0
        self.snapshot: Mapping[str, bytes] | None = None
        self.values: dict[bytes, bytes] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._signals: dict[int, list[Outcome]] = {}
        self._born = 0

    def see(self, entries: Sequence[Entry], until: int) -> None:
        """Take in the entries before index ``until`` that are new."""
        outcomes = self._outcomes
        for order in range(self.count, until):
            entry = entries[order]
            if isinstance(entry, StepStarted):
                continue
            if isinstance(entry, CommandCompleted):
                outcomes[entry.position] = Outcome(order, entry.value)
            elif isinstance(entry, CommandIssued):
                if isinstance(entry.command, (InlineCommand, SendSignalCommand)):
                    outcomes[entry.position] = Outcome(order, value_at_birth(entry.command))
            elif isinstance(entry, (StepEnded, MethodStarted, RunCanceled)):
                self._resume(entry)
            elif isinstance(entry, SignalReceived):
                signals = self._signals.setdefault(entry.position, [])
                signals.append(Outcome(order, entry.value))
            elif isinstance(entry, CommandFailed):
                outcomes[entry.position] = Outcome(order, error=entry.error)
            elif isinstance(entry, CommandRetried):
                outcomes.pop(entry.position, None)
        self.count = until
        self._born = until

    def bear(
        self, position: int, command: InlineCommand | SendSignalCommand, order: int | None
    ) -> None:
        """Note a command that has its value from the start.

        Args:
            position: Of the command.
            command: The command.
            order: Its place in the history; None when it is not there yet: behind all there is.
        """
        if order is None:
            order = self._born
            self._born += 1
        self._outcomes[position] = Outcome(order, value_at_birth(command))

    def outcome_of(self, leaf: Leaf) -> Outcome | None:
        """How the command of a leaf ended; None while it has not."""
        signals = self._signals.get(leaf.position)
        if signals is not None and leaf.index < len(signals):
            return signals[leaf.index]
        return self._outcomes.get(leaf.position)

    def is_signal(self, leaf: Leaf) -> bool:
        """Whether a leaf is a signal that a receive got."""
        return leaf.position in self._signals

    def _resume(self, entry: MethodStarted | StepEnded | RunCanceled) -> None:
        self.at = entry.at
        if isinstance(entry, RunCanceled):
            self.canceled = True
        if entry.properties is not None:
            self.snapshot = entry.properties
        if entry.values:
            self.values.update(entry.values)


def value_at_birth(command: InlineCommand | SendSignalCommand) -> bytes:
    """The value of a command that has it from the start."""
    return command.value if isinstance(command, InlineCommand) else NONE
