"""What a group of readers has still to read, and which of them reads what.

Nothing here is thread-safe: the broker's lock is held around every call.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

from infinitic_common._consumption import Delivery
from infinitic_common.transport import ReceivedMessage

PARTITIONS = 64
"""Keys are spread over that many queues, each of which has one reader at a time."""


class Reader(Protocol):
    """A consumer, as its queue sees it."""

    def wake(self) -> None:
        """Have it look for messages soon; from any thread."""
        ...


class Partition:
    """Messages of some keys, in order, and who has some that are not settled."""

    __slots__ = ("outstanding", "owner", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[ReceivedMessage] = deque()
        self.owner: Reader | None = None
        self.outstanding = 0

    @property
    def unsettled(self) -> int:
        """Messages that are not done with."""
        return len(self.waiting) + self.outstanding

    def take(self, reader: Reader, limit: int) -> list[Delivery["Partition"]]:
        """At most that many, which the reader then owns until all are settled."""
        self.owner = reader
        waiting = self.waiting
        count = min(limit, len(waiting))
        self.outstanding += count
        return [Delivery(waiting.popleft(), self) for _ in range(count)]


MemoryDelivery: TypeAlias = Delivery[Partition]


class Queue(Protocol):
    """The two ways to share messages among readers."""

    def put(self, messages: Iterable[ReceivedMessage]) -> None:
        """Add at the end."""
        ...

    def take(self, reader: Reader, readers: Sequence[Reader], limit: int) -> list[MemoryDelivery]:
        """At most that many of the messages that this one of the readers may have."""
        ...

    def unsettled(self) -> int:
        """Messages that are not done with, whether somebody has them or not."""
        ...


class SharedQueue:
    """Whoever asks first gets the oldest."""

    def __init__(self) -> None:
        self._messages = Partition()

    def put(self, messages: Iterable[ReceivedMessage]) -> None:
        """See ``Queue``."""
        self._messages.waiting.extend(messages)

    def take(
        self,
        reader: Reader,
        readers: Sequence[Reader],  # noqa: ARG002 -- all may have everything
        limit: int,
    ) -> list[MemoryDelivery]:
        """See ``Queue``."""
        return self._messages.take(reader, limit)

    def unsettled(self) -> int:
        """See ``Queue``."""
        return self._messages.unsettled


class KeyedQueue:
    """Keys are spread over partitions, and partitions over readers.

    When readers come or go, a partition changes hands only after its former reader has settled or
    given back all it had of it, so that no key is ever in two hands.
    """

    def __init__(self) -> None:
        self._partitions = [Partition() for _ in range(PARTITIONS)]
        self._next = 0

    def put(self, messages: Iterable[ReceivedMessage]) -> None:
        """See ``Queue``."""
        partitions = self._partitions
        for message in messages:
            key = message.key if message.key is not None else message.id
            partitions[hash(key) % PARTITIONS].waiting.append(message)

    def take(self, reader: Reader, readers: Sequence[Reader], limit: int) -> list[MemoryDelivery]:
        """See ``Queue``."""
        mine = readers.index(reader)
        taken: list[MemoryDelivery] = []
        start = self._next
        for index in (*range(start, PARTITIONS), *range(start)):
            partition = self._partitions[index]
            if not partition.waiting or index % len(readers) != mine:
                continue
            if partition.outstanding and partition.owner is not reader:
                continue
            taken += partition.take(reader, limit - len(taken))
            if len(taken) >= limit:
                # Whoever comes next begins elsewhere: a busy partition must not starve the others.
                self._next = (index + 1) % PARTITIONS
                break
        return taken

    def unsettled(self) -> int:
        """See ``Queue``."""
        return sum(partition.unsettled for partition in self._partitions)


def settle(deliveries: Iterable[MemoryDelivery]) -> bool:
    """Count the messages as done with; True when a partition may change hands now."""
    freed = False
    for delivery in deliveries:
        partition = delivery.token
        partition.outstanding -= 1
        freed |= not partition.outstanding
    return freed


def give_back(deliveries: Sequence[MemoryDelivery]) -> None:
    """Put the messages before all others, in the same order."""
    for delivery in reversed(deliveries):
        delivery.token.waiting.appendleft(delivery.message)
        delivery.token.outstanding -= 1
