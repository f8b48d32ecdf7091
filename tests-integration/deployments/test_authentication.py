"""Workers and clients of a broker that asks who they are."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from deployments.configurations import WHOLE
from deployments.counting_shop import Totals
from deployments.guarded_broker import ADMIN, GuardedBroker, guarded_broker

from infinitic_client import AsyncInfiniticClient
from infinitic_common.exceptions import TransportError
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
