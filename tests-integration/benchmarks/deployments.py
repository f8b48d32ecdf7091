"""Where the benchmarks run: everything in one process, over memory or over real servers."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Self
from urllib.parse import SplitResult, urlsplit

import attrs
from service_control import ensure

from benchmarks.counting import Counters, CountingStorage, CountingTransport
from benchmarks.programs import Bench, BenchImpl, Payments, PaymentsImpl
from infinitic_client import AsyncInfiniticClient
from infinitic_common.configuration import (
    MySQLConfiguration,
    PostgresConfiguration,
    PulsarConfiguration,
    RedisConfiguration,
)
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport
from infinitic_storage import MemoryStorage, MySQLStorage, PostgresStorage, RedisStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_transport_pulsar import PulsarTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine


@attrs.frozen
class Place:
    """A transport and a storage, by name, and the ports of their servers by name."""

    transport: str
    storage: str
    open_transport: Callable[[], Transport]
    open_storage: Callable[[], Storage]
    ports: Mapping[str, int] = attrs.field(factory=dict[str, int])


PLACES = ("memory", "pulsar-postgres", "pulsar-mysql", "pulsar-redis")
"""Transport and storage; the servers are those that ``tools/services`` starts."""


def place(name: str) -> Place:
    """The place of that name, its servers running."""
    if name == "memory":
        return Place("memory", "memory", InMemoryTransport, MemoryStorage)
    transport, storage = name.split("-")
    urls = ensure(transport, _SERVERS[storage].server)
    broker = urls["INFINITIC_PULSAR_BROKER_URL"]
    store = urlsplit(urls[_SERVERS[storage].url])
    return Place(
        transport,
        storage,
        partial(_open_pulsar, broker, urls["INFINITIC_PULSAR_WEB_URL"], f"run-{time.time_ns()}"),
        partial(_SERVERS[storage].open, store),
        {transport: urlsplit(broker).port or 6650, storage: store.port or _SERVERS[storage].port},
    )


def _open_pulsar(broker: str, web: str, namespace: str) -> Transport:
    return PulsarTransport(
        PulsarConfiguration(
            broker_service_url=broker,
            web_service_url=web,
            tenant="infinitic-bench",
            namespace=namespace,
        )
    )


def _open_postgres(url: SplitResult) -> Storage:
    return PostgresStorage(
        PostgresConfiguration(
            host=url.hostname or "127.0.0.1",
            port=url.port or 5432,
            username=url.username or "postgres",
            password=url.password,
            schema="infinitic_bench",
        )
    )


def _open_mysql(url: SplitResult) -> Storage:
    return MySQLStorage(
        MySQLConfiguration(
            host=url.hostname or "127.0.0.1",
            port=url.port or 3306,
            username=url.username or "root",
            password=url.password,
            database="infinitic_bench",
        )
    )


def _open_redis(url: SplitResult) -> Storage:
    return RedisStorage(
        RedisConfiguration(
            host=url.hostname or "127.0.0.1",
            port=url.port or 6379,
            username=url.username or None,
            password=url.password,
            database=int(url.path.lstrip("/") or 0),
            key_prefix="infinitic_bench",
        )
    )


@attrs.frozen
class _Server:
    """A store: its name among the services, its variable, its usual port, how it is opened."""

    server: str
    url: str
    port: int
    open: Callable[[SplitResult], Storage]


_SERVERS = {
    "mysql": _Server("mariadb", "INFINITIC_MARIADB_URL", 3306, _open_mysql),
    "postgres": _Server("postgres", "INFINITIC_POSTGRES_URL", 5432, _open_postgres),
    "redis": _Server("redis", "INFINITIC_REDIS_URL", 6379, _open_redis),
}


class Deployment:
    """A worker with engine and executors, and a client, in this process."""

    def __init__(self, where: Place, *, events: bool = True) -> None:
        self.counters = Counters()
        self.transport = CountingTransport(where.open_transport(), self.counters)
        self.client = AsyncInfiniticClient(transport=self.transport, close_transport=False)
        self._worker = InfiniticWorker(
            transport=self.transport,
            storage=CountingStorage(where.open_storage(), self.counters),
            components=[
                ServiceExecutor(Payments, PaymentsImpl, concurrency=50, events=events),
                WorkflowExecutor(Bench, BenchImpl, concurrency=1),
                WorkflowStateEngine(Bench, StateEngineOptions(events=events)),
            ],
        )

    async def __aenter__(self) -> Self:
        """Start."""
        await self._worker.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.client.close()
        await self._worker.__aexit__(None, None, None)
