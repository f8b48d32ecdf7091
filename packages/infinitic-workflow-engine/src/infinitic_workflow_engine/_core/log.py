"""An append-only log of a method run (or of a mailbox): each entry is encoded once.

Old entries move into sealed segments, stored apart under a key that has the hash of their content
and of the version they were sealed for, so that a step writes what it adds and not what there was.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Generic, TypeVar, cast

import attrs

from infinitic_common.codec import decode, encode, record

E = TypeVar("E")

SEAL_BYTES = 16 * 1024
SEAL_ENTRIES = 128


@record(200)
@attrs.frozen
class Segment:
    """The content of a sealed segment: encoded entries."""

    entries: tuple[bytes, ...]


@record(201)
@attrs.frozen
class SegmentReference:
    """Where a sealed segment is, and how many entries it has."""

    key: str
    count: int


@attrs.define
class Log(Generic[E]):
    """Entries in the order things happened; an entry's index is its time.

    Attributes:
        entries: All of them, decoded.
        tail: Those that no segment has, encoded.
        segments: The sealed ones, oldest first.
        unwritten: Segments, by key, that no write has stored yet.
        sealed: The entries of the segments, encoded; None as long as nobody asked for them.
    """

    entries: list[E] = attrs.field(factory=lambda: cast("list[E]", []))
    tail: list[bytes] = attrs.field(factory=list[bytes])
    segments: list[SegmentReference] = attrs.field(factory=list[SegmentReference])
    unwritten: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    tail_bytes: int = 0
    sealed: list[bytes] | None = attrs.field(default=None, eq=False, repr=False)

    def append(self, entry: E) -> int:
        """Add an entry; gives its index."""
        data = encode(entry)
        self.entries.append(entry)
        self.tail.append(data)
        self.tail_bytes += len(data)
        return len(self.entries) - 1

    def encoded(self, until: int) -> tuple[bytes, ...]:
        """The entries before index ``until``, encoded."""
        if self.sealed is None:
            count = len(self.entries) - len(self.tail)
            self.sealed = [encode(entry) for entry in self.entries[:count]]
        return (*self.sealed, *self.tail)[:until]

    def seal(self, workflow_id: str, version: int) -> None:
        """Move the tail into segments when it has become long.

        Args:
            workflow_id: Whose log it is.
            version: Of the state that is to be replaced: only its next write can list the segment.
        """
        if self.tail_bytes < SEAL_BYTES and len(self.tail) < SEAL_ENTRIES:
            return
        data = encode(Segment(tuple(self.tail)))
        salt = version.to_bytes(8, "big")
        digest = blake2b(data, digest_size=16, salt=salt).hexdigest()
        key = f"workflow.segment.{workflow_id}.{digest}"
        self.unwritten[key] = data
        self.segments.append(SegmentReference(key, len(self.tail)))
        if self.sealed is not None:
            self.sealed += self.tail
        self.tail = []
        self.tail_bytes = 0

    def restore(self, tail: tuple[bytes, ...], sealed: dict[str, bytes]) -> None:
        """Read the entries back, from the content of the segments (by key) and the tail."""
        for reference in self.segments:
            self._read(cast("Segment", decode(sealed[reference.key])).entries)
        self._read(tail)
        self.tail = list(tail)
        self.tail_bytes = sum(map(len, tail))

    def _read(self, encoded: tuple[bytes, ...]) -> None:
        self.entries.extend(cast("E", decode(data)) for data in encoded)
