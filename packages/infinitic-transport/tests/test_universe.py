import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from infinitic_common.exceptions import PayloadTooLarge
from infinitic_common.testing.transport import Recorder, numbered
from infinitic_common.transport import (
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_transport import InMemoryTransport, MovableClock, Universe

TASKS = Topic(TopicKind.SERVICE_EXECUTOR, "S")
EVENTS = Topic(TopicKind.SERVICE_EXECUTOR_EVENT, "S")
ANSWERS = Topic(TopicKind.CLIENT_RESPONSE, "c")
TIMERS = Topic(TopicKind.WORKFLOW_STATE_TIMER, "W")
COMMANDS = Topic(TopicKind.WORKFLOW_STATE_CMD, "W")
ENGINE = Topic(TopicKind.WORKFLOW_STATE_ENGINE, "W")
SERVICE = Subscription((TASKS,), "service")
STATE = Subscription((COMMANDS, ENGINE), "engine", ordered=True)


async def test_inmem_01_ten_tasks_with_concurrency_ten_run_together() -> None:
    together = asyncio.Barrier(10)

    async def work(_: Sequence[ReceivedMessage]) -> tuple[()]:
        await together.wait()  # one after another would wait for ever
        return ()

    transport = InMemoryTransport()
    recorder = Recorder(30, work)
    ten_at_once = attrs.evolve(SERVICE, max_batch_messages=1, max_in_flight_messages=10)
    await transport.consume(ten_at_once, recorder)
    await transport.publish(TASKS, numbered(10))
    await recorder.until_handled(10)
    await transport.close()


async def test_the_latest_events_are_kept_for_a_listener_that_comes_later() -> None:
    transport = InMemoryTransport()
    large = [OutgoingMessage(f"e{n}", bytes(100_000)) for n in range(30)]
    for message in large:
        await transport.publish(EVENTS, [message])
    assert await transport.entities(EVENTS.kind) == {"S"}
    recorder = Recorder(30)
    await transport.consume(Subscription((EVENTS,), "listener"), recorder)
    await recorder.until_handled(10)
    assert recorder.delivered_ids == [f"e{n}" for n in range(20, 30)]
    await transport.close()


async def test_answers_to_clients_that_are_gone_are_dropped() -> None:
    transport = InMemoryTransport()
    await transport.publish(ANSWERS, numbered(3))
    recorder = Recorder(30)
    await transport.consume(Subscription((ANSWERS,), "client"), recorder)
    await transport.publish(ANSWERS, numbered(1, first=3))
    await recorder.until_handled(1)
    assert recorder.delivered_ids == ["m3"]
    await transport.close()


async def test_messages_of_both_topics_kept_for_a_subscription_come_as_published() -> None:
    transport = InMemoryTransport()
    for first in range(4):
        topic = (COMMANDS, ENGINE)[first % 2]
        await transport.publish(topic, numbered(1, "a", first=first))
    recorder = Recorder(30)
    await transport.consume(STATE, recorder)
    await recorder.until_handled(4)
    assert recorder.handled_ids == ["a-0", "a-1", "a-2", "a-3"]
    await transport.close()


async def test_a_subscription_outlives_its_consumers() -> None:
    transport = InMemoryTransport()
    await (await transport.consume(SERVICE, Recorder(30))).stop(1)
    await transport.publish(TASKS, numbered(2))
    recorder = Recorder(30)
    await transport.consume(SERVICE, recorder)
    await recorder.until_handled(2)
    await transport.close()


async def test_a_message_too_large_stores_nothing_of_its_call() -> None:
    transport = InMemoryTransport(max_message_bytes=6)
    too_large = attrs.evolve(numbered(1)[0], body=b"1234567")
    with pytest.raises(PayloadTooLarge, match=r"m0 .* 7 bytes.*limit is 6"):
        await transport.publish(TASKS, [*numbered(3, prefix="n"), too_large])
    recorder = Recorder(30)
    await transport.consume(SERVICE, recorder)
    await transport.publish(TASKS, numbered(1, prefix="p"))
    await recorder.until_handled(1)
    assert recorder.delivered_ids == ["p0"]
    await transport.close()


async def test_transports_of_different_universes_do_not_meet() -> None:
    first, second = InMemoryTransport(), InMemoryTransport()
    recorder = Recorder(30)
    await second.consume(SERVICE, recorder)
    await first.publish(TASKS, numbered(1, prefix="first"))
    await second.publish(TASKS, numbered(1, prefix="second"))
    await recorder.until_handled(1)
    assert recorder.delivered_ids == ["second0"]
    await second.close()


async def test_a_client_on_another_event_loop_is_answered() -> None:
    universe = Universe()
    worker = InMemoryTransport(universe=universe)

    async def answer(batch: Sequence[ReceivedMessage]) -> tuple[()]:
        await worker.publish(ANSWERS, numbered(len(batch), prefix=f"re-{batch[0].id}-"))
        return ()

    await worker.consume(SERVICE, answer)

    async def ask() -> list[str]:
        client = InMemoryTransport(universe=universe)
        recorder = Recorder(30)
        await client.consume(Subscription((ANSWERS,), "c", durable=False), recorder)
        for index in range(50):
            await client.publish(TASKS, numbered(1, first=index))
            await recorder.until_handled(index + 1)
        await client.close()
        return recorder.handled_ids

    answers = await asyncio.to_thread(asyncio.run, ask())
    assert answers == [f"re-m{index}-0" for index in range(50)]
    await worker.close()


async def test_many_threads_may_publish_at_once() -> None:
    universe = Universe()
    recorder = Recorder(30)
    transport = InMemoryTransport(universe=universe)
    await transport.consume(STATE, recorder)

    async def publish(key: str) -> None:
        for first in range(0, 200, 10):
            await InMemoryTransport(universe=universe).publish(
                COMMANDS, numbered(10, key, first=first)
            )

    threads = [
        threading.Thread(target=asyncio.run, args=(publish(key),)) for key in ("a", "b", "c", "d")
    ]
    for thread in threads:
        thread.start()
    await recorder.until_handled(800)
    for thread in threads:
        await asyncio.to_thread(thread.join)
    for key in ("a", "b", "c", "d"):
        assert recorder.handled_ids_of(key) == [m.id for m in numbered(200, key)]
    await transport.close()


@pytest.mark.parametrize("subscription", [SERVICE, STATE], ids=["unordered", "ordered"])
async def test_what_a_closed_event_loop_had_begun_comes_to_others(
    subscription: Subscription,
) -> None:
    universe = Universe()

    async def vanish() -> None:
        async def hold(_: object) -> tuple[()]:
            await asyncio.Event().wait()
            return ()

        transport = InMemoryTransport(universe=universe)
        recorder = Recorder(30, hold)
        await transport.consume(subscription, recorder)
        await transport.publish(subscription.topics[0], numbered(5, "a"))
        await recorder.until(lambda: recorder.in_handler == 5)

    await asyncio.to_thread(asyncio.run, vanish())
    recorder = Recorder(30)
    transport = InMemoryTransport(universe=universe)
    await transport.consume(subscription, recorder)
    await recorder.until_handled(5)
    assert recorder.handled_ids == [m.id for m in numbered(5, "a")]
    await transport.close()


async def test_when_readers_come_and_go_no_key_is_in_two_hands_and_none_is_lost() -> None:
    async def work(_: Sequence[ReceivedMessage]) -> tuple[()]:
        await asyncio.sleep(0.001)
        return ()

    universe = Universe()
    recorder = Recorder(30, work)
    transport = InMemoryTransport(universe=universe)
    keys = [f"key{index}" for index in range(40)]
    narrow = attrs.evolve(STATE, max_batch_messages=4, max_in_flight_messages=20)
    consumptions = [await transport.consume(narrow, recorder)]
    for first in range(10):
        messages = [m for key in keys for m in numbered(2, key, first=2 * first)]
        await transport.publish(COMMANDS, messages)
        consumptions.append(await transport.consume(narrow, recorder))
        await recorder.until_handled(40 * first + 10)
        await consumptions.pop(0).stop(5)
    await recorder.until_handled(800)
    assert recorder.shared_keys == set()
    for key in keys:
        assert recorder.handled_ids_of(key) == [m.id for m in numbered(20, key)]
    await transport.close()


async def test_it_tells_what_is_unsettled_and_when_the_next_delayed_message_is_due() -> None:
    clock = MovableClock()
    transport = InMemoryTransport(clock=clock)
    universe = transport.universe
    recorder = Recorder(30)
    await transport.consume(Subscription((TIMERS,), "forwarder"), recorder)
    assert (universe.unsettled(), universe.next_due()) == (0, None)
    due = transport.now() + 3_600_000
    await transport.publish(TIMERS, [OutgoingMessage("later", b"", deliver_at=due), *numbered(1)])
    await recorder.until(lambda: universe.unsettled() == 0)
    assert universe.next_due() == due
    clock.advance(timedelta(hours=1))
    assert universe.unsettled() == 1
    await recorder.until(lambda: universe.unsettled() == 0)
    assert universe.next_due() is None
    await transport.close()
