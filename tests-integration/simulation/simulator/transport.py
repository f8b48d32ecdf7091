"""The port to transport of one incarnation."""

from __future__ import annotations

from collections.abc import Sequence

from simulation.simulator.broker import Broker, Observer, Stored
from simulation.simulator.process import Process

from infinitic_common._consumption import ConsumptionLoop, Delivery
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.transport import (
    Counts,
    Deferral,
    Handler,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
)


class SimulatedConsumption:
    """Reads until its process is dead or replaced."""

    def __init__(
        self, process: Process, broker: Broker, subscription: Subscription, handler: Handler
    ) -> None:
        self._process = process
        self._broker = broker
        self._handler = handler
        self._work: ConsumptionLoop[Stored] = ConsumptionLoop(
            subscription, self._handle, settle=self._settle, dead_letter=self._bury
        )
        self._group = broker.join(subscription, self)

    @property
    def counts(self) -> Counts:
        """See ``Consumption``."""
        return self._work.counts

    def feed(self, stored: Stored) -> None:
        """See ``Reader``."""
        if self._process.alive and self._process.reading:
            self._work.feed([Delivery(stored.message, stored)])

    async def stop(self, grace_seconds: float) -> None:
        """See ``Consumption``."""
        self._broker.leave(self._group, self)
        await self._work.stop(grace_seconds if self._process.alive else 0)

    async def _handle(
        self, batch: Sequence[ReceivedMessage]
    ) -> Sequence[ReceivedMessage | Deferral]:
        await self._process.boundary("receive", batch)
        return await self._handler(batch)

    def _settle(self, deliveries: Sequence[Delivery[Stored]]) -> None:
        if self._process.passes("acknowledge", [d.message for d in deliveries]):
            self._broker.acknowledge(self._group, self, [d.token for d in deliveries])
            self._process.passes("acknowledged")

    async def _bury(self, delivery: Delivery[Stored], reason: str) -> None:
        self._process.timeline.add(self._process.name, "BURIES", delivery.message)
        self._broker.dead_letters.append((delivery.message, reason))


class SimulatedTransport:
    """A transport over the broker, which may be away before or after it took a message."""

    def __init__(self, process: Process, broker: Broker, observe: Observer) -> None:
        self._process = process
        self._broker = broker
        self._observe = observe

    @property
    def name(self) -> str:
        """See ``Transport``."""
        return self._process.name

    @property
    def max_message_bytes(self) -> int:
        """See ``Transport``."""
        return 1024 * 1024

    def now(self) -> int:
        """See ``Transport``."""
        return self._broker.now()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """See ``Transport``; a crash or an absence of the broker may come between messages."""
        for message in messages:
            await self._process.boundary("publish", message)
            self._may_be_unavailable("before")
            self._observe(topic, message)
            self._broker.publish(topic, message)
            self._may_be_unavailable("after")
        await self._process.moment()
        await self._process.boundary("published", str(topic))

    def _may_be_unavailable(self, when: str) -> None:
        chaos = self._process.chaos
        # What a client sends is its user's to repeat, with an id of its own.
        if self._process.actor != "client" and chaos.happens(chaos.rates.broker_unavailable):
            self._process.timeline.add(self._process.name, "BROKER UNAVAILABLE", when)
            msg = f"simulated, {when} publishing"
            raise TransportUnavailable(msg)

    async def consume(self, subscription: Subscription, handler: Handler) -> SimulatedConsumption:
        """See ``Transport``."""
        return SimulatedConsumption(self._process, self._broker, subscription, handler)

    async def close(self) -> None:
        """See ``Transport``."""
