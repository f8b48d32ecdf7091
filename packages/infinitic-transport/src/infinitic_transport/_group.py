"""Consumers that share a subscription."""

import heapq
from collections.abc import Sequence

import attrs

from infinitic_common.transport import ReceivedMessage, Subscription, Topic
from infinitic_transport._queues import (
    KeyedQueue,
    MemoryDelivery,
    Queue,
    Reader,
    SharedQueue,
)


@attrs.frozen
class GroupName:
    """What makes two subscriptions share their messages."""

    name: str
    topics: frozenset[Topic]
    ordered: bool

    @classmethod
    def of(cls, subscription: Subscription) -> "GroupName":
        """The name of the group that the subscription joins."""
        return cls(subscription.name, frozenset(subscription.topics), subscription.ordered)


@attrs.frozen(eq=False)
class Stored:
    """A message on its way from its topic to a group.

    Attributes:
        position: Grows from message to message of a broker.
        due: Milliseconds since the epoch; None when it is not delayed.
        message: As it will be delivered.
    """

    position: int
    due: int | None
    message: ReceivedMessage


class Group:
    """The readers of a subscription, what they have still to read, and what is not due yet."""

    def __init__(self, name: GroupName, *, durable: bool) -> None:
        self.name = name
        self.durable = durable
        self.readers: list[Reader] = []
        self._queue: Queue = KeyedQueue() if name.ordered else SharedQueue()
        self._delayed: list[tuple[int, int, ReceivedMessage]] = []

    def put(self, stored: Sequence[Stored], now: int) -> None:
        """Queue what is due, and keep the rest until it is."""
        ready: list[ReceivedMessage] = []
        for item in stored:
            if item.due is None or item.due <= now:
                ready.append(item.message)
            else:
                heapq.heappush(self._delayed, (item.due, item.position, item.message))
        self._queue.put(ready)

    def take(self, reader: Reader, limit: int, now: int) -> list[MemoryDelivery]:
        """At most that many messages for one of the readers."""
        if self._delayed:
            self._queue.put(self._pop_due(now))
        return self._queue.take(reader, self.readers, limit) if reader in self.readers else []

    def unsettled(self, now: int) -> int:
        """Messages that are due and not done with."""
        return self._queue.unsettled() + sum(due <= now for due, _, _ in self._delayed)

    def waiting(self) -> int:
        """Messages that are not done with, whether they are due or not."""
        return self._queue.unsettled() + len(self._delayed)

    def next_due(self) -> int | None:
        """When the next delayed message is due, if there is one."""
        return self._delayed[0][0] if self._delayed else None

    def _pop_due(self, now: int) -> list[ReceivedMessage]:
        due: list[ReceivedMessage] = []
        while self._delayed and self._delayed[0][0] <= now:
            due.append(heapq.heappop(self._delayed)[2])
        return due
