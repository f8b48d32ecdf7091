import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import attrs
import psycopg
import pymysql
import pytest
import redis
from psycopg import sql

from infinitic_common.configuration import (
    MySQLConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
)
from infinitic_storage import MySQLStorage, PostgresStorage, RedisStorage

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def postgres_url() -> str:
    try:
        return os.environ["INFINITIC_POSTGRES_URL"]
    except KeyError:
        message = (
            "INFINITIC_POSTGRES_URL is not set: start a server with `tools/services start "
            "postgres`, and set the variables it prints"
        )
        raise RuntimeError(message) from None


@pytest.fixture(scope="session")
def postgres_configuration(postgres_url: str) -> Iterator[PostgresConfiguration]:
    """The server of the tests, with a schema of this session."""
    url = urlsplit(postgres_url)
    schema = f"test_{uuid.uuid4().hex}"
    yield PostgresConfiguration(
        host=url.hostname or "localhost",
        port=url.port or 5432,
        username=unquote(url.username or "postgres"),
        password=None if url.password is None else unquote(url.password),
        database=url.path.lstrip("/") or "postgres",
        schema=schema,
    )
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))


@pytest.fixture
async def postgres_storage(
    postgres_configuration: PostgresConfiguration, postgres_url: str
) -> AsyncIterator[PostgresStorage]:
    """Without data, whatever tests before have left."""
    storage = PostgresStorage(postgres_configuration)
    await storage.key_values.get(["makes the tables"])
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        for table in ("key_value_storage", "key_set_storage"):
            name = sql.Identifier(postgres_configuration.schema, table)
            await connection.execute(sql.SQL("DELETE FROM {}").format(name))
    yield storage
    await storage.close()


@pytest.fixture(scope="session")
def mysql_server() -> MySQLConfiguration:
    """The server of the tests, MySQL or MariaDB, with its default database."""
    try:
        url = urlsplit(os.environ["INFINITIC_MARIADB_URL"])
    except KeyError:
        message = (
            "INFINITIC_MARIADB_URL is not set: start a server with `tools/services start "
            "mariadb`, and set the variables it prints"
        )
        raise RuntimeError(message) from None
    return MySQLConfiguration(
        host=url.hostname or "localhost",
        port=url.port or 3306,
        username=unquote(url.username or "root"),
        password=None if url.password is None else unquote(url.password),
    )


@pytest.fixture
def mysql_admin(mysql_server: MySQLConfiguration) -> Iterator[pymysql.connections.Connection]:
    """A connection of the test's own, to no database."""
    with connect_to_mysql(mysql_server) as connection:
        yield connection


def connect_to_mysql(server: MySQLConfiguration) -> pymysql.connections.Connection:
    return pymysql.connect(
        host=server.host,
        port=server.port,
        user=server.username,
        password=server.password or "",
        autocommit=True,
    )


@pytest.fixture(scope="session")
def mysql_configuration(mysql_server: MySQLConfiguration) -> Iterator[MySQLConfiguration]:
    """The server of the tests, with a database of this session."""
    name = f"test_{uuid.uuid4().hex}"
    yield attrs.evolve(mysql_server, database=name)
    with connect_to_mysql(mysql_server) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
async def mysql_storage(
    mysql_configuration: MySQLConfiguration, mysql_admin: pymysql.connections.Connection
) -> AsyncIterator[MySQLStorage]:
    """Without data, whatever tests before have left."""
    storage = MySQLStorage(mysql_configuration)
    await storage.key_values.get(["makes the tables"])
    with mysql_admin.cursor() as cursor:
        for table in ("key_value_storage", "key_set_storage"):
            cursor.execute(f"DELETE FROM {mysql_configuration.database}.{table}")  # noqa: S608 - ours
    yield storage
    await storage.close()


@pytest.fixture(scope="session")
def redis_configuration() -> Iterator[RedisConfiguration]:
    """The server of the tests, with a prefix of this session."""
    try:
        text = os.environ["INFINITIC_REDIS_URL"]
    except KeyError:
        message = (
            "INFINITIC_REDIS_URL is not set: start a server with `tools/services start redis`, "
            "and set the variable it prints"
        )
        raise RuntimeError(message) from None
    url = urlsplit(text)
    prefix = f"test-{uuid.uuid4().hex}"
    yield RedisConfiguration(
        host=url.hostname or "localhost",
        port=url.port or 6379,
        username=None if url.username is None else unquote(url.username),
        password=None if url.password is None else unquote(url.password),
        database=int(url.path.lstrip("/") or 0),
        ssl=url.scheme == "rediss",
        key_prefix=prefix,
    )
    with redis.Redis.from_url(text) as client:
        for key in client.scan_iter(match=f"{prefix}*", count=1000):
            client.unlink(key)


@pytest.fixture
async def redis_storage(redis_configuration: RedisConfiguration) -> AsyncIterator[RedisStorage]:
    """With a prefix of its own, below that of the session."""
    prefix = f"{redis_configuration.key_prefix}.{uuid.uuid4().hex[:8]}"
    storage = RedisStorage(attrs.evolve(redis_configuration, key_prefix=prefix))
    yield storage
    await storage.close()


@pytest.fixture(params=["mysql", "postgres", "redis"])
def server_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store that has a server."""
    return str(request.param)


@pytest.fixture
def any_server(
    server_kind: str, request: pytest.FixtureRequest
) -> MySQLConfiguration | PostgresConfiguration | RedisConfiguration:
    """The server of that kind, with a place of this session."""
    configuration: MySQLConfiguration | PostgresConfiguration | RedisConfiguration
    configuration = request.getfixturevalue(f"{server_kind}_configuration")
    return configuration


@pytest.fixture
def name() -> str:
    """A key that no other test uses."""
    return uuid.uuid4().hex
