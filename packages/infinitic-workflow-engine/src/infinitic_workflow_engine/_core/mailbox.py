"""Signals that no receive has taken yet, in order of arrival."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from infinitic_common.codec import record
from infinitic_workflow_engine._core.log import Log


@record(211)
@attrs.frozen
class ParkedSignal:
    """A signal that waits."""

    channel_name: str
    signal_id: str
    value: bytes
    value_types: tuple[str, ...]


@attrs.define
class Mailbox:
    """Parked signals; those taken from the front leave the store segment by segment.

    Attributes:
        log: All signals since the first one that is still here.
        first: Index of the oldest signal not taken.
        taken: Indexes beyond ``first`` that are taken.
    """

    log: Log[ParkedSignal] = attrs.field(factory=Log[ParkedSignal])
    first: int = 0
    taken: set[int] = attrs.field(factory=set[int])

    def __len__(self) -> int:
        return len(self.log.entries) - self.first - len(self.taken)

    def park(self, signal: ParkedSignal) -> None:
        """Keep a signal."""
        self.log.append(signal)

    def waiting(self, channel_name: str) -> Iterator[tuple[int, ParkedSignal]]:
        """Signals of a channel that nobody took, oldest first, with their indexes."""
        for index, signal in self.all_waiting():
            if signal.channel_name == channel_name:
                yield index, signal

    def all_waiting(self) -> Iterator[tuple[int, ParkedSignal]]:
        """Signals that nobody took, oldest first, with their indexes."""
        for index in range(self.first, len(self.log.entries)):
            if index not in self.taken:
                yield index, self.log.entries[index]

    def take(self, indexes: list[int]) -> list[str]:
        """Remove signals; gives the keys of segments that nothing needs any more."""
        self.taken.update(indexes)
        while self.first in self.taken:
            self.taken.discard(self.first)
            self.first += 1
        return self._drop_taken()

    def _drop_taken(self) -> list[str]:
        garbage: list[str] = []
        while self.log.segments and self.log.segments[0].count <= self.first:
            segment = self.log.segments.pop(0)
            if self.log.unwritten.pop(segment.key, None) is None:
                garbage.append(segment.key)
            self._shift(segment.count)
        if not self.log.segments and self.first == len(self.log.entries):
            self.log = Log[ParkedSignal]()
            self.first = 0
        return garbage

    def _shift(self, count: int) -> None:
        del self.log.entries[:count]
        self.first -= count
        self.taken = {index - count for index in self.taken}
