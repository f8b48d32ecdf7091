import os
import uuid
from collections.abc import AsyncIterator, Iterator
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from psycopg import sql

from infinitic_common.configuration import PostgresConfiguration
from infinitic_storage import PostgresStorage


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
