"""The broker and the database die under load: work waits, goes on by itself, and is complete."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deployments.environments import Environment
from deployments.processes import running

from infinitic_client import AsyncInfiniticClient
from reliability.configurations import WHOLE, storage, transport
from reliability.load import load
from reliability.private_servers import PrivateServers, private_servers

ORDERS = 60
PER_SECOND = 6.0
STORES = {"postgres": "postgres", "redis": "redis", "mysql": "mariadb"}
Configure = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def servers() -> Iterator[PrivateServers]:
    """A broker and every database, of our own."""
    with private_servers("pulsar", *STORES.values()) as started:
        yield started


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", STORES)
async def test_broker_and_database_are_killed_in_the_middle_of_work(
    store: str,
    servers: PrivateServers,
    everything: Environment,
    configure: Configure,
    tmp_path: Path,
) -> None:
    where = transport(servers.urls)
    text = where + storage(store, servers.urls) + WHOLE
    with running(everything, configure("worker", text)):
        async with (
            AsyncInfiniticClient.from_yaml_string(where) as client,
            load(client, tmp_path / "journal", ORDERS, PER_SECOND) as orders,
        ):
            await orders.until_noted(ORDERS // 2)
            await asyncio.to_thread(servers.restart, STORES[store], kill=True)
            await orders.until_noted(ORDERS)
            await asyncio.to_thread(servers.restart, "pulsar", kill=True)
            await orders.check()
