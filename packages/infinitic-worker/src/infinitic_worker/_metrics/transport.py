"""A transport that measures what goes through it."""

from collections.abc import Sequence

import attrs

from infinitic_common.transport import (
    Consumption,
    Handler,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    Transport,
)
from infinitic_worker._metrics.handling import MeteredHandler
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._metrics.names import full_name


class MeteredTransport:
    """Moves messages as another transport does, and counts them; see ``Transport``."""

    def __init__(self, transport: Transport, instruments: Instruments) -> None:
        self._transport = transport
        self._instruments = instruments
        self._labels: dict[Topic, dict[str, str]] = {}

    @property
    def name(self) -> str:
        """See ``Transport``."""
        return self._transport.name

    @property
    def max_message_bytes(self) -> int:
        """See ``Transport``."""
        return self._transport.max_message_bytes

    def now(self) -> int:
        """See ``Transport``."""
        return self._transport.now()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """See ``Transport``."""
        await self._transport.publish(topic, messages)
        labels = self._labels_of(topic)
        self._instruments.sent.add(len(messages), labels)
        self._instruments.sent_bytes.add(sum(len(one.body) for one in messages), labels)

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        """See ``Transport``."""
        hook = subscription.on_dead_letter

        async def bury(message: ReceivedMessage, reason: str) -> None:
            if hook is not None:
                await hook(message, reason)
            self._instruments.dead_letters.add(1, self._labels_of(message.topic))

        labels = {topic: self._labels_of(topic) for topic in subscription.topics}
        metered = MeteredHandler(handler, self._instruments, labels)
        return await self._transport.consume(
            attrs.evolve(subscription, on_dead_letter=bury), metered
        )

    async def close(self) -> None:
        """See ``Transport``."""
        await self._transport.close()

    def _labels_of(self, topic: Topic) -> dict[str, str]:
        labels = self._labels.get(topic)
        if labels is None:
            labels = self._instruments.labels(topic=full_name(self._transport, topic))
            # Responses to clients have a topic for each client that ever was: not worth keeping.
            if len(self._labels) < _MOST_TOPICS:
                self._labels[topic] = labels
        return labels


_MOST_TOPICS = 1000


def metered(transport: Transport, instruments: Instruments) -> Transport:
    """A transport that is measured, and that can do whatever else the given one can.

    Its class has every public name of the other's: those who ask whether a transport is of some
    optional port look at its class, and not at what an instance would answer.
    """
    ours = MeteredTransport
    names = [each for each in dir(type(transport)) if each[0] != "_" and not hasattr(ours, each)]
    cls: type[MeteredTransport] = type(
        ours.__name__, (ours,), {each: _other(each) for each in names}
    )
    return cls(transport, instruments)


def _other(name: str) -> property:
    return property(lambda metered: getattr(metered._transport, name))  # noqa: SLF001 - its class
