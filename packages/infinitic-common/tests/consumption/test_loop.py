import asyncio
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infinitic_common._consumption import BackOff, ConsumptionLoop, Delivery
from infinitic_common.exceptions import Unavailable
from infinitic_common.testing.transport import Recorder
from infinitic_common.transport import Handler, ReceivedMessage, Subscription, Topic, TopicKind

TOPIC = Topic(TopicKind.WORKFLOW_STATE_CMD, "W")
ORDERED = Subscription((TOPIC,), "engine", ordered=True)
SOON = BackOff(first=0.001, longest=0.002)


def deliveries(*ids: str) -> list[Delivery[int]]:
    return [
        Delivery(ReceivedMessage(id_, TOPIC, b"", id_[0], {}, 1, 0), token)
        for token, id_ in enumerate(ids)
    ]


class Broker:
    """Remembers what was settled and dead-lettered, and how often room was offered."""

    def __init__(self, handler: Handler, subscription: Subscription = ORDERED) -> None:
        self.settled: list[str] = []
        self.dead: list[tuple[str, str]] = []
        self.room_offers = 0
        self._settling = asyncio.Event()
        self._offering = asyncio.Event()
        self.loop: ConsumptionLoop[int] = ConsumptionLoop(
            subscription,
            handler,
            settle=self._settle,
            dead_letter=self._bury,
            on_room=self._offer,
            retry=SOON,
            pause=SOON,
        )

    def _settle(self, deliveries: Sequence[Delivery[int]]) -> None:
        self.settled += [delivery.message.id for delivery in deliveries]
        self._settling.set()

    async def _bury(self, delivery: Delivery[int], reason: str) -> None:
        self.dead.append((delivery.message.id, reason))

    def _offer(self) -> None:
        self.room_offers += 1
        self._offering.set()

    async def until_offered(self) -> None:
        async with asyncio.timeout(30):
            await self._offering.wait()

    async def until_settled(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.settled) < count:
                self._settling.clear()
                await self._settling.wait()


async def until_idle() -> None:
    """Wait until all that was begun beside the test, or was about to begin, has ended."""
    await asyncio.sleep(0)  # what is due now begins
    others = asyncio.all_tasks() - {asyncio.current_task()}
    async with asyncio.timeout(30):
        await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def gated(gate: asyncio.Event) -> Recorder:
    async def wait(_: object) -> tuple[()]:
        await gate.wait()
        return ()

    return Recorder(30, wait)


async def test_a_burst_fed_in_pieces_is_one_batch() -> None:
    recorder = Recorder(30)
    broker = Broker(recorder)
    broker.loop.feed(deliveries("a1", "b1"))
    broker.loop.feed(deliveries("a2", "c1"))
    await recorder.until_handled(4)
    assert [[m.id for m in batch] for batch in recorder.batches] == [["a1", "a2", "b1", "c1"]]


async def test_room_is_what_the_bounds_leave(gate: asyncio.Event, gated: Recorder) -> None:
    broker = Broker(gated, attrs.evolve(ORDERED, max_in_flight_messages=5))
    broker.loop.feed(deliveries("a1", "b1", "c1"))
    queued = broker.loop.room
    await gated.until(lambda: gated.in_handler == 3)
    in_handler = broker.loop.room
    gate.set()
    await broker.until_settled(3)
    assert (queued, in_handler, broker.loop.room) == (2, 2, 5)
    await broker.until_offered()


async def test_batches_that_end_together_ask_once_for_more(
    gate: asyncio.Event, gated: Recorder
) -> None:
    broker = Broker(gated, attrs.evolve(ORDERED, max_batch_messages=1))
    broker.loop.feed(deliveries("a1", "b1", "c1"))
    await gated.until(lambda: gated.in_handler == 3)
    gate.set()
    await broker.until_offered()
    assert broker.settled == ["a1", "b1", "c1"]
    assert broker.room_offers == 1


async def test_messages_behind_one_of_their_key_take_no_room_up_to_a_limit(
    gated: Recorder,
) -> None:
    broker = Broker(gated, attrs.evolve(ORDERED, max_in_flight_messages=5, max_batch_messages=1))
    broker.loop.feed(deliveries("a1"))
    await gated.until(lambda: gated.in_handler == 1)
    broker.loop.feed(deliveries(*(f"a{index}" for index in range(500))))
    some = broker.loop.room
    broker.loop.feed(deliveries(*(f"a{index}" for index in range(600))))
    assert (some, broker.loop.room) == (4, 0)


async def test_waiting_for_room_ends_when_there_is_some_or_when_stopped(
    gate: asyncio.Event, gated: Recorder
) -> None:
    broker = Broker(gated, attrs.evolve(ORDERED, max_in_flight_messages=1))
    assert await broker.loop.wait_for_room() == 1
    broker.loop.feed(deliveries("a1"))
    waiting = asyncio.create_task(broker.loop.wait_for_room())
    await gated.until(lambda: gated.in_handler == 1)
    assert not waiting.done()
    gate.set()
    assert await waiting == 1
    await broker.loop.stop(1)
    assert await broker.loop.wait_for_room() == 0


async def test_there_is_no_room_while_paused() -> None:
    recovered = asyncio.Event()

    async def handler(_: object) -> tuple[()]:
        if not recovered.is_set():
            msg = "not now"
            raise Unavailable(msg)
        return ()

    recorder = Recorder(30, handler)
    broker = Broker(recorder)
    broker.loop.feed(deliveries("a1"))
    await recorder.until(lambda: len(recorder.batches) >= 2)
    paused = broker.loop.room
    broker.loop.feed(deliveries("b1"))
    recovered.set()
    await broker.until_settled(2)
    assert paused == 0
    assert broker.loop.room == 1000
    assert broker.settled == ["a1", "b1"]


async def test_later_messages_of_the_key_come_again_uncounted() -> None:
    async def give_back_a_first(batch: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        return [m for m in batch if m.id in {"a1", "a2"} and batch[0].delivery_count == 1]

    recorder = Recorder(30, give_back_a_first)
    broker = Broker(recorder)
    broker.loop.feed(deliveries("a1", "a2", "a3", "b1"))
    await broker.until_settled(4)
    assert recorder.counts_of("a1") == [1, 2]
    assert recorder.counts_of("a2") == [1, 1]
    assert recorder.counts_of("a3") == [1, 1]
    assert recorder.counts_of("b1") == [1]
    assert broker.settled == ["b1", "a1", "a2", "a3"]


async def test_what_arrives_after_a_failure_does_not_share_the_next_one() -> None:
    async def fail_at_a1(batch: Sequence[ReceivedMessage]) -> tuple[()]:
        if not recorder.delivered_ids[1:]:
            broker.loop.feed(deliveries("a2"))
        if any(message.id == "a1" for message in batch):
            msg = "never"
            raise ValueError(msg)
        return ()

    recorder = Recorder(30, fail_at_a1)
    broker = Broker(recorder)
    broker.loop.feed(deliveries("a1"))
    await broker.until_settled(2)
    assert recorder.delivered_ids == ["a1", "a1", "a1", "a2"]
    assert recorder.counts_of("a2") == [1]


async def test_an_answer_with_other_messages_is_a_failure_of_the_batch() -> None:
    async def answer_a_copy(batch: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        return [attrs.evolve(batch[0])]

    broker = Broker(answer_a_copy)
    broker.loop.feed(deliveries("a1"))
    await broker.until_settled(1)
    assert broker.dead[0][0] == "a1"
    assert "not of its batch" in broker.dead[0][1]


async def test_what_is_cancelled_inside_the_handler_is_its_failure() -> None:
    async def cancelled_inside(_: object) -> tuple[()]:
        raise asyncio.CancelledError

    broker = Broker(cancelled_inside)
    broker.loop.feed(deliveries("a1"))
    await broker.until_settled(1)
    assert broker.dead == [("a1", "CancelledError: ")]


async def test_consume_02_a_fatal_error_concerns_its_message_alone_and_nothing_is_lost() -> None:
    class Fatal(BaseException):
        pass

    async def fatal_for_a1(batch: Sequence[ReceivedMessage]) -> tuple[()]:
        if any(message.id == "a1" for message in batch):
            raise Fatal
        return ()

    broker = Broker(fatal_for_a1)
    broker.loop.feed(deliveries("a1", "a2", "b1", "c1"))
    await broker.until_settled(4)
    assert broker.dead == [("a1", "Fatal: ")]
    assert sorted(broker.settled) == ["a1", "a2", "b1", "c1"]
    assert broker.loop.counts.remaining == 0


async def test_a_dead_letter_topic_that_fails_is_tried_again() -> None:
    async def refuse(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        return batch

    failures = iter([Unavailable("broker away"), None])
    buried: asyncio.Queue[int] = asyncio.Queue()

    async def bury(delivery: Delivery[int], _: str) -> None:
        if error := next(failures):
            raise error
        await buried.put(delivery.message.delivery_count)

    loop: ConsumptionLoop[int] = ConsumptionLoop(
        attrs.evolve(ORDERED, max_delivery_count=1),
        refuse,
        settle=lambda _: None,
        dead_letter=bury,
        retry=SOON,
    )
    loop.feed(deliveries("a1"))
    async with asyncio.timeout(30):
        assert await buried.get() == 2


async def test_stop_answers_everything_unsettled_in_order_by_key(gated: Recorder) -> None:
    broker = Broker(gated, attrs.evolve(ORDERED, max_batch_messages=2, max_in_flight_batches=1))
    broker.loop.feed(deliveries("a1", "a2", "a3", "b1", "b2"))
    await gated.until(lambda: gated.in_handler == 2)
    rest = await broker.loop.stop(0.01)
    assert [delivery.message.id for delivery in rest] == ["a1", "a2", "a3", "b1", "b2"]
    assert broker.settled == []
    assert await broker.loop.stop(1) == []
    assert (broker.loop.counts.received, broker.loop.counts.remaining) == (2, 2)


async def test_a_second_stop_may_shorten_the_grace_of_the_first(gated: Recorder) -> None:
    broker = Broker(gated)
    broker.loop.feed(deliveries("a1"))
    await gated.until(lambda: gated.in_handler == 1)
    patient = asyncio.create_task(broker.loop.stop(3600))
    await asyncio.sleep(0)
    rest = await broker.loop.stop(0)
    assert [*rest, *await patient]


async def test_a_handler_that_outlives_its_cancellation_settles_nothing() -> None:
    finished = asyncio.Event()
    begun = asyncio.Event()

    async def stubborn(_: object) -> tuple[()]:
        begun.set()
        work = asyncio.ensure_future(finished.wait())
        while not work.done():
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                continue
        return ()

    broker = Broker(stubborn)
    broker.loop.feed(deliveries("a1"))
    await begun.wait()
    rest = await broker.loop.stop(0)
    finished.set()
    await until_idle()
    assert [delivery.message.id for delivery in rest] == ["a1"]
    assert broker.settled == []


async def test_a_handler_may_stop_its_own_consumption() -> None:
    rest: asyncio.Queue[list[Delivery[int]]] = asyncio.Queue()

    async def stop(_: object) -> tuple[()]:
        await rest.put(await broker.loop.stop(3600))
        return ()

    broker = Broker(stop)
    broker.loop.feed(deliveries("a1"))
    async with asyncio.timeout(30):
        assert [delivery.message.id for delivery in await rest.get()] == ["a1"]


async def test_what_is_fed_after_a_stop_is_ignored() -> None:
    recorder = Recorder(30)
    broker = Broker(recorder)
    await broker.loop.stop(1)
    broker.loop.feed(deliveries("a1"))
    await until_idle()
    assert recorder.batches == []
    assert broker.loop.room == 0
    assert await broker.loop.stop(0) == []


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.sampled_from("abcd"), min_size=1, max_size=30),
    bad=st.sets(st.integers(0, 29), max_size=10),
    raises=st.booleans(),
    batch=st.integers(1, 8),
)
def test_whatever_fails_each_key_is_done_with_in_order(
    keys: list[str], bad: set[int], batch: int, *, raises: bool
) -> None:
    ids = [f"{key}{index:02}" for index, key in enumerate(keys)]
    failing = {id_ for index, id_ in enumerate(ids) if index in bad}

    async def handler(messages: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        failed = [m for m in messages if m.id in failing and m.delivery_count < 3]
        if failed and raises:
            msg = "failed"
            raise ValueError(msg)
        return failed

    async def run() -> Broker:
        subscription = attrs.evolve(ORDERED, max_batch_messages=batch, max_delivery_count=10)
        broker = Broker(handler, subscription)
        broker.loop.feed(deliveries(*ids))
        await broker.until_settled(len(ids))
        await broker.loop.stop(0)
        return broker

    broker = asyncio.run(run())
    assert sorted(broker.settled) == sorted(ids)
    for key in "abcd":
        of_key = [id_ for id_ in broker.settled if id_[0] == key]
        assert of_key == sorted(of_key)
