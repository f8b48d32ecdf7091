"""Port to the transport: topics, messages in batches, ordered or not, at least once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

import attrs


class TopicKind(StrEnum):
    """The kinds of topics; see section 4 of the design for who reads them."""

    CLIENT_RESPONSE = "client-response"
    SERVICE_EXECUTOR = "service-executor"
    SERVICE_EXECUTOR_RETRY = "service-executor-retry"
    SERVICE_EXECUTOR_EVENT = "service-executor-event"
    SERVICE_TAG_ENGINE = "service-tag-engine"
    WORKFLOW_STATE_CMD = "workflow-state-cmd"
    WORKFLOW_STATE_ENGINE = "workflow-state-engine"
    WORKFLOW_STATE_TIMER = "workflow-state-timer"
    WORKFLOW_STATE_EVENT = "workflow-state-event"
    WORKFLOW_EXECUTOR = "workflow-executor"
    WORKFLOW_EXECUTOR_RETRY = "workflow-executor-retry"
    WORKFLOW_EXECUTOR_EVENT = "workflow-executor-event"
    WORKFLOW_TAG_ENGINE = "workflow-tag-engine"


ORDERED_KINDS = frozenset(
    {
        TopicKind.SERVICE_TAG_ENGINE,
        TopicKind.WORKFLOW_STATE_CMD,
        TopicKind.WORKFLOW_STATE_ENGINE,
        TopicKind.WORKFLOW_EXECUTOR,
        TopicKind.WORKFLOW_TAG_ENGINE,
    }
)
"""Kinds whose messages are read in order by key."""

DELAYED_KINDS = frozenset(
    {
        TopicKind.SERVICE_EXECUTOR_RETRY,
        TopicKind.WORKFLOW_STATE_TIMER,
        TopicKind.WORKFLOW_EXECUTOR_RETRY,
    }
)
"""Kinds whose messages may carry ``deliver_at``."""


@attrs.frozen
class Topic:
    """A topic: its kind and the service, workflow or client it belongs to."""

    kind: TopicKind
    entity: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.entity}"


@attrs.frozen
class OutgoingMessage:
    """A message to publish.

    Attributes:
        id: Stable: the same message published again has the same id.
        body: The encoded record.
        key: What orders it on ordered topics; None elsewhere.
        properties: Names and ids that stay readable when the body does not.
        deliver_at: Milliseconds since the epoch before which it is not delivered. For delayed topics;
            others deliver at once.
    """

    id: str
    body: bytes
    key: str | None = None
    properties: Mapping[str, str] = attrs.field(factory=dict[str, str])
    deliver_at: int | None = None


@attrs.frozen(eq=False)
class ReceivedMessage:
    """A message as delivered.

    Attributes:
        id: The id it was published with.
        topic: Where it came from.
        body: The encoded record.
        key: Its key, if any.
        properties: As published.
        delivery_count: 1 at the first delivery; grows each time a handler gives it back.
        published_at: Milliseconds since the epoch, by the producer's clock.
    """

    id: str
    topic: Topic
    body: bytes
    key: str | None
    properties: Mapping[str, str]
    delivery_count: int
    published_at: int


@attrs.frozen(eq=False)
class Deferral:
    """Messages of a batch whose handling takes longer than that of the others.

    Attributes:
        messages: All messages of the batch that share their keys.
        answer: What a handler of these messages alone would answer or raise.
    """

    messages: Sequence[ReceivedMessage]
    answer: Awaitable[Sequence[ReceivedMessage]]


Handler = Callable[[Sequence[ReceivedMessage]], Awaitable[Sequence["ReceivedMessage | Deferral"]]]
"""Handles a batch; answers the messages to try again (none: all are acknowledged).

Messages in a ``Deferral`` are settled when its answer is there; the others, and later messages of
their keys, do not wait for them.

The answer holds the very objects it was given. On an ordered subscription the later messages of the
same key in the batch come again, too, whether answered or not; only the first one is counted.

When it raises ``Unavailable`` the subscription pauses and the whole batch is tried again in place,
counting nothing. When it raises anything else, every message of the batch is tried again alone,
counted; a message is dead-lettered for raising only when it was alone.
"""

DeadLetterHook = Callable[[ReceivedMessage, str], Awaitable[None]]
"""Told of a message, and why, when it is about to move to the dead-letter topic.

It reports the failure to whoever waits. If it raises, the message is tried again later.
"""


@attrs.frozen
class Subscription:
    """What to consume, and how.

    Attributes:
        topics: Read together; on an ordered subscription all of them feed one queue per key. They
            have the same entity.
        name: Processes with the same name share the messages; different names each get all.
        ordered: Messages of a key are delivered in order, also after one was given back, and never
            in two batches at once.
        max_batch_messages: The most messages in one batch. A batch is what has already arrived:
            nothing waits for it to fill.
        max_in_flight_messages: The most messages delivered to the handler and not yet settled.
            Reading from the broker pauses at the bound.
        max_in_flight_batches: The most batches in the handler at once.
        max_delivery_count: A message given back that many times moves, alone, to the dead-letter
            topic.
        on_dead_letter: Told before the move.
        durable: False for topics that live as long as their reader (a client's responses).
    """

    topics: tuple[Topic, ...]
    name: str
    ordered: bool = False
    max_batch_messages: int = 16
    max_in_flight_messages: int = 1000
    max_in_flight_batches: int = 1000
    max_delivery_count: int = 3
    on_dead_letter: DeadLetterHook | None = None
    durable: bool = True


@attrs.frozen
class Counts:
    """Messages since the start: received by the handler, and not yet settled."""

    received: int = 0
    remaining: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.received + other.received, self.remaining + other.remaining)


class Consumption(Protocol):
    """A running subscription."""

    @property
    def counts(self) -> Counts:
        """What went through so far."""
        ...

    async def stop(self, grace_seconds: float) -> None:
        """Stop receiving, wait up to that long for batches in the handler, then release.

        What was received but not handled goes back to the broker. Stopping twice does nothing.
        """
        ...


class Transport(Protocol):
    """Moves messages, at least once.

    * ``publish`` returns when the broker has stored all messages. Messages of one call that share a
      key keep their order on ordered topics.
    * ``consume`` delivers what arrived, in batches. On ordered topics nothing is ever given back to
      the broker while running: a message to try again, and every later one of its key, wait in the
      process, with back-off, while other keys go on.
    * A broker that cannot be reached is waited for; consumption resumes by itself.
    * Topics, subscriptions and dead-letter topics are made on first use, by whoever comes first.

    Methods raise ``TransportUnavailable``, ``TransportError``, or ``PayloadTooLarge``.
    """

    @property
    def name(self) -> str:
        """The unique name of this process on the transport; also the source of its messages."""
        ...

    @property
    def max_message_bytes(self) -> int:
        """The largest body that ``publish`` accepts."""
        ...

    def now(self) -> int:
        """Milliseconds since the epoch, by the clock that delays follow."""
        ...

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """Publish the messages; returns when the broker has them.

        A client-response topic that does not exist (the client is gone) swallows them.
        """
        ...

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        """Start consuming; returns when messages published from now on are sure to be seen."""
        ...

    async def close(self) -> None:
        """Stop every consumption at once and disconnect. Closing twice does nothing."""
        ...


@attrs.frozen
class Backlog:
    """What waits in a topic for one of its subscriptions.

    Attributes:
        topic: The topic; of dead letters, the one that they were read from.
        full_name: Name of the topic on the transport.
        subscription: Name of the subscription on the transport.
        messages: Messages not acknowledged yet, delayed ones included; where a broker counts only
            batches of messages, those.
        dead_letters: Whether they are dead letters, which wait for somebody to look at them.
    """

    topic: Topic
    full_name: str
    subscription: str
    messages: int
    dead_letters: bool = False


@runtime_checkable
class ObservableTransport(Protocol):
    """What a transport may tell of itself, for metrics and health; optional."""

    def full_name(self, topic: Topic) -> str:
        """Name of a topic on the transport."""
        ...

    async def backlogs(self) -> Sequence[Backlog]:
        """What waits in every topic that exists, whoever reads it.

        Raises:
            TransportUnavailable: Nobody can tell now.
            TransportError: This process has no right to know.
        """
        ...

    async def problems(self) -> Sequence[str]:
        """What hinders this process from receiving and publishing now; nothing when all is well."""
        ...
