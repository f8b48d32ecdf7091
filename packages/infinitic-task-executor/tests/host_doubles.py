"""Doubles of what surrounds a component: a worker, and a transport that keeps what it is given."""

# ruff: noqa: D102, INP001, S101 - these are read beside the tests

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import attrs

from infinitic_common.codec import decode
from infinitic_common.configuration import StorageConfiguration
from infinitic_common.events import EVENT_KINDS, Event, batch_in
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.messages import Message, to_outgoing, topic_of
from infinitic_common.transport import (
    Counts,
    Deferral,
    Handler,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
)


class RecordingConsumption:
    """A subscription whose messages are delivered by the test."""

    counts = Counts(3, 1)

    def __init__(self) -> None:
        self.stopped_within: list[float] = []

    async def stop(self, grace_seconds: float) -> None:
        self.stopped_within.append(grace_seconds)


@attrs.define(eq=False)
class RecordingTransport:
    """Keeps what is published, in the calls it was published by.

    Attributes:
        told: The events that were published beside.
        outages: How many calls of ``publish`` fail before the next one works.
        gate: What ``publish`` waits for.
        waiting: How many calls of it wait there.
    """

    name: str = "process"
    max_message_bytes: int = 10_000
    published: list[tuple[Topic, list[OutgoingMessage]]] = attrs.field(
        factory=list[tuple[Topic, list[OutgoingMessage]]]
    )
    told: list[Event] = attrs.field(factory=list[Event])
    outages: int = 0
    gate: asyncio.Event | None = None
    waiting: int = 0
    subscription: Subscription | None = None
    handler: Handler | None = None
    consumption: RecordingConsumption = attrs.field(factory=RecordingConsumption)

    def now(self) -> int:
        return 1_234

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        if topic.kind in EVENT_KINDS:
            self.told += [event for one in messages for event in batch_in(one.body, topic).events]
            return
        if self.gate is not None:
            self.waiting += 1
            await self.gate.wait()
            self.waiting -= 1
        if self.outages:
            self.outages -= 1
            msg = "the broker is away"
            raise TransportUnavailable(msg)
        self.published.append((topic, list(messages)))

    async def consume(self, subscription: Subscription, handler: Handler) -> RecordingConsumption:
        self.subscription, self.handler = subscription, handler
        return self.consumption

    async def close(self) -> None:
        """Nothing to close."""

    async def deliver(
        self, *messages: Message | ReceivedMessage
    ) -> Sequence[ReceivedMessage | Deferral]:
        """Hand over a batch; gives what the handler gives back."""
        assert self.handler is not None
        return await self.handler([received(message) for message in messages])

    async def bury(self, message: Message | ReceivedMessage, reason: str) -> None:
        """Move a message to the dead letters."""
        assert self.subscription is not None
        assert self.subscription.on_dead_letter is not None
        await self.subscription.on_dead_letter(received(message), reason)

    @property
    def messages(self) -> list[object]:
        """All that was published."""
        return [decode(message.body) for _, burst in self.published for message in burst]


@attrs.define(eq=False)
class Host:
    """A worker of one component."""

    transport: RecordingTransport = attrs.field(factory=RecordingTransport)
    worker_name: str = "worker"
    client: object = "the client"
    async_client: object = "the async client"

    def storage(self, configuration: StorageConfiguration | None = None) -> NoReturn:
        """None is needed."""
        del configuration
        raise NotImplementedError

    def workflow_task_handler(self, workflow_name: str) -> None:
        """None is hosted."""
        del workflow_name


def received(message: Message | ReceivedMessage, body: bytes | None = None) -> ReceivedMessage:
    """A message as delivered, with its own body or another."""
    if isinstance(message, ReceivedMessage):
        return message
    outgoing = to_outgoing(message)
    return ReceivedMessage(
        id=outgoing.id,
        topic=topic_of(message),
        body=outgoing.body if body is None else body,
        key=outgoing.key,
        properties=outgoing.properties,
        delivery_count=1,
        published_at=0,
    )
