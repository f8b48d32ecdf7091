"""Database, schema and tables: made when missing, upgraded in place when of an older format.

A table's format is told by its comment, which changes in the same transaction as the table. A
table without comment has format 1.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import LiteralString

import attrs
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infinitic_common.configuration import PostgresConfiguration
from infinitic_storage._formats import check_version, comment_of, version_in

# Any number: what holds it makes the tables, the others wait. This one spells "infi".
_LOCK = 0x696E6669
_MAINTENANCE_DATABASE = "postgres"
_ATTEMPTS = 5


@attrs.frozen
class TableFormat:
    """How a table is made, and how the older formats become the next ones.

    Attributes:
        definition: The statements that make it in format 1.
        upgrades: The statements from each format to the next.
    """

    definition: LiteralString
    upgrades: Sequence[LiteralString] = ()

    @property
    def version(self) -> int:
        """The newest format."""
        return 1 + len(self.upgrades)


# Values are kept uncompressed, and inside the row as long as it fits its page: compressing is the
# storage's option, and Postgres's own default costs more than all the rest of a write.
KEY_VALUES = TableFormat("""
CREATE TABLE {table} (
    key varchar(255) COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL,
    version bigint NOT NULL,
    expires_at timestamptz,
    last_update timestamptz NOT NULL DEFAULT now()
) WITH (toast_tuple_target = 8160);
ALTER TABLE {table} ALTER COLUMN value SET STORAGE EXTERNAL;
CREATE INDEX ON {table} (expires_at) WHERE expires_at IS NOT NULL
""")
KEY_SETS = TableFormat("""
CREATE TABLE {table} (
    key varchar(255) COLLATE "C",
    value text COLLATE "C",
    PRIMARY KEY (key, value)
)
""")


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
    """Make what is missing, upgrade what is older; workers may do so at the same time.

    Raises:
        StorageError: A table has a newer format.
        psycopg.Error: The server cannot be reached, or refuses.
    """
    formats = {
        configuration.key_value_table: KEY_VALUES,
        configuration.key_set_table: KEY_SETS,
    }
    connection = await _connect(configuration)
    try:
        found = await _versions(connection, configuration.schema, formats)
        if any(found.get(table) != format_.version for table, format_ in formats.items()):
            await _make(connection, configuration.schema, formats)
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


async def _versions(
    connection: psycopg.AsyncConnection, schema: str, formats: Mapping[str, TableFormat]
) -> dict[str, int]:
    """The format of each table that exists."""
    query = (
        "SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = ANY(%s)"
    )
    cursor = await connection.execute(query, (schema, list(formats)))
    return {
        str(table): _version(f"{schema}.{table}", comment, formats[str(table)])
        for table, comment in await cursor.fetchall()
    }


def _version(table: str, comment: str | None, format_: TableFormat) -> int:
    version = version_in(comment or "") or 1
    check_version(table, version, format_.version)
    return version


async def _make(
    connection: psycopg.AsyncConnection, schema: str, formats: Mapping[str, TableFormat]
) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await _create_schema(connection, schema)
        found = await _versions(connection, schema, formats)
        for name, format_ in formats.items():
            table = sql.Identifier(schema, name)
            await _make_table(connection, table, format_, found.get(name))


async def _create_schema(connection: psycopg.AsyncConnection, name: str) -> None:
    # Not IF NOT EXISTS: that needs the right to create even where there is nothing to create.
    cursor = await connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (name,))
    if not cursor.rowcount:
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


async def _make_table(
    connection: psycopg.AsyncConnection,
    table: sql.Identifier,
    format_: TableFormat,
    version: int | None,
) -> None:
    steps = format_.upgrades[(version or 1) - 1 :]
    if version is None:
        # Always from format 1 on: one way to make a table, which every upgrade is tried by.
        steps = (format_.definition, *steps)
    for step in steps:
        await connection.execute(sql.SQL(step).format(table=table))
    if steps:
        comment = sql.SQL("COMMENT ON TABLE {} IS {}")
        text = comment_of(format_.version)
        await connection.execute(comment.format(table, sql.Literal(text)))
