"""Where the benchmarks run: everything in one process, over memory or over real servers."""

import time
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

import attrs
from service_control import ensure

from benchmarks.counting import Counters, CountingStorage, CountingTransport
from benchmarks.programs import Bench, BenchImpl, Payments, PaymentsImpl
from infinitic_client import AsyncInfiniticClient
from infinitic_common.configuration import PostgresConfiguration, PulsarConfiguration
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport
from infinitic_storage import MemoryStorage, PostgresStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_transport_pulsar import PulsarTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import WorkflowStateEngine


@attrs.frozen
class Place:
    """A transport and a storage, by name."""

    transport: str
    storage: str
    open_transport: Callable[[], Transport]
    open_storage: Callable[[], Storage]


def place(name: str) -> Place:
    """The place of that name: ``memory`` or ``pulsar-postgres``; its servers are running."""
    if name == "memory":
        return Place("memory", "memory", InMemoryTransport, MemoryStorage)
    urls = ensure("pulsar", "postgres")
    pulsar = PulsarConfiguration(
        broker_service_url=urls["INFINITIC_PULSAR_BROKER_URL"],
        web_service_url=urls["INFINITIC_PULSAR_WEB_URL"],
        tenant="infinitic-bench",
        namespace=f"run-{time.time_ns()}",
    )
    parts = urlsplit(urls["INFINITIC_POSTGRES_URL"])
    postgres = PostgresConfiguration(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432,
        username=parts.username or "postgres",
        password=parts.password,
        schema="infinitic_bench",
    )
    return Place(
        "pulsar", "postgres", lambda: PulsarTransport(pulsar), lambda: PostgresStorage(postgres)
    )


class Deployment:
    """A worker with engine and executors, and a client, in this process."""

    def __init__(self, where: Place) -> None:
        self.counters = Counters()
        self.transport = CountingTransport(where.open_transport(), self.counters)
        self.client = AsyncInfiniticClient(transport=self.transport, close_transport=False)
        self._worker = InfiniticWorker(
            transport=self.transport,
            storage=CountingStorage(where.open_storage(), self.counters),
            components=[
                ServiceExecutor(Payments, PaymentsImpl, concurrency=50),
                WorkflowExecutor(Bench, BenchImpl, concurrency=1),
                WorkflowStateEngine(Bench),
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
