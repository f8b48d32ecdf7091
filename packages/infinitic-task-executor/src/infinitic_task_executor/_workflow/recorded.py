"""What a history has at each position, for replay."""

from collections.abc import Sequence

from infinitic_common.history import (
    CommandIssued,
    Entry,
    MethodStarted,
    RunCanceled,
    StepEnded,
    StepStarted,
)


class Recorded:
    """The commands and waits of a history, by position.

    Attributes:
        start: Index of the entry that began the run.
        last: The highest position; -1 when there is none.
    """

    __slots__ = ("_commands", "_ends", "_steps", "last", "start")

    def __init__(self, entries: Sequence[Entry], visible: int) -> None:
        """Read the first ``visible`` entries."""
        self.start = 0
        self._commands: dict[int, tuple[CommandIssued, int]] = {}
        self._steps: dict[int, StepStarted] = {}
        self._ends: dict[int, int] = {}
        for index in range(visible):
            entry = entries[index]
            if isinstance(entry, CommandIssued):
                self._commands[entry.position] = (entry, index)
            elif isinstance(entry, StepStarted):
                self._steps[entry.position] = entry
            elif isinstance(entry, StepEnded | RunCanceled):
                if entry.position is not None:
                    self._ends[entry.position] = index
            elif isinstance(entry, MethodStarted):
                self.start = index
        self.last = max((*self._commands, *self._steps, *self._ends), default=-1)

    def command(self, position: int) -> tuple[CommandIssued, int] | None:
        """The command at a position and its index."""
        return self._commands.get(position)

    def step(self, position: int) -> StepStarted | None:
        """The wait at a position."""
        return self._steps.get(position)

    def end(self, position: int) -> int | None:
        """Index of the entry that ended the wait at a position."""
        return self._ends.get(position)

    def beyond(self, position: int) -> CommandIssued | StepStarted | None:
        """The first command or wait that the history has at or after a position."""
        for later in range(position, self.last + 1):
            command = self._commands.get(later)
            found = command[0] if command else self._steps.get(later)
            if found:
                return found
        return None


NOTHING_RECORDED = Recorded((), 0)
"""What a run that has replayed its history keeps."""
