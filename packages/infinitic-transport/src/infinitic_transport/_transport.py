"""The in-memory implementation of the transport port."""

import asyncio
import uuid
from collections.abc import Sequence

from infinitic_common.exceptions import PayloadTooLarge, TransportError
from infinitic_common.transport import (
    Backlog,
    Handler,
    OutgoingMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_transport._clock import Clock
from infinitic_transport._consumption import InMemoryConsumption
from infinitic_transport._names import full_name
from infinitic_transport._universe import Universe

MAX_MESSAGE_BYTES = 5 * 1024 * 1024
"""As brokers do by default, so that what is too large for them is found in memory, too."""


class InMemoryTransport:
    """Moves messages within a process; see ``Transport`` for what it promises.

    Transports that share a universe reach one another, also from different event loops. Messages
    live as long as the universe.

    Args:
        name: Unique on the universe; made up when not given.
        universe: Where messages are; a new one, reached by nobody else, when not given.
        clock: Decides when delayed messages are due; only without a universe, which has its own.
        max_message_bytes: The largest body that is accepted.

    Raises:
        ValueError: Both a universe and a clock are given.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        universe: Universe | None = None,
        clock: Clock | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        if universe is not None and clock is not None:
            msg = "give the clock to the universe, as in Universe(clock), and only that here"
            raise ValueError(msg)
        self._name = name or f"inmemory-{uuid.uuid4().hex}"
        self._universe = universe or Universe(clock)
        self._max_message_bytes = max_message_bytes
        self._consumptions: list[InMemoryConsumption] = []
        self._closed = False

    @property
    def name(self) -> str:
        """See ``Transport``."""
        return self._name

    @property
    def max_message_bytes(self) -> int:
        """See ``Transport``."""
        return self._max_message_bytes

    @property
    def universe(self) -> Universe:
        """Where its messages are."""
        return self._universe

    def now(self) -> int:
        """See ``Transport``."""
        return self._universe.clock.now()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """See ``Transport``."""
        self._check_open()
        for message in messages:
            if len(message.body) > self._max_message_bytes:
                raise PayloadTooLarge(self._too_large(topic, message))
        self._universe.publish(topic, messages)

    async def consume(self, subscription: Subscription, handler: Handler) -> InMemoryConsumption:
        """See ``Transport``."""
        self._check_open()
        consumption = InMemoryConsumption(self._universe, subscription, handler)
        self._consumptions.append(consumption)
        return consumption

    @property
    def event_source(self) -> str:
        """See ``ListenableTransport``."""
        return "inMemory"

    async def entities(self, kind: TopicKind) -> frozenset[str]:
        """See ``ListenableTransport``."""
        return frozenset(topic.entity for topic in self._universe.topics() if topic.kind is kind)

    def full_name(self, topic: Topic) -> str:
        """See ``ObservableTransport``."""
        return full_name(topic)

    async def backlogs(self) -> Sequence[Backlog]:
        """See ``ObservableTransport``."""
        return self._universe.backlogs()

    async def problems(self) -> Sequence[str]:
        """See ``ObservableTransport``."""
        return [f"the transport {self._name} is closed"] if self._closed else []

    async def close(self) -> None:
        """See ``Transport``."""
        self._closed = True
        await asyncio.gather(*(consumption.stop(0) for consumption in self._consumptions))

    def _check_open(self) -> None:
        if self._closed:
            msg = f"the transport {self._name} is closed: open another one"
            raise TransportError(msg)

    def _too_large(self, topic: Topic, message: OutgoingMessage) -> str:
        return (
            f"message {message.id} for {full_name(topic)} has {len(message.body)} bytes, and the "
            f"limit is {self._max_message_bytes}: make the arguments or the result smaller"
        )
