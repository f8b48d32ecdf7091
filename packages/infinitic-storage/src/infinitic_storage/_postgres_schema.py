"""Database, schema and tables, made when they are missing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infinitic_common.configuration import PostgresConfiguration

# Any number: what holds it makes the tables, the others wait. This one spells "infi".
_LOCK = 0x696E6669
_MAINTENANCE_DATABASE = "postgres"
_ATTEMPTS = 5

# Values are kept uncompressed, and inside the row as long as it fits its page: compressing is the
# storage's option, and Postgres's own default costs more than all the rest of a write.
_KEY_VALUE_TABLE: LiteralString = """
CREATE TABLE {table} (
    key varchar(255) COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL,
    version bigint NOT NULL,
    expires_at timestamptz,
    last_update timestamptz NOT NULL DEFAULT now()
) WITH (toast_tuple_target = 8160);
ALTER TABLE {table} ALTER COLUMN value SET STORAGE EXTERNAL;
CREATE INDEX ON {table} (expires_at) WHERE expires_at IS NOT NULL
"""
_KEY_SET_TABLE: LiteralString = """
CREATE TABLE {table} (
    key varchar(255) COLLATE "C",
    value text COLLATE "C",
    PRIMARY KEY (key, value)
)
"""


def address_of(configuration: PostgresConfiguration, database: str | None = None) -> str:
    """Libpq's connection string.

    Args:
        configuration: Where the server is.
        database: Another database than the configured one.
    """
    milliseconds = configuration.connection_timeout or 10_000
    return make_conninfo(
        host=configuration.host,
        port=configuration.port,
        user=configuration.username,
        password=configuration.password,
        dbname=database or configuration.database,
        connect_timeout=max(2, round(milliseconds / 1000)),
        tcp_user_timeout=30_000,
        client_encoding="UTF8",
        application_name="infinitic",
    )


async def ensure_schema(configuration: PostgresConfiguration) -> None:
    """Make what is missing; workers may do so at the same time.

    Raises:
        psycopg.Error: The server cannot be reached, or refuses.
    """
    connection = await _connect(configuration)
    try:
        if not await _is_complete(connection, configuration):
            await _make(connection, configuration)
    finally:
        await connection.close()


async def _connect(configuration: PostgresConfiguration) -> psycopg.AsyncConnection:
    address = address_of(configuration)
    try:
        return await psycopg.AsyncConnection.connect(address, autocommit=True)
    except psycopg.OperationalError as error:
        # A connection that is refused has no code to tell why, only a translated text.
        if not await _made_database(configuration):
            raise error from None
    return await psycopg.AsyncConnection.connect(address, autocommit=True)


async def _made_database(configuration: PostgresConfiguration) -> bool:
    try:
        address = address_of(configuration, _MAINTENANCE_DATABASE)
        connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
    except psycopg.OperationalError:
        return False
    try:
        query = "SELECT FROM pg_database WHERE datname = %s"
        cursor = await connection.execute(query, (configuration.database,))
        if cursor.rowcount:
            return False
        await _create_database(connection, configuration.database)
        return True
    finally:
        await connection.close()


async def _create_database(connection: psycopg.AsyncConnection, name: str) -> None:
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")

    async def attempt() -> None:
        try:
            await connection.execute(create.format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return

    # The template is in use while another worker copies it.
    await _retried(attempt, psycopg.errors.ObjectInUse)


async def _retried(attempt: Callable[[], Awaitable[None]], passing: type[psycopg.Error]) -> None:
    for number in range(_ATTEMPTS):
        try:
            return await attempt()
        except passing:
            await asyncio.sleep(0.1 * 2**number)
    return await attempt()


async def _is_complete(
    connection: psycopg.AsyncConnection, configuration: PostgresConfiguration
) -> bool:
    tables = (configuration.key_value_table, configuration.key_set_table)
    query = "SELECT FROM pg_tables WHERE schemaname = %s AND tablename = ANY(%s)"
    cursor = await connection.execute(query, (configuration.schema, list(tables)))
    return cursor.rowcount == len(tables)


async def _make(connection: psycopg.AsyncConnection, configuration: PostgresConfiguration) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await _create_schema(connection, configuration.schema)
        schema = configuration.schema
        await _create_table(connection, schema, configuration.key_value_table, _KEY_VALUE_TABLE)
        await _create_table(connection, schema, configuration.key_set_table, _KEY_SET_TABLE)


async def _create_schema(connection: psycopg.AsyncConnection, name: str) -> None:
    # Not IF NOT EXISTS: that needs the right to create even where there is nothing to create.
    cursor = await connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (name,))
    if not cursor.rowcount:
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


async def _create_table(
    connection: psycopg.AsyncConnection, schema: str, name: str, definition: LiteralString
) -> None:
    query = "SELECT FROM pg_tables WHERE schemaname = %s AND tablename = %s"
    cursor = await connection.execute(query, (schema, name))
    if not cursor.rowcount:
        table = sql.Identifier(schema, name)
        await connection.execute(sql.SQL(definition).format(table=table))
