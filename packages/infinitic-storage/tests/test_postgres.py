"""What is particular to Postgres: making tables, losing connections, purging, conflicts."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import attrs
import psycopg
import pytest
from psycopg import sql
from servers import count_up

from infinitic_common.configuration import PostgresConfiguration
from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_common.storage import VersionedValue, Write
from infinitic_storage import PostgresStorage
from infinitic_storage._postgres_schema import KEY_SETS, KEY_VALUES, TableFormat

Connection = psycopg.AsyncConnection[tuple[object, ...]]
BAR = VersionedValue(b"bar", 1)
# The server's own processes, as those that vacuum, are in a database too.
CONNECTIONS = "FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"


@pytest.fixture
async def admin(postgres_url: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    """A database that does not exist yet, and that only the tests of this module use."""
    name = f"test_{uuid.uuid4().hex}"
    yield name
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(drop)


@pytest.fixture
def own_database(
    postgres_configuration: PostgresConfiguration, database: str
) -> PostgresConfiguration:
    """The database of this module, with a schema that does not exist yet."""
    schema = f"schema_{uuid.uuid4().hex}"
    return attrs.evolve(postgres_configuration, database=database, schema=schema)


@pytest.fixture
async def storage(own_database: PostgresConfiguration) -> AsyncIterator[PostgresStorage]:
    storage = PostgresStorage(own_database)
    yield storage
    await storage.close()


async def terminate(admin: Connection, database: str) -> int:
    """Close the connections to a database, and return how many there were."""
    query = f"SELECT pg_terminate_backend(pid, 5000) {CONNECTIONS}"
    return len(await (await admin.execute(query, (database,))).fetchall())


async def connections(admin: Connection, database: str) -> int:
    return (await admin.execute(f"SELECT {CONNECTIONS}", (database,))).rowcount


def _address(admin: Connection, database: str) -> str:
    info = admin.info
    return psycopg.conninfo.make_conninfo(info.dsn, password=info.password, dbname=database)


def _lock(configuration: PostgresConfiguration) -> sql.Composed:
    table = sql.Identifier(configuration.schema, configuration.key_value_table)
    return sql.SQL("SELECT FROM {} WHERE key = %s FOR UPDATE").format(table)


@asynccontextmanager
async def _locked(
    admin: Connection, configuration: PostgresConfiguration, key: str
) -> AsyncIterator[Connection]:
    """A connection that holds the lock of a row."""
    address = _address(admin, configuration.database)
    async with await psycopg.AsyncConnection.connect(address) as connection:
        await connection.execute(_lock(configuration), (key,))
        yield connection


async def until_waiting_for_a_lock(admin: Connection, database: str) -> None:
    query = "SELECT FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        while not (await admin.execute(query, (database,))).rowcount:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


async def test_racing_workers_make_database_schema_and_tables_once(
    own_database: PostgresConfiguration, admin: Connection
) -> None:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    await admin.execute(drop.format(sql.Identifier(own_database.database)))
    workers = [PostgresStorage(own_database) for _ in range(6)]
    inserts = [worker.key_values.put({"foo": Write(b"bar", 0)}) for worker in workers]
    written = await asyncio.gather(*inserts)
    await asyncio.gather(*(worker.key_sets.update({"foo": ["bar"]}, {}) for worker in workers))
    assert [result["foo"] for result in written].count(True) == 1
    assert await workers[0].key_sets.get(["foo"]) == {"foo": frozenset({"bar"})}
    for worker in workers:
        await worker.close()


async def test_names_with_capitals_and_signs_are_kept(own_database: PostgresConfiguration) -> None:
    named = attrs.evolve(
        own_database,
        schema="User",
        key_value_table="_Values$1#" + "v" * 53,
        key_set_table="Select",
    )
    storage = PostgresStorage(named)
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    await storage.key_sets.update({"foo": ["bar"]}, {})
    assert await storage.key_values.get(["foo"]) == {"foo": BAR}
    assert await storage.key_sets.get(["foo"]) == {"foo": frozenset({"bar"})}
    await storage.close()


async def test_a_user_without_the_right_to_create_uses_tables_that_exist(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    address = _address(admin, own_database.database)
    role = f"role_{uuid.uuid4().hex}"
    names = {"role": sql.Identifier(role), "schema": sql.Identifier(own_database.schema)}
    statements = (
        sql.SQL("CREATE ROLE {role} LOGIN PASSWORD 'secret'"),
        sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}"),
    )
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as owner:
        for statement in statements:
            await owner.execute(statement.format(**names))
    as_role = attrs.evolve(own_database, username=role, password="secret")  # noqa: S106 - of this test
    restricted = PostgresStorage(as_role)
    assert await restricted.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}
    await restricted.close()
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as owner:
        await owner.execute(sql.SQL("DROP OWNED BY {role}").format(**names))
    await admin.execute(sql.SQL("DROP ROLE {role}").format(**names))


async def test_connections_that_ended_while_idle_are_replaced(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    reads = [storage.key_values.get(["foo"]) for _ in range(8)]
    await asyncio.gather(*reads)
    # How many the reads took depends on how fast they were.
    assert await terminate(admin, own_database.database) > 0
    # The end of a connection is noticed by the event loop: let it look at its sockets once.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    written = await storage.key_values.put({"foo": Write(b"bar", 0)})
    assert written == {"foo": True}


async def test_a_connection_that_ends_under_a_write_is_unavailability(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    other = PostgresStorage(own_database)
    async with _locked(admin, own_database, "foo"):
        write = asyncio.create_task(other.key_values.put({"foo": Write(b"new", 1)}))
        await until_waiting_for_a_lock(admin, own_database.database)
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND wait_event_type = 'Lock'"
        )
        await admin.execute(query, (own_database.database,))
        with pytest.raises(StorageUnavailable, match="Postgres at"):
            await write
    assert await other.key_values.get(["foo"]) == {"foo": BAR}
    assert await other.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}
    await other.close()


async def test_a_server_that_is_silent_for_too_long_is_unavailable(
    admin: Connection,
    own_database: PostgresConfiguration,
    storage: PostgresStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    monkeypatch.setattr("infinitic_storage._postgres_connection._LONGEST_ANSWER", 0.05)
    async with _locked(admin, own_database, "foo"):
        with pytest.raises(StorageUnavailable, match="no answer"):
            await storage.key_values.put({"foo": Write(b"new", 1)})
    monkeypatch.undo()
    assert await storage.key_values.put({"bar": Write(b"bar", 0)}) == {"bar": True}


async def test_a_cancelled_write_leaves_a_usable_storage(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    async with _locked(admin, own_database, "foo"):
        write = asyncio.create_task(storage.key_values.put({"foo": Write(b"new", 1)}))
        await until_waiting_for_a_lock(admin, own_database.database)
        write.cancel()
        with pytest.raises(asyncio.CancelledError):
            await write
    assert await storage.key_values.put({"bar": Write(b"bar", 0)}) == {"bar": True}
    assert await storage.key_values.get(["bar"]) == {"bar": BAR}


async def test_a_batch_that_deadlocks_is_tried_again(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    await storage.key_values.put({key: Write(b"bar", 0) for key in "ab"})
    async with _locked(admin, own_database, "b") as rival:
        write = asyncio.create_task(storage.key_values.put({key: Write(b"new", 1) for key in "ab"}))
        await until_waiting_for_a_lock(admin, own_database.database)
        await rival.execute("SET LOCAL deadlock_timeout = '10s'")
        # Closes the circle: the server ends the batch, which notices first.
        await rival.execute(_lock(own_database), ("a",))
    assert await write == {"a": True, "b": True}
    assert await storage.key_values.get("ab") == dict.fromkeys("ab", VersionedValue(b"new", 2))


async def test_what_the_server_refuses_is_an_error_and_the_storage_stays_usable(
    storage: PostgresStorage,
) -> None:
    with pytest.raises(StorageError, match="refused a statement"):
        await storage.key_sets.update({"foo": [os.urandom(4000).hex()]}, {})
    assert await storage.key_sets.get(["foo"]) == {"foo": frozenset()}


async def test_expired_records_are_removed_in_the_background(
    own_database: PostgresConfiguration, storage: PostgresStorage, admin: Connection
) -> None:
    await storage.key_values.put({f"old-{i}": Write(b"", 0, 1) for i in range(1200)})
    await storage.key_values.put({"live": Write(b"bar", 0), "later": Write(b"bar", 0, 2**62)})
    address = _address(admin, own_database.database)
    table = sql.Identifier(own_database.schema, own_database.key_value_table)
    count = sql.SQL("SELECT FROM {} WHERE key LIKE 'old-%'").format(table)
    async with (
        asyncio.timeout(30),
        await psycopg.AsyncConnection.connect(address, autocommit=True) as connection,
    ):
        while (await connection.execute(count)).rowcount:
            await storage.key_values.put({"nothing": Write(None, 0)})
    assert await storage.key_values.get(["live", "later"]) == {"live": BAR, "later": BAR}


async def test_connections_unused_or_in_use_for_too_long_are_closed(
    admin: Connection, own_database: PostgresConfiguration
) -> None:
    limits = attrs.evolve(own_database, idle_timeout=1, minimum_idle=1, maximum_pool_size=8)
    storage = PostgresStorage(limits)
    await asyncio.gather(*(storage.key_values.get(["foo"]) for _ in range(8)))
    async with asyncio.timeout(30):
        while await connections(admin, limits.database) > 1:
            await storage.key_values.get(["foo"])
    await storage.close()


async def test_writers_whose_connections_are_terminated_all_come_out_right(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    await storage.key_values.get(["makes the tables"])
    running = asyncio.gather(*(count_up(storage, f"key-{i}", 20) for i in range(50)))
    terminated = 0
    while not running.done():
        terminated += await terminate(admin, own_database.database)
        # The pace of the killing: the writers get on in between.
        await asyncio.sleep(0.02)
    assert terminated > 0
    assert await running == [True] * 50


async def test_a_format_newer_than_known_is_refused_with_both_versions(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    await storage.key_values.get(["foo"])
    table = sql.Identifier(own_database.schema, own_database.key_set_table)
    address = _address(admin, own_database.database)
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        comment = sql.SQL("COMMENT ON TABLE {} IS 'infinitic format 7'")
        await connection.execute(comment.format(table))
    older = PostgresStorage(own_database)
    with pytest.raises(StorageError, match=rf"has format 7.*up to {KEY_SETS.version}"):
        await older.key_values.get(["foo"])
    await older.close()


async def test_tables_of_an_older_format_are_upgraded_once_by_workers_that_race(
    own_database: PostgresConfiguration, storage: PostgresStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    newer = TableFormat(
        KEY_VALUES.definition,
        ("ALTER TABLE {table} ADD COLUMN note int", "CREATE INDEX ON {table} (note)"),
    )
    monkeypatch.setattr("infinitic_storage._postgres_schema.KEY_VALUES", newer)
    workers = [PostgresStorage(own_database) for _ in range(4)]
    read = await asyncio.gather(*(worker.key_values.get(["foo"]) for worker in workers))
    assert read == [{"foo": BAR}] * 4
    monkeypatch.undo()
    older = PostgresStorage(own_database)
    with pytest.raises(StorageError, match=r"has format 3.*up to 1"):
        await older.key_values.get(["foo"])
    for worker in (*workers, older):
        await worker.close()


async def test_tables_made_before_their_format_was_told_have_format_1(
    admin: Connection, own_database: PostgresConfiguration, storage: PostgresStorage
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    table = sql.Identifier(own_database.schema, own_database.key_value_table)
    address = _address(admin, own_database.database)
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute(sql.SQL("COMMENT ON TABLE {} IS NULL").format(table))
    again = PostgresStorage(own_database)
    assert await again.key_values.get(["foo"]) == {"foo": BAR}
    await again.close()


async def test_keys_are_found_by_index_even_by_plans_made_while_the_table_was_empty(
    own_database: PostgresConfiguration, admin: Connection
) -> None:
    storage = PostgresStorage(attrs.evolve(own_database, maximum_pool_size=1))
    address = _address(admin, own_database.database)
    await storage.key_values.get(["foo"])
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        table = sql.Identifier(own_database.schema, own_database.key_value_table)
        await connection.execute(sql.SQL("VACUUM ANALYZE {}").format(table))
        keys = [f"key-{i}" for i in range(5000)]
        await storage.key_values.put({keys[0]: Write(b"", 0)})
        await storage.key_values.put({keys[0]: Write(b"", 1)})
        await storage.key_values.put({key: Write(b"", 0) for key in keys[1:]})
        await storage.key_values.put({key: Write(b"", 1) for key in keys[1:101]})
        await storage.key_values.get(keys[:100])
        await storage.close()
        assert await _rows_read(connection, own_database) < 2500


async def _rows_read(connection: Connection, configuration: PostgresConfiguration) -> int:
    """Rows read so far by sessions that have ended, for only those have told all they did."""
    query = (
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables "
        "WHERE schemaname = %s AND relname = %s"
    )
    names = (configuration.schema, configuration.key_value_table)
    async with asyncio.timeout(30):
        while not await _is_alone(connection):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    row = await (await connection.execute(query, names)).fetchone()
    assert row is not None
    return int(str(row[0]))


async def _is_alone(connection: Connection) -> bool:
    query = "SELECT FROM pg_stat_activity WHERE datname = current_database()"
    return (await connection.execute(query)).rowcount == 1
