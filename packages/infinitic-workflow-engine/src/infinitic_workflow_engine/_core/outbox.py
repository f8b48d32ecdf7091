"""What a state emitted and is not known to have reached the broker; and the messages it knows.

Effects refer to what the state has anyway, instead of copying it. The messages of an effect are the
same each time they are made.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b

import attrs

from infinitic_common.codec import record
from infinitic_common.requesters import Requester

REMEMBERED = 256
"""Messages known besides those of the outbox and of the last two writes."""

_ID_BYTES = 8


@record(202)
@attrs.frozen
class CommandsEffect:
    """The commands of a run at some positions leave; ``at`` is the instant they were issued."""

    method_id: str
    positions: tuple[int, ...]
    sequence: int
    at: int


@record(203)
@attrs.frozen
class OutcomeEffect:
    """How a run ended is told to a requester."""

    method_id: str
    requester: Requester


@record(204)
@attrs.frozen
class MessageEffect:
    """Any other message, encoded."""

    message: bytes
    deliver_at: int | None = None


@record(206)
@attrs.frozen
class ToldEffect:
    """An event that nothing else of the state tells of, as the array of its record.

    Without what the state has of it.
    """

    event: object


@record(207)
@attrs.frozen
class WorkflowTaskEffect:
    """The workflow task in progress leaves, with its deadline; ``at`` is when it was asked for.

    Attributes:
        state_version: Of the state whose history goes with it.
    """

    task_id: str
    attempt: int
    state_version: int
    at: int


Effect = CommandsEffect | OutcomeEffect | MessageEffect | ToldEffect | WorkflowTaskEffect


@record(205)
@attrs.frozen(eq=False)
class OutboxEntry:
    """What one turn emitted, and the messages (short hashes, joined) that caused it."""

    causes: bytes
    effects: tuple[Effect, ...]


def short_hash(message_id: str) -> bytes:
    """Eight bytes that stand for a message id."""
    return blake2b(message_id.encode(), digest_size=_ID_BYTES).digest()


def split_hashes(joined: bytes) -> list[bytes]:
    """The short hashes that were joined."""
    return [joined[i : i + _ID_BYTES] for i in range(0, len(joined), _ID_BYTES)]


@attrs.define
class Outbox:
    """Unconfirmed entries, oldest first, and known messages.

    Attributes:
        entries: Not known to have reached the broker.
        known: Short hashes of applied messages, oldest first.
        last_write: How many of them the last write brought.
        confirmed: Entries that this process saw reach the broker: the next write drops them.
    """

    entries: list[OutboxEntry] = attrs.field(factory=list[OutboxEntry])
    known: dict[bytes, None] = attrs.field(factory=dict[bytes, None])
    last_write: int = 0
    confirmed: list[OutboxEntry] = attrs.field(factory=list[OutboxEntry])

    def knows(self, message: bytes) -> bool:
        """Whether the message was applied."""
        return message in self.known or self.entry_of(message) is not None

    def entry_of(self, message: bytes) -> OutboxEntry | None:
        """The unconfirmed entry that a message caused."""
        for entry in self.entries:
            if message in split_hashes(entry.causes):
                return entry
        return None

    def add(self, causes: Collection[bytes], effects: list[Effect]) -> None:
        """Remember a turn; to be written with what it decided."""
        if effects:
            self.entries.append(OutboxEntry(b"".join(causes), tuple(effects)))
        self.known.update(dict.fromkeys(causes))
        excess = len(self.known) - (REMEMBERED + len(causes) + self.last_write)
        for message in list(self.known)[: max(0, excess)]:
            del self.known[message]
        self.last_write = len(causes)

    def drop_confirmed(self) -> None:
        """Forget the entries that this process saw reach the broker."""
        if self.confirmed:
            done = self.confirmed
            self.entries = [entry for entry in self.entries if entry not in done]
            self.confirmed = []
