import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest

from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.exceptions import PayloadTooLarge
from infinitic_common.testing.transport import Scene
from infinitic_common.transport import OutgoingMessage, Subscription, Topic, TopicKind
from infinitic_transport_pulsar import PulsarTransport

MEGABYTES = 1024 * 1024


@pytest.fixture
async def chunking(configuration: PulsarConfiguration) -> AsyncIterator[PulsarTransport]:
    producer = attrs.evolve(configuration.producer, enable_chunking=True)
    transport = PulsarTransport(attrs.evolve(configuration, producer=producer))
    yield transport
    await transport.close()


def large(number: int, size: int = 6 * MEGABYTES, deliver_at: int | None = None) -> OutgoingMessage:
    body = bytes([65 + number]) * size
    return OutgoingMessage(id=f"m{number}", body=body, key=f"k{number}", deliver_at=deliver_at)


async def test_a_large_message_is_refused_and_the_remedy_named(
    scene: Scene, configuration: PulsarConfiguration
) -> None:
    transport = PulsarTransport(configuration)
    with pytest.raises(PayloadTooLarge, match="enableChunking: true"):
        await transport.publish(scene.tasks, [large(0)])
    await transport.close()


@pytest.mark.parametrize("in_chunks", [True, False])
async def test_a_large_delayed_message_is_refused_and_chunks_are_no_remedy(
    scene: Scene, configuration: PulsarConfiguration, *, in_chunks: bool
) -> None:
    producer = attrs.evolve(configuration.producer, enable_chunking=in_chunks)
    transport = PulsarTransport(attrs.evolve(configuration, producer=producer))
    with pytest.raises(PayloadTooLarge, match="takes; what may be delayed never travels in chunks"):
        await transport.publish(scene.delayed, [large(0, deliver_at=transport.now() + 300)])
    await transport.close()


@pytest.mark.parametrize(
    "kind",
    [
        TopicKind.SERVICE_EXECUTOR,
        TopicKind.WORKFLOW_STATE_ENGINE,
    ],
)
async def test_large_messages_travel_in_chunks_to_two_processes(
    kind: TopicKind, scene: Scene, chunking: PulsarTransport
) -> None:
    topic, ordered = Topic(kind, scene.entity), kind is TopicKind.WORKFLOW_STATE_ENGINE
    recorders = [scene.recorder(), scene.recorder()]
    for recorder in recorders:
        await scene.consume(Subscription((topic,), "large", ordered=ordered), recorder)
    messages = [large(number) for number in range(6)]
    await asyncio.gather(*(chunking.publish(topic, [message]) for message in messages))
    await scene.until(lambda: sum(len(recorder.handled) for recorder in recorders) >= 6)
    handled = {m.id: m.body for recorder in recorders for m in recorder.handled}
    assert handled == {message.id: message.body for message in messages}


async def test_small_messages_travel_beside_large_ones(
    scene: Scene, chunking: PulsarTransport
) -> None:
    recorder = scene.recorder()
    await scene.consume(scene.unordered_subscription(), recorder)
    await chunking.publish(
        scene.tasks, [large(n, 100 if n % 2 else 6 * MEGABYTES) for n in range(4)]
    )
    await recorder.until_handled(4)
    assert {m.id: len(m.body) for m in recorder.handled}["m0"] == 6 * MEGABYTES
