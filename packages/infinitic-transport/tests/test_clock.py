import asyncio
from datetime import timedelta

import pytest

from infinitic_common.testing.transport import Recorder, numbered
from infinitic_common.transport import OutgoingMessage, Subscription, Topic, TopicKind
from infinitic_transport import InMemoryTransport, MovableClock, Universe

TIMERS = Topic(TopicKind.WORKFLOW_STATE_TIMER, "W")
SUBSCRIPTION = Subscription((TIMERS,), "forwarder")
DAY_MS = 86_400_000


def due_in(transport: InMemoryTransport, milliseconds: int, id_: str = "timer") -> OutgoingMessage:
    return OutgoingMessage(id_, b"", deliver_at=transport.now() + milliseconds)


async def test_a_moved_clock_makes_delayed_messages_due_at_once_and_by_their_time() -> None:
    clock = MovableClock()
    transport = InMemoryTransport(clock=clock)
    recorder = Recorder(30)
    await transport.consume(SUBSCRIPTION, recorder)
    await transport.publish(TIMERS, [due_in(transport, 3 * DAY_MS, "third")])
    await transport.publish(TIMERS, [due_in(transport, DAY_MS, "first")])
    await transport.publish(TIMERS, [due_in(transport, 2 * DAY_MS, "second"), *numbered(1)])
    await recorder.until_handled(1)
    clock.advance(timedelta(days=2, seconds=1))
    await recorder.until_handled(3)
    assert recorder.handled_ids == ["m0", "first", "second"]
    clock.advance(timedelta(days=1))
    await recorder.until_handled(4)
    await transport.close()


async def test_the_clock_may_be_moved_before_anybody_consumes_and_from_another_thread() -> None:
    clock = MovableClock()
    transport = InMemoryTransport(universe=Universe(clock))
    await transport.publish(TIMERS, [due_in(transport, DAY_MS)])
    recorder = Recorder(30)
    await transport.consume(SUBSCRIPTION, recorder)
    await asyncio.to_thread(clock.advance, timedelta(days=1))
    await recorder.until_handled(1)
    await transport.close()


async def test_many_timers_are_each_delivered_once_when_due() -> None:
    transport = InMemoryTransport()
    recorder = Recorder(30)
    await transport.consume(SUBSCRIPTION, recorder)
    messages = [due_in(transport, 5 * (index % 20), f"timer{index}") for index in range(100)]
    await transport.publish(TIMERS, messages)
    await recorder.until_handled(100)
    assert len(recorder.deliveries) == 100
    await transport.close()


def test_time_does_not_go_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        MovableClock().advance(timedelta(seconds=-1))


def test_a_clock_belongs_to_the_universe() -> None:
    with pytest.raises(ValueError, match=r"Universe\(clock\)"):
        InMemoryTransport(universe=Universe(), clock=MovableClock())
