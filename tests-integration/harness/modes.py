"""The modes in which every case runs."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import attrs
import psycopg
from psycopg import sql
from service_control import ensure

from infinitic_common.configuration import (
    PostgresConfiguration,
    PulsarConfiguration,
    PulsarPolicies,
)
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport
from infinitic_storage import MemoryStorage, PostgresStorage
from infinitic_transport import InMemoryTransport
from infinitic_transport_pulsar import PulsarTransport


@attrs.frozen
class Mode:
    """Servers, and where and how workflow code runs."""

    name: str
    servers: bool = False
    always_replay: bool = False
    remote: bool = False


GATE = (
    Mode("memory-live"),
    Mode("memory-replay", always_replay=True),
    Mode("memory-remote", remote=True),
    Mode("pulsar-postgres", servers=True),
)


@asynccontextmanager
async def opened(mode: Mode) -> AsyncIterator[tuple[Transport, Storage]]:
    """Transport and storage of a mode; on servers, a namespace and a schema of their own."""
    if not mode.servers:
        yield InMemoryTransport(), MemoryStorage()
        return
    urls = ensure("pulsar", "postgres")
    run = uuid.uuid4().hex[:12]
    schema = f"conformance_{run}"
    url = urls["INFINITIC_POSTGRES_URL"]
    try:
        yield PulsarTransport(_pulsar(urls, run)), PostgresStorage(_postgres(url, schema))
    finally:
        await _drop(url, schema)


def _pulsar(urls: dict[str, str], run: str) -> PulsarConfiguration:
    return PulsarConfiguration(
        broker_service_url=urls["INFINITIC_PULSAR_BROKER_URL"],
        web_service_url=urls["INFINITIC_PULSAR_WEB_URL"],
        tenant="infinitic-tests",
        namespace=f"conformance-{run}",
        partitions=2,
        policies=PulsarPolicies(delayed_delivery_tick_time_millis=100),
    )


def _postgres(url: str, schema: str) -> PostgresConfiguration:
    parts = urlsplit(url)
    return PostgresConfiguration(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432,
        username=unquote(parts.username or "postgres"),
        password=None if parts.password is None else unquote(parts.password),
        database=parts.path.lstrip("/") or "postgres",
        schema=schema,
    )


async def _drop(url: str, schema: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        name = sql.Identifier(schema)
        await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
