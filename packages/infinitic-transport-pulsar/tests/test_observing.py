import asyncio
import uuid
from collections.abc import Sequence

from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.transport import (
    Backlog,
    ObservableTransport,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_transport_pulsar import PulsarTransport
from infinitic_transport_pulsar._names import parse_dead_letters


async def handle(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
    del batch
    return []


async def refuse(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
    return batch


async def until_found(transport: PulsarTransport, wanted: Backlog) -> None:
    async with asyncio.timeout(30):
        while wanted not in await transport.backlogs():  # noqa: ASYNC110 - it must be asked
            await asyncio.sleep(0.1)


def topic_of(kind: TopicKind) -> Topic:
    return Topic(kind, f"Observed {uuid.uuid4().hex[:8]}")


async def test_what_waits_is_counted_over_all_partitions(
    configuration: PulsarConfiguration,
) -> None:
    transport = PulsarTransport(configuration)
    topic = topic_of(TopicKind.WORKFLOW_STATE_CMD)
    for number in range(8):  # one by one: the broker counts batches
        await transport.publish(topic, [OutgoingMessage(str(number), b"", key=str(number))])
    name = transport.full_name(topic)
    await until_found(transport, Backlog(topic, name, "workflow-state-cmd-subscription", 8))
    await transport.close()


async def test_dead_letters_are_counted_apart(configuration: PulsarConfiguration) -> None:
    transport = PulsarTransport(configuration)
    topic = topic_of(TopicKind.SERVICE_EXECUTOR)
    await transport.consume(Subscription((topic,), "executor", max_delivery_count=1), refuse)
    await transport.publish(topic, [OutgoingMessage("1", b"")])
    name = transport.full_name(topic).replace("service-executor:", "service-executor-dlq:")
    subscription = "service-executor-subscription-dlq"
    await until_found(transport, Backlog(topic, name, subscription, 1, dead_letters=True))
    await transport.close()


async def test_a_connected_transport_has_no_problems_a_closed_one_has(
    configuration: PulsarConfiguration,
) -> None:
    transport = PulsarTransport(configuration, "observed")
    assert isinstance(transport, ObservableTransport)
    await transport.consume(Subscription((topic_of(TopicKind.SERVICE_EXECUTOR),), "e"), handle)
    assert list(await transport.problems()) == []
    await transport.close()
    assert list(await transport.problems()) == ["the Pulsar transport observed is closed"]


def test_the_name_of_dead_letters_leads_to_their_topic() -> None:
    full = "persistent://t/n/service-executor-dlq:Pay=20ments"
    assert parse_dead_letters(full) == Topic(TopicKind.SERVICE_EXECUTOR, "Pay ments")
    assert parse_dead_letters("persistent://t/n/service-executor:Payments") is None
