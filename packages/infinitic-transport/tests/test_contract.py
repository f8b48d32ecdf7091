from collections.abc import AsyncIterator

import pytest

from infinitic_common.testing.transport import TransportContract, TransportHarness
from infinitic_common.transport import ReceivedMessage, Subscription, Transport
from infinitic_transport import InMemoryTransport, Universe


class InMemoryHarness:
    settle_timeout = 10.0

    def __init__(self) -> None:
        self.universe = Universe()
        self.opened: list[Transport] = []

    async def open(self, name: str | None = None) -> Transport:
        transport = InMemoryTransport(name, universe=self.universe)
        self.opened.append(transport)
        return transport

    async def dead_letters(self, subscription: Subscription) -> list[ReceivedMessage]:
        return [m for topic in subscription.topics for m in self.universe.dead_letters(topic)]


class TestInMemoryTransport(TransportContract):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[TransportHarness]:
        harness = InMemoryHarness()
        yield harness
        for transport in harness.opened:
            await transport.close()
