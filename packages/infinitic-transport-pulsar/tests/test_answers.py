import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import attrs
import pytest

from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.testing.transport import Scene, numbered
from infinitic_common.transport import Consumption, Subscription, Topic, TopicKind
from infinitic_transport_pulsar import PulsarTransport

if TYPE_CHECKING:
    from conftest import PulsarHarness

AnsweredClient = Callable[[], Awaitable[Consumption]]


@pytest.fixture
def topic(scene: Scene) -> Topic:
    return Topic(TopicKind.CLIENT_RESPONSE, scene.entity)


@pytest.fixture
async def engine(pulsar_harness: "PulsarHarness") -> PulsarTransport:
    return await pulsar_harness.open()


@pytest.fixture
def answered_client(scene: Scene, topic: Topic, engine: PulsarTransport) -> AnsweredClient:
    """Begins what a client consumes, which the engine has answered once."""

    async def begin() -> Consumption:
        recorder = scene.recorder()
        consumption = await scene.consume(Subscription((topic,), "client", durable=False), recorder)
        await engine.publish(topic, numbered(1))
        await recorder.until_handled(1)
        return consumption

    return begin


async def test_the_topic_of_a_client_is_removed_when_it_stops(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    topic = Topic(TopicKind.CLIENT_RESPONSE, scene.entity)
    consumption = await scene.consume(
        Subscription((topic,), "client", durable=False), scene.recorder()
    )
    full = pulsar_harness.names.of(topic)
    assert await pulsar_harness.subscriptions(full) == ["client-response-subscription"]
    await consumption.stop(1)
    assert await pulsar_harness.subscriptions(full) is None


async def test_a_topic_that_was_never_made_is_not_said_to_stay(
    pulsar_harness: "PulsarHarness", scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = attrs.evolve(pulsar_harness.configuration, web_service_url="http://127.0.0.1:1")
    transport = PulsarTransport(nowhere)
    topic = Topic(TopicKind.CLIENT_RESPONSE, scene.entity)
    with caplog.at_level(logging.WARNING), pytest.raises(TransportUnavailable):
        await transport.consume(Subscription((topic,), "client", durable=False), scene.recorder())
    await transport.close()
    assert caplog.messages == []


async def test_closing_removes_the_topic_of_a_client_too(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    topic, client = Topic(TopicKind.CLIENT_RESPONSE, scene.entity), await pulsar_harness.open()
    subscription = Subscription((topic,), "client", durable=False)
    await scene.consume(subscription, scene.recorder(), client)
    await client.close()
    assert await pulsar_harness.subscriptions(pulsar_harness.names.of(topic)) is None


async def test_answers_to_a_client_that_left_are_swallowed_at_once(
    answered_client: AnsweredClient,
    engine: PulsarTransport,
    topic: Topic,
    pulsar_harness: "PulsarHarness",
) -> None:
    client = await answered_client()
    await client.stop(1)
    async with asyncio.timeout(10):
        await engine.publish(topic, numbered(1, first=1))
    assert await pulsar_harness.subscriptions(pulsar_harness.names.of(topic)) is None


async def test_a_producer_of_answers_is_given_up_when_its_client_has_left(
    answered_client: AnsweredClient, engine: PulsarTransport, scene: Scene
) -> None:
    client = await answered_client()
    assert len(engine._watched()) == 1
    await client.stop(1)
    await scene.until(lambda: not engine._watched())


async def test_a_client_that_leaves_costs_hardly_a_line_of_the_log(
    answered_client: AnsweredClient,
    engine: PulsarTransport,
    scene: Scene,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for _ in range(3):
        client = await answered_client()
        await client.stop(1)
        await scene.until(lambda: not engine._watched())
    lines = capfd.readouterr()
    assert (lines.out + lines.err).count("TopicNotFound") <= 6


async def test_a_client_that_comes_back_under_its_name_is_answered(
    answered_client: AnsweredClient,
) -> None:
    for _ in range(2):
        client = await answered_client()
        await client.stop(1)
