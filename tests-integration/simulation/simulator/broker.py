"""The broker: messages by subscription until they are acknowledged, order by key kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
from simulation.simulator.chaos import Chaos
from simulation.simulator.timeline import Timeline
from simulation.simulator.virtual_loop import VirtualLoop

from infinitic_common.transport import (
    DELAYED_KINDS,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)

START = 1_700_000_000_000
"""Milliseconds since the epoch at which every simulation begins."""

_TICK = 1e-6
_UNREAD = frozenset(
    {
        TopicKind.CLIENT_RESPONSE,
        TopicKind.SERVICE_EXECUTOR_EVENT,
        TopicKind.WORKFLOW_STATE_EVENT,
        TopicKind.WORKFLOW_EXECUTOR_EVENT,
    }
)


@attrs.define(eq=False)
class Stored:
    """A message of a subscription, and from when it may be delivered."""

    message: ReceivedMessage
    due: float


class Reader(Protocol):
    """Whoever reads a subscription."""

    def feed(self, stored: Stored) -> None:
        """Take a message."""
        ...


@attrs.define(eq=False)
class Group:
    """A subscription: what is not acknowledged, in order, and who reads it."""

    subscription: Subscription
    stored: dict[int, Stored] = attrs.field(factory=dict[int, Stored])
    reader: Reader | None = None
    last_due: dict[tuple[Topic, str], float] = attrs.field(factory=dict[tuple[Topic, str], float])


class Broker:
    """Delivers, late and more often than once."""

    def __init__(self, loop: VirtualLoop, chaos: Chaos, timeline: Timeline) -> None:
        self._loop = loop
        self._chaos = chaos
        self._timeline = timeline
        self._numbers = itertools.count()
        self._groups: dict[str, Group] = {}
        self.dead_letters: list[tuple[ReceivedMessage, str]] = []
        self.unread: list[Topic] = []

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return START + round(self._loop.time() * 1000)

    def publish(self, topic: Topic, message: OutgoingMessage) -> None:
        """Store a message, sometimes twice."""
        groups = [g for g in self._groups.values() if topic in g.subscription.topics]
        if not groups and topic.kind not in _UNREAD:
            self.unread.append(topic)
        copies = 1 + self._chaos.happens(self._chaos.rates.duplicate)
        for group, _ in itertools.product(groups, range(copies)):
            self._put(group, topic, message)
        if copies > 1:
            self._timeline.add("broker", "DUPLICATES", message)

    def _put(self, group: Group, topic: Topic, message: OutgoingMessage) -> None:
        received = ReceivedMessage(
            message.id, topic, message.body, message.key, dict(message.properties), 1, self.now()
        )
        due = self._loop.time() + self._chaos.seconds()
        if topic.kind in DELAYED_KINDS and message.deliver_at is not None:
            due = max(due, (message.deliver_at - START) / 1000)
        if group.subscription.ordered and message.key is not None:
            place = (topic, message.key)
            due = max(due, group.last_due.get(place, 0.0) + _TICK)
            group.last_due[place] = due
        number = next(self._numbers)
        group.stored[number] = Stored(received, due)
        self._deliver_at(due, group, number)

    def join(self, subscription: Subscription, reader: Reader) -> Group:
        """Read a subscription instead of whoever read it; all unacknowledged comes again."""
        group = self._groups.setdefault(subscription.name, Group(subscription))
        group.reader = reader
        soon = self._loop.time()
        for number, stored in list(group.stored.items()):
            soon = max(soon + _TICK, stored.due)
            stored.due = max(stored.due, soon) if subscription.ordered else stored.due
            self._deliver_at(max(stored.due, self._loop.time()), group, number)
        return group

    def leave(self, group: Group, reader: Reader) -> None:
        """Read no more."""
        if group.reader is reader:
            group.reader = None
            if not group.subscription.durable:
                self._groups.pop(group.subscription.name, None)

    def acknowledge(self, group: Group, reader: Reader, messages: Sequence[Stored]) -> None:
        """Forget messages; who reads no more cannot, and sometimes it gets lost."""
        if group.reader is not reader:
            return
        numbers = {id(stored): number for number, stored in group.stored.items()}
        for stored in messages:
            number = numbers.get(id(stored))
            if number is None:
                continue
            if self._chaos.happens(self._chaos.rates.lost_acknowledgement):
                self._timeline.add("broker", "LOSES ACKNOWLEDGEMENT", stored.message)
                later = self._loop.time() + self._chaos.random.uniform(0.05, 5)
                self._deliver_at(later, group, number)
            else:
                del group.stored[number]

    def _deliver_at(self, when: float, group: Group, number: int) -> None:
        self._loop.call_at(when, self._deliver, group, number, group.reader)

    def _deliver(self, group: Group, number: int, reader: Reader | None) -> None:
        stored = group.stored.get(number)
        if stored is not None and reader is not None and group.reader is reader:
            reader.feed(stored)

    @property
    def unacknowledged(self) -> list[ReceivedMessage]:
        """What is not done yet."""
        return [s.message for group in self._groups.values() for s in group.stored.values()]


Observer = Callable[[Topic, OutgoingMessage], None]
"""Is shown what is published."""
