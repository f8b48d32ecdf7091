import asyncio
from collections.abc import Sequence

from infinitic_common.transport import (
    Backlog,
    ObservableTransport,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_transport import InMemoryTransport

TASKS = Topic(TopicKind.SERVICE_EXECUTOR, "Payments")
RETRIES = Topic(TopicKind.SERVICE_EXECUTOR_RETRY, "Payments")
ANSWERS = Topic(TopicKind.CLIENT_RESPONSE, "client")
NAME = "inmemory://service-executor:Payments"


async def handle(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
    del batch
    return []


async def refuse(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
    return batch


async def test_messages_that_nobody_reads_are_counted() -> None:
    transport = InMemoryTransport()
    await transport.publish(TASKS, [OutgoingMessage("1", b""), OutgoingMessage("2", b"")])
    assert list(await transport.backlogs()) == [Backlog(TASKS, NAME, "", 2)]


async def test_what_a_subscription_has_still_to_read_is_counted_delayed_or_not() -> None:
    transport = InMemoryTransport()
    running = await transport.consume(Subscription((TASKS, RETRIES), "executor"), handle)
    await running.stop(0)
    await transport.publish(TASKS, [OutgoingMessage("1", b"")])
    await transport.publish(RETRIES, [OutgoingMessage("2", b"", deliver_at=2**50)])
    assert list(await transport.backlogs()) == [Backlog(TASKS, NAME, "executor", 2)]


async def test_dead_letters_are_counted_apart() -> None:
    transport = InMemoryTransport()
    subscription = Subscription((TASKS,), "executor", max_delivery_count=1)
    await transport.consume(subscription, refuse)
    await transport.publish(TASKS, [OutgoingMessage("1", b"")])
    while not transport.universe.dead_letters(TASKS):  # noqa: ASYNC110 - the broker tells nobody
        await asyncio.sleep(0)
    dead = "inmemory://service-executor-dlq:Payments"
    assert Backlog(TASKS, dead, "", 1, dead_letters=True) in await transport.backlogs()
    await transport.close()


async def test_responses_to_clients_are_not_counted() -> None:
    transport = InMemoryTransport()
    await transport.consume(Subscription((ANSWERS,), "client", durable=False), handle)
    assert list(await transport.backlogs()) == []
    await transport.close()


async def test_only_a_closed_transport_has_problems() -> None:
    transport = InMemoryTransport("here")
    assert isinstance(transport, ObservableTransport)
    assert list(await transport.problems()) == []
    await transport.close()
    assert list(await transport.problems()) == ["the transport here is closed"]
