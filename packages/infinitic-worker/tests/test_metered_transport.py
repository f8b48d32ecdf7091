"""What is measured of messages."""

import asyncio
import inspect
from collections.abc import Awaitable, Sequence

import pytest
from telemetry_doubles import NAME, TOPIC, Broker, Measured
from worker_doubles import RecordingTransport

from infinitic_common.codec import encode
from infinitic_common.messages import ExecuteTask, SendSignal, from_received
from infinitic_common.requesters import ClientRequester
from infinitic_common.transport import (
    Backlog,
    Deferral,
    Handler,
    ObservableTransport,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
)
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._metrics.transport import MeteredTransport, metered

HERE = {"worker_name": "w", "topic": NAME}
ME = ClientRequester("c")
TASK = ExecuteTask("m", "Payments", "t", "charge", (), frozenset(), {}, ME)
SIGNAL = SendSignal("m", "Order", "w", "channel", "s", b"", (), ME, 0)

HANDLING = "infinitic.consumer.message.handling"
DESERIALIZATION = "infinitic.consumer.message.deserialization"
PROCESSING = "infinitic.consumer.message.processing"


def received(message: object, number: int = 0) -> ReceivedMessage:
    return ReceivedMessage(str(number), TOPIC, encode(message), None, {}, 1, 0)


async def consuming(instruments: Instruments, handler: Handler) -> Handler:
    broker = Broker()
    await MeteredTransport(broker, instruments).consume(Subscription((TOPIC,), "s"), handler)
    assert broker.handler is not None
    return broker.handler


async def reading(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
    for message in batch:
        from_received(message)
    return []


async def test_metrics_02_a_batch_of_two_kinds_is_counted_by_message_and_by_kind(
    measured: Measured, instruments: Instruments
) -> None:
    handle = await consuming(instruments, reading)
    kinds = [TASK, SIGNAL, SIGNAL, TASK]
    answer = await handle([received(message, n) for n, message in enumerate(kinds)])
    assert list(answer) == []
    assert measured.points(HANDLING) == [(HERE, 4)]
    assert measured.points(DESERIALIZATION) == [(HERE, 4)]
    assert measured.points("infinitic.consumer.messages") == [(HERE, 4)]
    assert sorted(measured.points(PROCESSING), key=str) == [
        ({**HERE, "message_type": "ExecuteTask"}, 2),
        ({**HERE, "message_type": "SendSignal"}, 2),
    ]


async def test_what_is_to_be_tried_again_is_not_handled_yet(
    measured: Measured, instruments: Instruments
) -> None:
    first, second = received(TASK, 1), received(TASK, 2)

    async def give_back(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        await reading(batch)
        return [second]

    handle = await consuming(instruments, give_back)
    assert list(await handle([first, second])) == [second]
    assert measured.value(HANDLING) == 1
    assert measured.value("infinitic.consumer.messages.returned") == 1


async def test_a_batch_whose_handler_raises_is_to_be_tried_again(
    measured: Measured, instruments: Instruments
) -> None:
    async def fail(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        msg = f"no room for {len(batch)}"
        raise OSError(msg)

    handle = await consuming(instruments, fail)
    with pytest.raises(OSError, match="no room for 1"):
        await handle([received(TASK)])
    assert measured.value(HANDLING) == 0
    assert measured.value("infinitic.consumer.messages.returned") == 1


async def test_messages_that_take_longer_are_handled_when_they_are_done(
    measured: Measured, instruments: Instruments
) -> None:
    late, done = received(TASK, 1), asyncio.Event()

    async def finish() -> Sequence[ReceivedMessage]:
        await done.wait()
        return []

    async def defer(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage | Deferral]:
        await reading(batch)
        return [Deferral([late], finish())]

    handle = await consuming(instruments, defer)
    (deferral,) = await handle([late, received(TASK, 2)])
    assert isinstance(deferral, Deferral)
    assert measured.value(HANDLING) == 1
    done.set()
    awaited: Awaitable[Sequence[ReceivedMessage]] = deferral.answer
    assert list(await awaited) == []
    assert measured.value(HANDLING) == 2
    assert measured.value(PROCESSING, message_type="ExecuteTask") == 2


async def test_dead_letters_are_counted_once_they_are_reported(
    measured: Measured, instruments: Instruments
) -> None:
    told: list[str] = []

    async def report(message: ReceivedMessage, why: str) -> None:
        told.append(f"{message.id}: {why}")

    broker = Broker()
    subscription = Subscription((TOPIC,), "s", on_dead_letter=report)
    await MeteredTransport(broker, instruments).consume(subscription, reading)
    assert broker.subscription is not None
    assert broker.subscription.on_dead_letter is not None
    await broker.subscription.on_dead_letter(received(TASK), "it fails")
    assert told == ["0: it fails"]
    assert measured.points("infinitic.consumer.messages.dead") == [(HERE, 1)]


async def test_what_is_published_is_counted(measured: Measured, instruments: Instruments) -> None:
    transport = MeteredTransport(Broker(), instruments)
    await transport.publish(TOPIC, [OutgoingMessage("1", b"abc"), OutgoingMessage("2", b"de")])
    assert measured.points("infinitic.producer.messages") == [(HERE, 2)]
    assert measured.points("infinitic.producer.bytes") == [(HERE, 5)]


async def test_a_measured_transport_is_of_every_optional_port_that_the_other_is(
    instruments: Instruments,
) -> None:
    broker = Broker()
    broker.waiting = [Backlog(TOPIC, NAME, "main", 7)]
    transport = metered(broker, instruments)
    assert isinstance(transport, ObservableTransport)
    # As isinstance itself does from Python 3.12 on.
    assert inspect.getattr_static(transport, "backlogs")
    assert await transport.backlogs() == broker.waiting
    assert transport.full_name(TOPIC) == NAME
    assert not isinstance(metered(RecordingTransport(), instruments), ObservableTransport)
