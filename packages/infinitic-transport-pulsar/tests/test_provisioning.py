import asyncio
import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import attrs
import httpx
import pytest

from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.exceptions import TransportError, TransportUnavailable
from infinitic_common.testing.transport import Scene, numbered
from infinitic_common.transport import OutgoingMessage, Subscription, Topic, TopicKind
from infinitic_transport_pulsar import PulsarTransport
from infinitic_transport_pulsar._admin import Answer
from infinitic_transport_pulsar._names import TopicNames, rest_path
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


async def namespace_of_another(
    harness: "PulsarHarness", policies: dict[str, object]
) -> PulsarConfiguration:
    """A namespace that somebody made with policies of their own."""
    name = f"other-{uuid.uuid4().hex[:12]}"
    configuration = attrs.evolve(harness.configuration, namespace=name)
    await (await harness.open()).entities(EVENTS)
    await harness.admin.put(f"tenants/{configuration.tenant}", {"allowedClusters": ["standalone"]})
    made = await harness.admin.put(f"namespaces/{configuration.tenant}/{name}", policies)
    assert made.answer is Answer.DONE
    return configuration


async def seconds_to_live(harness: "PulsarHarness", full: str) -> object:
    """What applies to a topic, whoever said it."""
    return (await harness.admin.get(f"{rest_path(full)}/messageTTL?applied=true")).body


async def test_work_and_timers_outlive_the_time_to_live_of_their_namespace(
    scene: Scene, pulsar_harness: "PulsarHarness", caplog: pytest.LogCaptureFixture
) -> None:
    configuration = await namespace_of_another(pulsar_harness, {"message_ttl_in_seconds": 7})
    names = TopicNames(configuration.tenant, configuration.namespace)
    transport = PulsarTransport(configuration)
    kinds = {
        TopicKind.SERVICE_EXECUTOR: 0,
        TopicKind.WORKFLOW_STATE_CMD: 0,
        TopicKind.WORKFLOW_STATE_TIMER: configuration.policies.timer_ttl_seconds,
        EVENTS: configuration.policies.message_ttl_seconds,
    }
    with caplog.at_level(logging.WARNING):
        for kind in kinds:
            await transport.publish(Topic(kind, scene.entity), numbered(1))
    found = {
        kind: await seconds_to_live(pulsar_harness, names.of(Topic(kind, scene.entity)))
        for kind in kinds
    }
    await transport.close()
    await pulsar_harness.remove_namespace(configuration)
    assert found == kinds
    assert "would have been lost after 7 s" in caplog.text


async def test_work_keeps_its_topic_without_a_policy_where_nothing_expires(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    await (await pulsar_harness.open()).publish(scene.tasks, numbered(1))
    path = rest_path(pulsar_harness.names.of(scene.tasks))
    assert (await pulsar_harness.admin.get(f"{path}/messageTTL")).body is None


async def test_a_timer_that_is_due_after_the_time_to_live_of_timers_is_kept(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    transport = await pulsar_harness.open()
    topic = Topic(TopicKind.WORKFLOW_STATE_TIMER, scene.entity)
    late = transport.now() + 1000 * (pulsar_harness.configuration.policies.timer_ttl_seconds + 1)
    await transport.publish(topic, [OutgoingMessage(id="late", body=b"", deliver_at=late)])
    await (await pulsar_harness.open()).publish(topic, numbered(1))
    assert await seconds_to_live(pulsar_harness, pulsar_harness.names.of(topic)) == 0


async def test_a_longer_time_to_live_that_somebody_gave_a_topic_of_timers_is_left(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    topic = Topic(TopicKind.WORKFLOW_STATE_TIMER, scene.entity)
    full = pulsar_harness.names.of(topic)
    await (await pulsar_harness.open()).publish(topic, numbered(1))
    longer = 2 * pulsar_harness.configuration.policies.timer_ttl_seconds
    await pulsar_harness.admin.post(f"{rest_path(full)}/messageTTL?messageTTL={longer}")
    await (await pulsar_harness.open()).publish(topic, numbered(1))
    assert await seconds_to_live(pulsar_harness, full) == longer


@pytest.mark.parametrize(
    ("policies", "complaint"),
    [
        (
            {
                "backlog_quota_map": {
                    "destination_storage": {
                        "limitSize": 1_000_000,
                        "policy": "consumer_backlog_eviction",
                    }
                }
            },
            "loses work, by its backlog quota destination_storage",
        ),
        ({"subscription_expiration_time_minutes": 60}, "subscription expiration after 60 minutes"),
    ],
)
async def test_a_namespace_that_drops_work_which_waits_is_refused(
    policies: dict[str, object], complaint: str, scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    configuration = await namespace_of_another(pulsar_harness, policies)
    transport = PulsarTransport(configuration)
    with pytest.raises(TransportUnavailable, match=complaint):
        await transport.consume(scene.unordered_subscription(), scene.recorder())
    await transport.close()
    await pulsar_harness.remove_namespace(configuration)


class Refusal(BaseHTTPRequestHandler):
    """A proxy before the administration that lets nobody through, or those who only look."""

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer()
        self.close_connection = True

    def _answer(self) -> None:
        behind = getattr(self.server, "behind", None)
        if behind is None or self.command != "GET":
            self.send_response(403)
            body = b""
        else:
            answer = httpx.get(f"{behind}{self.path}")
            self.send_response(answer.status_code)
            body = answer.content
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def closed_off() -> Iterator[str]:
    with proxy_before(None) as url:
        yield url


@pytest.fixture
def read_only(configuration: PulsarConfiguration) -> Iterator[str]:
    with proxy_before(configuration.web_service_url) as url:
        yield url


@contextmanager
def proxy_before(url: str | None) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as proxy:
        proxy.behind = url  # type: ignore[attr-defined]  # read by the handler
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


async def test_without_rights_what_exists_is_used_silently_where_one_may_look(
    scene: Scene,
    pulsar_harness: "PulsarHarness",
    read_only: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await (await pulsar_harness.open()).publish(scene.tasks, numbered(1))
    configuration = attrs.evolve(pulsar_harness.configuration, web_service_url=read_only)
    restricted, recorder = PulsarTransport(configuration), scene.recorder()
    with caplog.at_level(logging.WARNING):
        await restricted.publish(scene.tasks, numbered(1, first=1))
        await scene.consume(scene.unordered_subscription(), recorder, restricted)
    await recorder.until_handled(2)
    await restricted.close()
    assert caplog.text == ""


async def test_without_rights_all_that_is_missing_is_told_at_once(
    scene: Scene, pulsar_harness: "PulsarHarness", read_only: str
) -> None:
    await (await pulsar_harness.open()).publish(scene.tasks, numbered(1))
    configuration = attrs.evolve(pulsar_harness.configuration, web_service_url=read_only)
    restricted = PulsarTransport(configuration)
    with pytest.raises(TransportUnavailable) as caught:
        await restricted.consume(
            Subscription((Topic(TopicKind.SERVICE_EXECUTOR_RETRY, scene.entity),), "retry"),
            scene.recorder(),
        )
    await restricted.close()
    text = str(caught.value)
    base = f"persistent://{configuration.tenant}/{configuration.namespace}"
    assert "lacks what this process has no right to make" in text
    for kind in ("service-executor-retry", "service-tag-engine"):
        assert (
            f"{base}/{kind}:{scene.entity} with 4 partitions and subscription {kind}-subscription"
            in text
        )
    assert f"{base}/service-executor-event:{scene.entity} with 4 partitions\n" in text
    assert f"service-executor:{scene.entity}" not in text


async def test_a_namespace_that_is_missing_is_told_to_one_who_may_not_make_it(
    scene: Scene, pulsar_harness: "PulsarHarness", read_only: str
) -> None:
    await (await pulsar_harness.open()).publish(scene.tasks, numbered(1))
    configuration = attrs.evolve(
        pulsar_harness.configuration, web_service_url=read_only, namespace="nowhere"
    )
    restricted = PulsarTransport(configuration)
    with pytest.raises(
        TransportUnavailable, match=r"no right to make[^-]*- infinitic-tests/nowhere"
    ):
        await restricted.publish(scene.tasks, numbered(1))
    await restricted.close()


async def test_what_is_missing_is_told_even_to_one_who_may_not_look(
    scene: Scene, pulsar_harness: "PulsarHarness", closed_off: str
) -> None:
    await (await pulsar_harness.open()).publish(
        Topic(TopicKind.SERVICE_EXECUTOR_RETRY, scene.entity), numbered(1)
    )
    configuration = attrs.evolve(pulsar_harness.configuration, web_service_url=closed_off)
    restricted = PulsarTransport(configuration)
    with pytest.raises(TransportUnavailable, match=r"no such topic.*has no right to make it"):
        await restricted.consume(scene.unordered_subscription(), scene.recorder())
    await restricted.close()
