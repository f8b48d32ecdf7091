"""What an implementation gives the suite, and what every part of the suite starts from."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import pytest

from infinitic_common.testing._transport.recorder import React, Recorder
from infinitic_common.transport import (
    Consumption,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
    Transport,
)


class TransportHarness(Protocol):
    """One broker with as many clients as a test asks for; made anew or shared, as is cheaper."""

    @property
    def settle_timeout(self) -> float:
        """Seconds within which anything that is going to happen has happened."""
        ...

    async def open(self, name: str | None = None) -> Transport:
        """A client, as of another process; closed by the fixture when the test ends."""
        ...

    async def dead_letters(self, subscription: Subscription) -> Sequence[ReceivedMessage]:
        """What was dead-lettered from the topics of the subscription, oldest first."""
        ...


@attrs.frozen
class Scene:
    """A test's own topics on the broker: no other test uses the same entity."""

    harness: TransportHarness
    entity: str = attrs.field(factory=lambda: f"Entity{uuid.uuid4().hex[:12]}")

    @property
    def tasks(self) -> Topic:
        """An unordered topic."""
        return Topic(TopicKind.SERVICE_EXECUTOR, self.entity)

    @property
    def delayed(self) -> Topic:
        """A topic whose messages may be delayed."""
        return Topic(TopicKind.SERVICE_EXECUTOR_RETRY, self.entity)

    @property
    def commands(self) -> Topic:
        """An ordered topic."""
        return Topic(TopicKind.WORKFLOW_STATE_CMD, self.entity)

    @property
    def engine(self) -> Topic:
        """The other ordered topic of the same queue per key."""
        return Topic(TopicKind.WORKFLOW_STATE_ENGINE, self.entity)

    def unordered_subscription(self) -> Subscription:
        """To be evolved by the test."""
        return Subscription((self.tasks,), "service")

    def ordered_subscription(self) -> Subscription:
        """To be evolved by the test."""
        return Subscription((self.commands, self.engine), "engine", ordered=True)

    def recorder(self, react: React | None = None) -> Recorder:
        """A handler that waits as long as the harness allows."""
        return Recorder(self.harness.settle_timeout, react)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds, whoever makes it hold."""
        async with asyncio.timeout(self.harness.settle_timeout):
            while not condition():  # noqa: ASYNC110 -- nothing calls back
                await asyncio.sleep(0.01)

    async def until_dead(self, subscription: Subscription, count: int) -> Sequence[ReceivedMessage]:
        """Wait until that many messages were dead-lettered, and answer them."""
        async with asyncio.timeout(self.harness.settle_timeout):
            while len(dead := await self.harness.dead_letters(subscription)) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return dead

    async def consume(
        self, subscription: Subscription, recorder: Recorder, transport: Transport | None = None
    ) -> Consumption:
        """Start consuming, with a transport of its own unless one is given."""
        transport = transport or await self.harness.open()
        return await transport.consume(subscription, recorder)


class TransportSuite:
    """The base of every part of the contract."""

    @pytest.fixture
    def harness(self) -> TransportHarness:
        """To be overridden by each implementation."""
        msg = "a subclass of TransportContract must define the fixture 'harness'"
        raise NotImplementedError(msg)

    @pytest.fixture
    def scene(self, harness: TransportHarness) -> Scene:
        """The test's own topics."""
        return Scene(harness)

    @pytest.fixture
    async def transport(self, harness: TransportHarness) -> Transport:
        """A client that publishes, and may consume."""
        return await harness.open()


def held_by(gate: asyncio.Event) -> React:
    """A reaction that keeps every batch in the handler until the gate is open."""

    async def wait(_: Sequence[ReceivedMessage]) -> tuple[()]:
        await gate.wait()
        return ()

    return wait


def numbered(
    count: int, key: str | None = None, prefix: str = "m", first: int = 0
) -> list[OutgoingMessage]:
    """Messages ``m0``, ``m1``, …, or ``k-0``, ``k-1``, … for the key ``k``."""
    name = f"{key}-" if key is not None else prefix
    return [
        OutgoingMessage(id=f"{name}{index}", body=b"body %d" % index, key=key)
        for index in range(first, first + count)
    ]
