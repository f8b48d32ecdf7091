"""Parts of a batch that take longer than the rest of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import attrs
import pytest

from infinitic_common._consumption import BackOff, ConsumptionLoop, Delivery
from infinitic_common.exceptions import Unavailable
from infinitic_common.transport import Deferral, ReceivedMessage, Subscription, Topic, TopicKind

TOPIC = Topic(TopicKind.WORKFLOW_STATE_CMD, "W")
SUBSCRIPTION = Subscription((TOPIC,), "engine", ordered=True)
SOON = BackOff(first=0.001, longest=0.002)

Answer = Sequence[ReceivedMessage]
Late = Callable[[Answer], Awaitable[Answer]]


@attrs.define(eq=False)
class Bench:
    """A handler that defers the messages of key ``a`` the first time, and what is done with it."""

    late: Late
    subscription: Subscription = SUBSCRIPTION
    batches: list[list[str]] = attrs.field(factory=list[list[str]])
    settled: list[str] = attrs.field(factory=list[str])
    dead: list[str] = attrs.field(factory=list[str])
    hold: asyncio.Event = attrs.field(factory=asyncio.Event)
    loop: ConsumptionLoop[int] = attrs.field(init=False)
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.hold.set()
        self.loop = ConsumptionLoop(
            self.subscription,
            self._handle,
            settle=self._settle,
            dead_letter=self._bury,
            retry=SOON,
            pause=SOON,
        )

    def feed(self, *ids: str) -> None:
        messages = [ReceivedMessage(id_, TOPIC, b"", id_[0], {}, 1, 0) for id_ in ids]
        self.loop.feed([Delivery(message, token) for token, message in enumerate(messages)])

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _handle(self, batch: Answer) -> Sequence[ReceivedMessage | Deferral]:
        self.batches.append([message.id for message in batch])
        self._changed.set()
        await self.hold.wait()
        slow = [message for message in batch if message.key == "a"]
        return [Deferral(slow, self.late(slow))] if slow and len(self.batches) == 1 else []

    def _settle(self, deliveries: Sequence[Delivery[int]]) -> None:
        self.settled += [delivery.message.id for delivery in deliveries]
        self._changed.set()

    async def _bury(self, delivery: Delivery[int], reason: str) -> None:
        self.dead.append(f"{delivery.message.id}: {reason}")


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def gated(gate: asyncio.Event) -> Bench:
    async def late(_: Answer) -> Answer:
        await gate.wait()
        return []

    return Bench(late)


async def test_the_others_are_settled_at_once_and_the_deferred_ones_when_they_are_done(
    gate: asyncio.Event, gated: Bench
) -> None:
    gated.feed("a1", "b1", "a2", "c1")
    await gated.until(lambda: len(gated.settled) == 2)
    assert gated.settled == ["b1", "c1"]
    assert gated.loop.counts.remaining == 2
    gate.set()
    await gated.until(lambda: len(gated.settled) == 4)
    assert gated.settled == ["b1", "c1", "a1", "a2"]


async def test_later_messages_wait_for_the_deferred_ones_of_their_key_alone(
    gate: asyncio.Event, gated: Bench
) -> None:
    gated.feed("a1", "b1")
    await gated.until(lambda: gated.settled == ["b1"])
    gated.feed("a2", "b2")
    await gated.until(lambda: gated.settled == ["b1", "b2"])
    assert gated.batches == [["a1", "b1"], ["b2"]]
    gate.set()
    await gated.until(lambda: gated.settled == ["b1", "b2", "a1", "a2"])


async def test_deferred_messages_still_take_room(gate: asyncio.Event, gated: Bench) -> None:
    free = gated.loop.room
    gated.feed("a1", "b1")
    await gated.until(lambda: gated.settled == ["b1"])
    assert gated.loop.room == free - 1
    gate.set()
    await gated.until(lambda: "a1" in gated.settled)
    assert gated.loop.room == free


async def test_what_a_deferral_gives_back_is_tried_again() -> None:
    async def give_back(messages: Answer) -> Answer:
        return messages[1:]

    bench = Bench(give_back)
    bench.feed("a1", "b1", "a2")
    await bench.until(lambda: len(bench.settled) == 3)
    assert bench.batches == [["a1", "a2", "b1"], ["a2"]]


async def test_what_a_deferral_raises_concerns_its_messages_alone() -> None:
    async def fail(_: Answer) -> Answer:
        msg = "no good"
        raise ValueError(msg)

    bench = Bench(fail, attrs.evolve(SUBSCRIPTION, max_delivery_count=1))
    bench.feed("a1", "b1")
    await bench.until(lambda: len(bench.settled) == 2)
    assert bench.batches == [["a1", "b1"]]
    assert bench.dead == ["a1: ValueError: no good"]


async def test_after_unavailable_the_handler_gets_the_deferred_messages_alone() -> None:
    async def away(_: Answer) -> Answer:
        msg = "away"
        raise Unavailable(msg)

    bench = Bench(away)
    bench.feed("a1", "b1")
    await bench.until(lambda: len(bench.settled) == 2)
    assert bench.batches == [["a1", "b1"], ["a1"]]
    assert bench.dead == []


async def test_stop_waits_for_what_is_deferred_meanwhile(gate: asyncio.Event, gated: Bench) -> None:
    gated.hold.clear()
    gated.feed("a1", "b1")
    await gated.until(lambda: bool(gated.batches))
    stopping = asyncio.create_task(gated.loop.stop(5))
    await asyncio.sleep(0)  # one step, in which it begins
    gated.hold.set()
    await gated.until(lambda: gated.settled == ["b1"])
    early, _ = await asyncio.wait({stopping}, timeout=0.05)
    gate.set()
    assert not early
    assert await stopping == []
    assert gated.settled == ["b1", "a1"]


async def test_stop_gives_back_what_is_still_deferred(gated: Bench) -> None:
    gated.feed("a1", "b1")
    await gated.until(lambda: gated.settled == ["b1"])
    assert [delivery.message.id for delivery in await gated.loop.stop(0.01)] == ["a1"]
    assert gated.settled == ["b1"]
