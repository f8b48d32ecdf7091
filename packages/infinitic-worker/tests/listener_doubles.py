"""Doubles of what a listener stands on, and listeners."""

# ruff: noqa: D101, D102, INP001 - read beside the tests

import asyncio
from collections.abc import Sequence
from typing import cast

import attrs
import cbor2
from cloudevents.core.v1.event import CloudEvent

from infinitic_common.component import ComponentHost
from infinitic_common.events import EventType, workflow_event
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.transport import (
    Counts,
    Handler,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)


class Reading:
    counts = Counts(2, 1)

    async def stop(self, grace_seconds: float) -> None:
        """Nothing runs."""


@attrs.define(eq=False)
class ListenedTransport:
    """Knows some names, and keeps the handler of each subscription."""

    known: dict[TopicKind, set[str]] = attrs.field(factory=dict[TopicKind, set[str]])
    handlers: dict[Topic, Handler] = attrs.field(factory=dict[Topic, Handler])
    subscriptions: list[Subscription] = attrs.field(factory=list[Subscription])
    away: bool = False
    name: str = "process"
    max_message_bytes: int = 10_000
    event_source: str = "inMemory"

    def now(self) -> int:
        return 0

    async def entities(self, kind: TopicKind) -> frozenset[str]:
        if self.away:
            msg = "away"
            raise TransportUnavailable(msg)
        return frozenset(self.known.get(kind, set()))

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        raise NotImplementedError

    async def consume(self, subscription: Subscription, handler: Handler) -> Reading:
        self.subscriptions.append(subscription)
        self.handlers |= dict.fromkeys(subscription.topics, handler)
        return Reading()

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def heard(self) -> set[str]:
        return {str(topic) for topic in self.handlers}

    async def deliver(self, topic: Topic, *messages: ReceivedMessage) -> Sequence[object]:
        return await self.handlers[topic](messages)


@attrs.frozen
class ListenerHost:
    transport: ListenedTransport
    worker_name: str = "worker"
    client: None = None
    async_client: None = None

    def as_host(self) -> ComponentHost:
        return cast("ComponentHost", self)


def message(topic: Topic, *ids: str, deliveries: int = 1) -> ReceivedMessage:
    """A message with an event for each id."""
    events = [workflow_event(EventType.COMPLETED, each, 1, "w") for each in ids]
    body = cbor2.dumps([240, "worker", "0.1.0", events])
    return ReceivedMessage("id", topic, body, None, {}, deliveries, 0)


class Many:
    """Takes events together; raises while it is told to."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.failures = 0
        self.gate: asyncio.Event | None = None

    async def on_events(self, events: Sequence[CloudEvent]) -> None:
        self.calls.append([event.get_id() for event in events])
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            msg = "not now"
            raise ValueError(msg)


class PlainMany:
    """The same, not a coroutine."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def on_events(self, events: Sequence[CloudEvent]) -> None:
        self.calls.append([event.get_id() for event in events])


class Single:
    """Takes one event after the other."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def on_event(self, event: CloudEvent) -> None:
        self.ids.append(event.get_id())


class PlainSingle:
    """The same, not a coroutine."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def on_event(self, event: CloudEvent) -> None:
        self.ids.append(event.get_id())


class Deaf:
    """No listener."""


class Needy:
    """A listener that cannot be made."""

    def __init__(self) -> None:
        msg = "no"
        raise RuntimeError(msg)

    def on_event(self, event: CloudEvent) -> None:
        """Never."""
