"""The storages of the modes; each run has a place of its own, and leaves nothing."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import SplitResult, unquote, urlsplit

import psycopg
import pymysql
import redis
from service_control import ensure

from infinitic_common.configuration import (
    MySQLConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
)
from infinitic_common.storage import Storage
from infinitic_storage import MemoryStorage, MySQLStorage, PostgresStorage, RedisStorage


@asynccontextmanager
async def _memory() -> AsyncIterator[Storage]:
    yield MemoryStorage()


@asynccontextmanager
async def _postgres() -> AsyncIterator[Storage]:
    schema = _place()
    url, parts = _server("postgres", "INFINITIC_POSTGRES_URL")
    configuration = PostgresConfiguration(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432,
        username=unquote(parts.username or "postgres"),
        password=_password(parts),
        database=parts.path.lstrip("/") or "postgres",
        schema=schema,
    )
    async with _closing(PostgresStorage(configuration)) as storage:
        yield storage
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


@asynccontextmanager
async def _mysql() -> AsyncIterator[Storage]:
    database = _place()
    _, parts = _server("mariadb", "INFINITIC_MARIADB_URL")
    host, port = parts.hostname or "127.0.0.1", parts.port or 3306
    user, password = unquote(parts.username or "root"), _password(parts)
    configuration = MySQLConfiguration(
        host=host, port=port, username=user, password=password, database=database
    )
    async with _closing(MySQLStorage(configuration)) as storage:
        yield storage
    with (
        pymysql.connect(host=host, port=port, user=user, password=password or "") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")


@asynccontextmanager
async def _redis() -> AsyncIterator[Storage]:
    prefix = _place()
    url, parts = _server("redis", "INFINITIC_REDIS_URL")
    configuration = RedisConfiguration(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 6379,
        username=unquote(parts.username) if parts.username else None,
        password=_password(parts),
        key_prefix=prefix,
    )
    async with _closing(RedisStorage(configuration)) as storage:
        yield storage
    with redis.Redis.from_url(url) as server:
        for key in server.scan_iter(f"*{prefix}*"):
            server.delete(key)


def _place() -> str:
    return f"conformance_{uuid.uuid4().hex[:12]}"


def _server(name: str, variable: str) -> tuple[str, SplitResult]:
    url = ensure(name)[variable]
    return url, urlsplit(url)


def _password(parts: SplitResult) -> str | None:
    return None if parts.password is None else unquote(parts.password)


@asynccontextmanager
async def _closing(storage: Storage) -> AsyncIterator[Storage]:
    try:
        yield storage
    finally:
        await storage.close()


STORES: dict[str, Callable[[], AbstractAsyncContextManager[Storage]]] = {
    "memory": _memory,
    "postgres": _postgres,
    "redis": _redis,
    "mysql": _mysql,
}
