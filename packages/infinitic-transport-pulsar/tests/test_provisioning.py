import asyncio
import logging
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import attrs
import pytest

from infinitic_common.exceptions import TransportError
from infinitic_common.testing.transport import Scene, numbered
from infinitic_common.transport import Subscription, Topic, TopicKind
from infinitic_transport_pulsar import PulsarTransport
from infinitic_transport_pulsar._provisioning import partitions_of

if TYPE_CHECKING:
    from conftest import PulsarHarness

EVENTS = TopicKind.SERVICE_EXECUTOR_EVENT
ANSWERS = TopicKind.CLIENT_RESPONSE


@pytest.mark.parametrize("kind", sorted(set(TopicKind) - {ANSWERS}))
async def test_pulsar_08_publishing_makes_the_topic_and_keeps_the_message(
    kind: TopicKind, scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    topic = Topic(kind, scene.entity)
    await (await pulsar_harness.open()).publish(topic, numbered(1))
    full = pulsar_harness.names.of(topic)
    expected = [] if kind.value.endswith("-event") else [f"{kind.value}-subscription"]
    assert await pulsar_harness.subscriptions(full) == expected
    assert await pulsar_harness.partitions(full) == partitions_of(kind, 4)


async def test_pulsar_08_an_answer_makes_no_topic(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    topic = Topic(ANSWERS, scene.entity)
    await (await pulsar_harness.open()).publish(topic, numbered(1))
    assert await pulsar_harness.subscriptions(pulsar_harness.names.of(topic)) is None


@pytest.mark.parametrize("kind", TopicKind)
async def test_pulsar_05_consuming_makes_the_topic(
    kind: TopicKind, scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    topic = Topic(kind, scene.entity)
    subscription = Subscription((topic,), "listener", durable=kind is not ANSWERS)
    await scene.consume(subscription, scene.recorder())
    full = pulsar_harness.names.of(topic)
    assert await pulsar_harness.subscriptions(full) == ["listener"]
    assert await pulsar_harness.partitions(full) == (partitions_of(kind, 4) or 0)


async def test_pulsar_07_many_processes_make_the_same_things_at_once(
    pulsar_harness: "PulsarHarness",
) -> None:
    configuration = attrs.evolve(
        pulsar_harness.configuration,
        tenant=f"infinitic-race-{uuid.uuid4().hex[:8]}",
        namespace="race",
        partitions=2,
    )
    transports = [PulsarTransport(configuration) for _ in range(8)]
    topics = [Topic(kind, "Race") for kind in (TopicKind.SERVICE_EXECUTOR, EVENTS)]
    await asyncio.gather(
        *(transport.publish(topic, numbered(1)) for transport in transports for topic in topics)
    )
    names = await asyncio.gather(*(transport.entities(EVENTS) for transport in transports))
    assert set(names) == {frozenset({"Race"})}
    await asyncio.gather(*(transport.close() for transport in transports))
    await pulsar_harness.remove_namespace(configuration)
    await pulsar_harness.admin.delete(f"tenants/{configuration.tenant}")


@pytest.mark.parametrize("kind", TopicKind)
async def test_pulsar_04_names_are_found_from_the_topics(
    kind: TopicKind, scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    topic = Topic(kind, f"{scene.entity} é/-partition-1")
    subscription = Subscription((topic,), "listener", durable=kind is not ANSWERS)
    transport = await pulsar_harness.open()
    await scene.consume(subscription, scene.recorder(), transport)
    assert topic.entity in await transport.entities(kind)


async def test_a_namespace_that_differs_is_used_with_a_warning(
    scene: Scene, pulsar_harness: "PulsarHarness", caplog: pytest.LogCaptureFixture
) -> None:
    await (await pulsar_harness.open()).publish(scene.tasks, numbered(1))
    policies = attrs.evolve(pulsar_harness.configuration.policies, retention_time_minutes=7)
    other = PulsarTransport(attrs.evolve(pulsar_harness.configuration, policies=policies))
    with caplog.at_level(logging.WARNING):
        await other.publish(scene.tasks, numbered(1))
    await other.close()
    assert "retention_policies" in caplog.text
    assert "10080" in caplog.text


async def test_keys_shared_over_processes_are_refused_where_the_broker_drops_repetitions(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    configuration = attrs.evolve(
        pulsar_harness.configuration, namespace=f"{pulsar_harness.configuration.namespace}-dedup"
    )
    policies = attrs.evolve(configuration.policies, deduplication_enabled=True)
    with_deduplication = PulsarTransport(attrs.evolve(configuration, policies=policies))
    await with_deduplication.publish(scene.tasks, numbered(1))
    await with_deduplication.close()
    by_key = PulsarTransport(attrs.evolve(configuration, ordered_subscription="keyShared"))
    with pytest.raises(TransportError, match="deduplicationEnabled, which loses messages"):
        await by_key.publish(scene.tasks, numbered(1))
    await by_key.close()


class Refusal(BaseHTTPRequestHandler):
    """A proxy before the administration that lets nobody through."""

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def closed_off() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{proxy.server_port}"
        proxy.shutdown()
        thread.join()


async def test_without_rights_what_exists_is_used_with_a_warning(
    scene: Scene,
    pulsar_harness: "PulsarHarness",
    closed_off: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await (await pulsar_harness.open()).publish(scene.tasks, numbered(1))
    configuration = attrs.evolve(pulsar_harness.configuration, web_service_url=closed_off)
    restricted, recorder = PulsarTransport(configuration), scene.recorder()
    with caplog.at_level(logging.WARNING):
        await restricted.publish(scene.tasks, numbered(1, first=1))
        await scene.consume(scene.unordered_subscription(), recorder, restricted)
    await recorder.until_handled(2)
    await restricted.close()
    assert f"no right to make topic {scene.tasks}" in caplog.text
