"""Workers and clients of a broker that asks who they are."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from deployments.configurations import WHOLE
from deployments.counting_shop import Totals
from deployments.guarded_broker import ADMIN, TENANT, WORKER, GuardedBroker, guarded_broker

from infinitic_client import AsyncInfiniticClient
from infinitic_common.exceptions import TransportError, TransportUnavailable
from infinitic_worker import InfiniticWorker

WAYS = ("token", "basic", "tls", "oauth2")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """A broker of our own."""
    with guarded_broker(tmp_path_factory.mktemp("certificates")) as started:
        yield started


def authenticated(way: str, broker: GuardedBroker) -> str:
    """The YAML of a transport that authenticates as the administrator."""
    if way == "tls":
        files = (
            f"tlsCertificateFilePath: {broker.folder / 'admin.pem'}, "
            f"tlsKeyFilePath: {broker.folder / 'admin.key'}"
        )
        return broker.transport(f"{{type: tls, {files}}}", tls=True)
    if way == "oauth2":
        key = broker.folder / "oauth2.json"
        key.write_text(json.dumps({"client_id": ADMIN, "client_secret": "s", "type": "x"}))
        fields = f"issuerUrl: {broker.issuer}, privateKey: {key.as_uri()}, audience: pulsar"
        return broker.transport(f"{{type: oauth2, {fields}}}")
    if way == "basic":
        return broker.transport(f"{{type: basic, username: admin, password: {broker.password}}}")
    return broker.transport(f"{{type: token, token: {broker.token(ADMIN)}}}")


@pytest.mark.parametrize("way", WAYS)
async def test_a_worker_and_a_client_authenticate(way: str, broker: GuardedBroker) -> None:
    transport = authenticated(way, broker)
    worker = InfiniticWorker.from_yaml_string(transport + "storage: inMemory\n" + WHOLE)
    client = AsyncInfiniticClient.from_yaml_string(transport)
    async with asyncio.timeout(60), worker, client:
        deferred = await client.dispatch(client.new_workflow(Totals).sum_to, 3)
        await client.send(client.get_workflow_by_id(Totals, deferred.id).numbers, 39)
        assert await deferred == 42


@pytest.mark.parametrize(
    "authentication",
    ["{type: token, token: wrong}", "{type: basic, username: admin, password: no}"],
)
async def test_a_wrong_secret_is_one_clear_error(
    authentication: str, broker: GuardedBroker
) -> None:
    text = broker.transport(authentication) + "storage: inMemory\n" + WHOLE
    with pytest.raises(TransportError, match="authentication"):
        async with asyncio.timeout(60), InfiniticWorker.from_yaml_string(text):
            pass


def allow(broker: GuardedBroker, namespace: str, *, auto: bool) -> None:
    """Make a namespace where the worker may send and receive, and no more.

    Args:
        broker: Where.
        namespace: Its name.
        auto: Whether topics appear on first use.
    """
    headers = {"Authorization": f"Bearer {broker.token(ADMIN)}"}
    with httpx.Client(base_url=f"{broker.urls[1]}/admin/v2", headers=headers) as admin:
        admin.put(f"/tenants/{TENANT}", json={"allowedClusters": ["standalone"]})
        admin.put(f"/namespaces/{TENANT}/{namespace}")
        creation = {"allowAutoTopicCreation": auto, "topicType": "non-partitioned"}
        admin.post(f"/namespaces/{TENANT}/{namespace}/autoTopicCreation", json=creation)
        path = f"/namespaces/{TENANT}/{namespace}/permissions/{WORKER}"
        admin.post(path, json=["produce", "consume"]).raise_for_status()


async def test_a_role_that_may_only_send_and_receive_uses_what_exists(
    broker: GuardedBroker,
) -> None:
    made = broker.transport(f"{{type: token, token: {broker.token(ADMIN)}}}", "shared")
    used = broker.transport(f"{{type: token, token: {broker.token(WORKER)}}}", "shared")
    allow(broker, "shared", auto=True)
    async with asyncio.timeout(120):
        async with InfiniticWorker.from_yaml_string(made + "storage: inMemory\n" + WHOLE) as first:
            assert await first.async_client.call(first.async_client.new_workflow(Totals).where)
        async with InfiniticWorker.from_yaml_string(used + "storage: inMemory\n" + WHOLE) as worker:
            client = worker.async_client
            assert await client.call(client.new_workflow(Totals).where)


async def test_a_role_that_may_only_send_and_receive_is_told_what_is_missing(
    broker: GuardedBroker,
) -> None:
    allow(broker, "bare", auto=False)
    text = broker.transport(f"{{type: token, token: {broker.token(WORKER)}}}", "bare")
    with pytest.raises(TransportUnavailable) as caught:
        async with (
            asyncio.timeout(60),
            InfiniticWorker.from_yaml_string(text + "storage: inMemory\n" + WHOLE),
        ):
            pass
    for kind in ("workflow-state-cmd", "workflow-state-engine", "workflow-state-timer"):
        assert f"{TENANT}/bare/{kind}:Totals with 2 partitions" in str(caught.value)


async def test_a_client_that_may_not_make_its_topic_is_told_what_to_do(
    broker: GuardedBroker,
) -> None:
    made = broker.transport(f"{{type: token, token: {broker.token(ADMIN)}}}", "closed")
    used = broker.transport(f"{{type: token, token: {broker.token(WORKER)}}}", "closed")
    allow(broker, "closed", auto=False)
    worker = InfiniticWorker.from_yaml_string(made + "storage: inMemory\n" + WHOLE)
    client = AsyncInfiniticClient.from_yaml_string(used)
    async with asyncio.timeout(60), worker, client:
        with pytest.raises(TransportUnavailable, match="set allowAutoTopicCreation in its namespa"):
            await client.call(client.new_workflow(Totals).where)
