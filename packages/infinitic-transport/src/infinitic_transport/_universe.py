"""A broker in memory, shared by transports of one process, on one or several event loops."""

import itertools
import threading
from collections import defaultdict, deque
from collections.abc import Sequence

from infinitic_common.events import EVENT_KINDS
from infinitic_common.transport import (
    DELAYED_KINDS,
    Backlog,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_transport._clock import Clock
from infinitic_transport._group import Group, GroupName, Stored
from infinitic_transport._names import dead_letter_name, full_name
from infinitic_transport._queues import MemoryDelivery, Reader, give_back, settle

_MOST_EVENT_BYTES = 1024 * 1024
"""Of events that nobody reads, how many a topic keeps: the latest ones."""


def _shortest(topic: Topic) -> tuple[int, str]:
    return len(topic.kind), str(topic)


class Universe:
    """Topics, subscriptions and dead letters; transports that share one reach one another.

    * A message goes to every subscription of its topic that exists when it is published, in the
      order of publishing, and stays there until it is settled, whether anybody consumes or not.
    * Without any subscription a topic keeps its messages for the first one to come; of events only
      the latest, and of responses to clients none.
    * May be used from several threads at once.

    Args:
        clock: Decides when delayed messages are due.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._lock = threading.RLock()
        self._positions = itertools.count()
        self._groups: dict[GroupName, Group] = {}
        self._groups_of: defaultdict[Topic, list[Group]] = defaultdict(list)
        self._kept: defaultdict[Topic, deque[Stored]] = defaultdict(deque)
        self._event_bytes: defaultdict[Topic, int] = defaultdict(int)
        self._dead: defaultdict[Topic, list[ReceivedMessage]] = defaultdict(list)
        self.clock.on_move(self._wake_all)

    def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """Store the messages, all or none."""
        now = self.clock.now()
        with self._lock:
            groups = self._groups_of.get(topic)
            if not groups and topic.kind is TopicKind.CLIENT_RESPONSE:
                return
            stored = self._store(topic, messages, now)
            if not groups:
                self._keep(topic, stored)
                return
            for group in groups:
                group.put(stored, now)
            readers = [reader for group in groups for reader in group.readers]
        self._wake(readers)

    def dead_letters(self, topic: Topic) -> tuple[ReceivedMessage, ...]:
        """What was dead-lettered from a topic, oldest first."""
        with self._lock:
            return tuple(self._dead.get(topic, ()))

    def unsettled(self) -> int:
        """Messages that are due and not done with, of all subscriptions that are being read.

        At 0 nothing happens any more until somebody publishes or reads, or the clock moves.
        """
        with self._lock:
            now = self.clock.now()
            return sum(group.unsettled(now) for group in self._groups.values() if group.readers)

    def backlogs(self) -> list[Backlog]:
        """What waits in every topic, by subscription; without responses to clients.

        Topics that one subscription reads together have one queue, told under the shortest name.
        """
        with self._lock:
            kept = [(topic, "", len(messages)) for topic, messages in self._kept.items()]
            read = [
                (min(name.topics, key=_shortest), name.name, group.waiting())
                for name, group in self._groups.items()
            ]
            dead = [(topic, len(messages)) for topic, messages in self._dead.items()]
        counted = [each for each in (*kept, *read) if each[0].kind is not TopicKind.CLIENT_RESPONSE]
        return [
            *(Backlog(topic, full_name(topic), name, count) for topic, name, count in counted),
            *(
                Backlog(
                    topic, f"inmemory://{dead_letter_name(topic)}", "", count, dead_letters=True
                )
                for topic, count in dead
            ),
        ]

    def next_due(self) -> int | None:
        """When the next delayed message that somebody waits for is due; None for never.

        In milliseconds since the epoch.
        """
        with self._lock:
            dues = [group.next_due() for group in self._groups.values() if group.readers]
            return min((due for due in dues if due is not None), default=None)

    def bury(self, message: ReceivedMessage) -> None:
        """Move a message to the dead letters of its topic."""
        with self._lock:
            self._dead[message.topic].append(message)

    def join(self, subscription: Subscription, reader: Reader) -> Group:
        """Add a reader; the first one of a subscription makes it."""
        name = GroupName.of(subscription)
        with self._lock:
            group = self._groups.get(name) or self._new_group(name, durable=subscription.durable)
            group.readers.append(reader)
            readers = list(group.readers)
        self._wake(readers)
        return group

    def leave(self, group: Group, reader: Reader) -> None:
        """Give no more messages to a reader; what it has remains its own until given back."""
        with self._lock:
            if reader not in group.readers:
                return
            group.readers.remove(reader)
            readers = list(group.readers)
            if not readers and not group.durable:
                del self._groups[group.name]
                for topic in group.name.topics:
                    self._groups_of[topic].remove(group)
        self._wake(readers)

    def take(
        self, group: Group, reader: Reader, limit: int
    ) -> tuple[list[MemoryDelivery], int | None]:
        """At most that many messages, and when the next delayed one is due."""
        with self._lock:
            return group.take(reader, limit, self.clock.now()), group.next_due()

    def settle(self, group: Group, deliveries: Sequence[MemoryDelivery]) -> None:
        """Forget messages that are done with."""
        with self._lock:
            others = list(group.readers) if settle(deliveries) and len(group.readers) > 1 else ()
        self._wake(others)

    def give_back(self, group: Group, deliveries: Sequence[MemoryDelivery]) -> None:
        """Put messages before all others of their subscription."""
        with self._lock:
            give_back(deliveries)
            readers = list(group.readers)
        self._wake(readers)

    def topics(self) -> frozenset[Topic]:
        """Every topic that anybody has published to, or read."""
        with self._lock:
            return frozenset((*self._kept, *self._groups_of))

    def _keep(self, topic: Topic, stored: Sequence[Stored]) -> None:
        """Keep messages for whoever reads them first; of events as many as have room."""
        kept = self._kept[topic]
        kept.extend(stored)
        if topic.kind not in EVENT_KINDS:
            return
        size = self._event_bytes[topic] + sum(len(each.message.body) for each in stored)
        while size > _MOST_EVENT_BYTES and kept:
            size -= len(kept.popleft().message.body)
        self._event_bytes[topic] = size

    def _store(self, topic: Topic, messages: Sequence[OutgoingMessage], now: int) -> list[Stored]:
        delays = topic.kind in DELAYED_KINDS
        return [
            Stored(
                next(self._positions),
                message.deliver_at if delays else None,
                ReceivedMessage(
                    message.id,
                    topic,
                    message.body,
                    message.key,
                    dict(message.properties),
                    1,
                    now,
                ),
            )
            for message in messages
        ]

    def _new_group(self, name: GroupName, *, durable: bool) -> Group:
        group = Group(name, durable=durable)
        kept: list[Stored] = []
        for topic in name.topics:
            self._groups_of[topic].append(group)
            kept += self._kept.pop(topic, ())
            self._event_bytes.pop(topic, None)
        kept.sort(key=lambda stored: stored.position)
        group.put(kept, self.clock.now())
        self._groups[name] = group
        return group

    def _wake_all(self) -> None:
        with self._lock:
            readers = [reader for group in self._groups.values() for reader in group.readers]
        self._wake(readers)

    def _wake(self, readers: Sequence[Reader]) -> None:
        """Without the lock: waking may give back what a vanished reader had."""
        for reader in readers:
            reader.wake()
