"""What is particular to MySQL: making and upgrading tables, losing connections, conflicts."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import pymysql
import pytest
from servers import count_up

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_common.storage import ABSENT, VersionedValue, Write
from infinitic_storage import MySQLStorage
from infinitic_storage._mysql_errors import StatementConflict, translated
from infinitic_storage._mysql_schema import KEY_SETS, KEY_VALUES, TableFormat
from infinitic_storage._mysql_statements import KeySetStatements, KeyValueStatements

if TYPE_CHECKING:
    Admin = pymysql.connections.Connection[pymysql.cursors.Cursor]
else:
    Admin = pymysql.connections.Connection
BAR = VersionedValue(b"bar", 1)

# A worker's part in a race: waits for a line, then uses a storage for the first time.
RACER = """
import asyncio, sys
from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.storage import Write
from infinitic_storage import MySQLStorage

async def main(host, port, username, password, database):
    options = MySQLConfiguration(
        host=host, port=int(port), username=username, password=password, database=database
    )
    storage = MySQLStorage(options)
    sys.stdin.readline()
    written = await storage.key_values.put({"foo": Write(b"bar", 0)})
    await storage.key_sets.update({"foo": ["bar"]}, {})
    print(written["foo"])
    await storage.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def own_database(
    mysql_server: MySQLConfiguration, mysql_admin: Admin
) -> Iterator[MySQLConfiguration]:
    """A database that does not exist yet, for one test."""
    name = f"test_{uuid.uuid4().hex}"
    yield attrs.evolve(mysql_server, database=name)
    ask(mysql_admin, f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
async def storage(own_database: MySQLConfiguration) -> AsyncIterator[MySQLStorage]:
    storage = MySQLStorage(own_database)
    yield storage
    await storage.close()


@pytest.fixture
def rival(mysql_server: MySQLConfiguration) -> Iterator[Admin]:
    """Another writer, in a transaction that the test ends."""
    connection = pymysql.connect(
        host=mysql_server.host,
        port=mysql_server.port,
        user=mysql_server.username,
        password=mysql_server.password or "",
    )
    with connection:
        yield connection


def ask(admin: Admin, query: str, *values: object) -> list[tuple[object, ...]]:
    with admin.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def connections(admin: Admin, database: str) -> list[int]:
    query = "SELECT id FROM information_schema.processlist WHERE db = %s"
    return [int(str(row[0])) for row in ask(admin, query, database)]


def kill(admin: Admin, database: str) -> int:
    """End the connections to a database, and return how many there were."""
    ended = connections(admin, database)
    for one in ended:
        end(admin, one)
    return len(ended)


def end(admin: Admin, connection: int) -> None:
    try:
        ask(admin, f"KILL {connection}")
    except pymysql.err.OperationalError as error:
        assert error.args[0] == 1094  # noqa: PT017 - it ended by itself meanwhile


async def until_gone(admin: Admin, database: str) -> None:
    async with asyncio.timeout(30):
        while connections(admin, database):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


def waiting(admin: Admin, database: str) -> list[int]:
    """Connections to a database that wait for a lock."""
    query = (
        "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx "
        "WHERE trx_state = 'LOCK WAIT'"
    )
    waiting = {int(str(row[0])) for row in ask(admin, query)}
    return sorted(waiting.intersection(connections(admin, database)))


async def until_waiting(admin: Admin, database: str) -> int:
    async with asyncio.timeout(30):
        while not (found := waiting(admin, database)):  # noqa: ASYNC110 - another process
            # The server shows an old answer to who asks within 0.1 s of asking.
            await asyncio.sleep(0.15)
    return found[0]


@contextmanager
def locked(rival: Admin, configuration: MySQLConfiguration, key: str) -> Iterator[None]:
    lock(rival, configuration, key)
    yield
    rival.rollback()


def lock(rival: Admin, configuration: MySQLConfiguration, key: str) -> None:
    table = f"{configuration.database}.{configuration.key_value_table}"
    ask(rival, f"SELECT version FROM {table} WHERE `key` = %s FOR UPDATE", key)  # noqa: S608 - ours


def comment(admin: Admin, configuration: MySQLConfiguration, table: str) -> object:
    query = (
        "SELECT table_comment FROM information_schema.tables "
        "WHERE table_schema = %s AND table_name = %s"
    )
    return ask(admin, query, configuration.database, table)[0][0]


def test_processes_that_race_make_database_and_tables_once(
    own_database: MySQLConfiguration,
) -> None:
    one = own_database
    address = [one.host, str(one.port), one.username, one.password or "", one.database]
    racers = [
        subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", RACER, *address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.communicate(timeout=30)[0].strip() for racer in racers]
    assert sorted(answers) == ["False", "False", "False", "True"]


async def test_a_database_that_is_dropped_under_a_storage_is_not_made_again(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage
) -> None:
    await storage.key_values.get(["foo"])
    ask(mysql_admin, f"DROP DATABASE {own_database.database}")
    kill(mysql_admin, own_database.database)
    await until_gone(mysql_admin, own_database.database)
    with pytest.raises(StorageError, match="Unknown database"):
        await storage.key_values.get(["foo"])


async def test_names_with_capitals_and_signs_are_kept(own_database: MySQLConfiguration) -> None:
    named = attrs.evolve(
        own_database, key_value_table="Values$1#" + "v" * 55, key_set_table="Select"
    )
    storage = MySQLStorage(named)
    await storage.key_values.put({"foo": Write(b"bar", 0), "baz": Write(b"bar", 0)})
    await storage.key_sets.update({"foo": ["bar"]}, {})
    await storage.close()
    again = MySQLStorage(named)
    assert await again.key_values.get(["foo"]) == {"foo": BAR}
    assert await again.key_sets.get(["foo"]) == {"foo": frozenset({"bar"})}
    await again.close()


async def test_a_user_without_the_right_to_create_uses_tables_that_exist(
    own_database: MySQLConfiguration, storage: MySQLStorage, mysql_admin: Admin
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    user = f"u{uuid.uuid4().hex[:20]}"
    ask(mysql_admin, f"CREATE USER {user}@'%' IDENTIFIED BY 'secret'")
    rights = "SELECT, INSERT, UPDATE, DELETE"
    ask(mysql_admin, f"GRANT {rights} ON {own_database.database}.* TO {user}@'%'")
    as_user = attrs.evolve(own_database, username=user, password="secret")  # noqa: S106 - of this test
    restricted = MySQLStorage(as_user)
    assert await restricted.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}
    await restricted.close()
    ask(mysql_admin, f"DROP USER {user}@'%'")


async def test_a_server_without_tls_is_refused_where_tls_is_required(
    mysql_server: MySQLConfiguration,
) -> None:
    storage = MySQLStorage(attrs.evolve(mysql_server, ssl=True))
    with pytest.raises(StorageUnavailable, match="SSL"):
        await storage.key_values.get(["foo"])
    await storage.close()


async def test_connections_are_bounded_and_those_that_ended_while_idle_are_replaced(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage
) -> None:
    await asyncio.gather(*(storage.key_values.get(["foo"]) for _ in range(20)))
    ended = kill(mysql_admin, own_database.database)
    await until_gone(mysql_admin, own_database.database)
    written = await storage.key_values.put({"foo": Write(b"bar", 0)})
    assert 1 <= ended <= 4
    assert written == {"foo": True}


async def test_a_connection_that_ends_under_a_write_is_unavailability(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage, rival: Admin
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    with locked(rival, own_database, "foo"):
        write = asyncio.create_task(storage.key_values.put({"foo": Write(b"new", 1)}))
        end(mysql_admin, await until_waiting(mysql_admin, own_database.database))
        with pytest.raises(StorageUnavailable, match="MySQL at"):
            await write
    assert await storage.key_values.get(["foo"]) == {"foo": BAR}
    assert await storage.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}


async def test_writers_whose_connections_are_killed_all_come_out_right(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage
) -> None:
    await storage.key_values.get(["makes the tables"])
    running = asyncio.gather(*(count_up(storage, f"key-{i}", 10) for i in range(50)))
    killed = 0
    while not running.done():
        killed += kill(mysql_admin, own_database.database)
        # The pace of the killing: the writers get on in between.
        await asyncio.sleep(0.1)
    assert killed > 0
    assert await running == [True] * 50


async def test_a_server_that_is_silent_for_too_long_is_unavailable(
    own_database: MySQLConfiguration,
    storage: MySQLStorage,
    rival: Admin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    monkeypatch.setattr("infinitic_storage._mysql_connection._LONGEST_ANSWER", 1.0)
    impatient = MySQLStorage(own_database)
    await impatient.key_values.get(["foo"])
    with (
        locked(rival, own_database, "foo"),
        pytest.raises(StorageUnavailable, match="timed out"),
    ):
        await impatient.key_values.put({"foo": Write(b"new", 1)})
    assert await impatient.key_values.put({"bar": Write(b"bar", 0)}) == {"bar": True}
    await impatient.close()


async def test_a_cancelled_write_leaves_a_usable_storage(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage, rival: Admin
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    with locked(rival, own_database, "foo"):
        write = asyncio.create_task(storage.key_values.put({"foo": Write(b"new", 1)}))
        await until_waiting(mysql_admin, own_database.database)
        write.cancel()
        with pytest.raises(asyncio.CancelledError):
            await write
        assert await storage.key_values.put({"bar": Write(b"bar", 0)}) == {"bar": True}


async def test_a_batch_that_deadlocks_is_tried_again(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage, rival: Admin
) -> None:
    others = [f"other-{i}" for i in range(50)]
    await storage.key_values.put({key: Write(b"bar", 0) for key in ["a", "b", *others]})
    # The server ends the transaction that has changed less.
    table = f"{own_database.database}.{own_database.key_value_table}"
    ask(rival, f"UPDATE {table} SET mark = 0 WHERE `key` LIKE 'other-%'")  # noqa: S608 - ours
    with locked(rival, own_database, "b"):
        write = asyncio.create_task(storage.key_values.put({key: Write(b"new", 1) for key in "ab"}))
        await until_waiting(mysql_admin, own_database.database)
        await asyncio.to_thread(lock, rival, own_database, "a")
    assert await write == {"a": True, "b": True}
    assert await storage.key_values.get("ab") == dict.fromkeys("ab", VersionedValue(b"new", 2))


async def test_a_batch_larger_than_a_packet_tells_the_result_of_each_key(
    storage: MySQLStorage,
) -> None:
    keys = [f"key-{i:03}" for i in range(250)]
    stale = set(keys[::7])
    await storage.key_values.put({key: Write(b"bar", 0) for key in keys})
    await storage.key_values.put({key: Write(b"second", 1) for key in stale})
    written = await storage.key_values.put({key: Write(key.encode(), 1) for key in keys})
    assert written == {key: key not in stale for key in keys}
    assert await storage.key_values.get(keys) == {
        key: VersionedValue(b"second" if key in stale else key.encode(), 2) for key in keys
    }


async def test_rows_of_one_batch_expire_each_at_its_time(storage: MySQLStorage) -> None:
    await storage.key_values.put({key: Write(b"bar", 0) for key in "abcd"})
    expiries = {"a": 1, "b": None, "c": 2**63 + 5, "d": 2**62}
    writes = {key: Write(b"new", 1, expires_at) for key, expires_at in expiries.items()}
    assert await storage.key_values.put(writes) == dict.fromkeys("abcd", True)
    new = VersionedValue(b"new", 2)
    assert await storage.key_values.get("abcd") == {"a": ABSENT, "b": new, "c": new, "d": new}


async def test_every_byte_of_values_small_and_large_is_kept(storage: MySQLStorage) -> None:
    # More than the 16 MiB of one packet of the protocol, together.
    values = {
        "every byte": bytes(range(256)) * 3,
        "quotes": b"\\'" * 1000 + b"\\",
        "large": os.urandom(6_000_000),
        "large too": b"'" * 3_000_000,
        "larger": os.urandom(12_000_000),
    }
    written = await storage.key_values.put({key: Write(v, 0) for key, v in values.items()})
    assert written == dict.fromkeys(values, True)
    found = await storage.key_values.get(values)
    assert {key: one.value for key, one in found.items()} == values


async def test_a_value_too_large_for_the_server_is_refused_before_anything_is_written(
    storage: MySQLStorage, mysql_admin: Admin
) -> None:
    limit = int(str(ask(mysql_admin, "SELECT @@max_allowed_packet")[0][0]))
    writes = {"small": Write(b"bar", 0), "huge": Write(bytes(limit), 0)}
    with pytest.raises(StorageError, match=rf"'huge' has {limit} bytes.*max_allowed_packet"):
        await storage.key_values.put(writes)
    assert await storage.key_values.get(writes) == {"small": ABSENT, "huge": ABSENT}


async def test_a_value_too_long_for_a_set_is_refused_by_name(storage: MySQLStorage) -> None:
    with pytest.raises(StorageError, match=r"'mmm.* 2049 bytes"):
        await storage.key_sets.update({"foo": ["bar", "m" * 2049]}, {})
    await storage.key_sets.update({"k" * 255: ["🚀" * 512]}, {})
    assert await storage.key_sets.get(["foo", "k" * 255]) == {
        "foo": frozenset(),
        "k" * 255: frozenset({"🚀" * 512}),
    }


async def test_expired_records_are_removed_in_the_background(
    own_database: MySQLConfiguration, storage: MySQLStorage, mysql_admin: Admin
) -> None:
    await storage.key_values.put({f"old-{i}": Write(b"", 0, 1) for i in range(1200)})
    await storage.key_values.put({"live": Write(b"bar", 0), "later": Write(b"bar", 0, 2**62)})
    table = f"{own_database.database}.{own_database.key_value_table}"
    count = f"SELECT COUNT(*) FROM {table} WHERE `key` LIKE 'old-%'"  # noqa: S608 - ours
    async with asyncio.timeout(30):
        while ask(mysql_admin, count)[0][0]:
            await storage.key_values.put({"nothing": Write(None, 0)})
    assert await storage.key_values.get(["live", "later"]) == {"live": BAR, "later": BAR}


async def test_closing_both_stores_disconnects(
    own_database: MySQLConfiguration, storage: MySQLStorage, mysql_admin: Admin
) -> None:
    await storage.key_values.get(["foo"])
    await storage.key_values.close()
    assert connections(mysql_admin, own_database.database)
    await storage.key_sets.close()
    await until_gone(mysql_admin, own_database.database)


async def test_connections_unused_or_in_use_for_too_long_are_closed(
    mysql_admin: Admin, own_database: MySQLConfiguration
) -> None:
    limits = attrs.evolve(own_database, idle_timeout=1, minimum_idle=1, maximum_pool_size=8)
    storage = MySQLStorage(limits)
    await asyncio.gather(*(storage.key_values.get(["foo"]) for _ in range(16)))
    async with asyncio.timeout(30):
        while len(connections(mysql_admin, limits.database)) > 1:
            await storage.key_values.get(["foo"])
    await storage.close()
    await until_gone(mysql_admin, limits.database)
    short = MySQLStorage(attrs.evolve(own_database, max_lifetime=1, maximum_pool_size=1))
    await short.key_values.get(["foo"])
    await until_gone(mysql_admin, limits.database)
    await short.close()


async def test_a_format_newer_than_known_is_refused_with_both_versions(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage
) -> None:
    await storage.key_values.get(["foo"])
    table = f"{own_database.database}.key_set_storage"
    ask(mysql_admin, f"ALTER TABLE {table} COMMENT = 'infinitic format 7'")
    older = MySQLStorage(own_database)
    with pytest.raises(StorageError, match=rf"{table} has format 7.*up to {KEY_SETS.version}"):
        await older.key_values.get(["foo"])
    await older.close()


async def test_a_table_of_somebody_else_is_refused(
    mysql_admin: Admin, own_database: MySQLConfiguration, storage: MySQLStorage
) -> None:
    ask(mysql_admin, f"CREATE DATABASE {own_database.database}")
    ask(mysql_admin, f"CREATE TABLE {own_database.database}.key_value_storage (id INT)")
    with pytest.raises(StorageError, match=r"key_value_storage exists.*configure another"):
        await storage.key_values.get(["foo"])


async def test_tables_of_an_older_format_are_upgraded_once_by_workers_that_race(
    mysql_admin: Admin,
    own_database: MySQLConfiguration,
    storage: MySQLStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    upgrades = (b"ADD COLUMN note INT", b"ADD COLUMN remark INT, ADD INDEX (remark)")
    newer = TableFormat(KEY_VALUES.columns, upgrades)
    monkeypatch.setattr("infinitic_storage._mysql_schema.KEY_VALUES", newer)
    workers = [MySQLStorage(own_database) for _ in range(4)]
    read = await asyncio.gather(*(worker.key_values.get(["foo"]) for worker in workers))
    assert read == [{"foo": BAR}] * 4
    assert comment(mysql_admin, own_database, "key_value_storage") == "infinitic format 3"
    assert comment(mysql_admin, own_database, "key_set_storage") == "infinitic format 1"
    for worker in workers:
        await worker.close()


async def test_rows_are_found_by_the_primary_key_also_in_small_tables(
    own_database: MySQLConfiguration, storage: MySQLStorage, rival: Admin
) -> None:
    keys = ["a", "b"]
    await storage.key_values.put({key: Write(b"bar", 0) for key in "abc"})
    await storage.key_sets.update({key: [*keys, *map(str, range(50))] for key in "abc"}, {})
    values = KeyValueStatements(f"{own_database.database}.key_value_storage".encode())
    sets = KeySetStatements(f"{own_database.database}.key_set_storage".encode())
    writes = [(key, Write(b"new", 1)) for key in keys]
    pairs = [("a", "a"), ("a", "b"), ("b", "a")]
    statements = [
        *(values.get(keys), values.update(writes, 1), values.delete(keys)),
        *(values.delete_version(writes[0]), values.delete_expired(keys)),
        *(values.marked(keys, 1, b"1 = 1"), values.present(keys), sets.get(keys)),
        *(sets.page("a", 10, "a"), sets.hold(pairs), sets.remove(pairs)),
    ]
    rival.select_db(own_database.database)
    for statement in statements:
        [plan] = ask(rival, "EXPLAIN " + statement.decode())
        assert "PRIMARY" in plan, (statement, plan)
        assert {"range", "ref", "const"} & set(plan), (statement, plan)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (pymysql.err.OperationalError(1213, "Deadlock found"), StatementConflict),
        (pymysql.err.OperationalError(1205, "Lock wait timeout"), StorageUnavailable),
        (pymysql.err.OperationalError(2006, "MySQL server has gone away"), StorageUnavailable),
        (pymysql.err.OperationalError(4031, "disconnected by the server"), StorageUnavailable),
        (pymysql.err.InterfaceError(0, ""), StorageUnavailable),
        (ConnectionRefusedError(111, "Connection refused"), StorageUnavailable),
        (pymysql.err.InternalError(1290, "running with --read-only"), StorageUnavailable),
        (pymysql.err.OperationalError(1153, "Got a packet bigger than"), StorageError),
        (pymysql.err.ProgrammingError(1146, "Table doesn't exist"), StorageError),
    ],
)
def test_errors_of_the_driver_are_told_in_the_words_of_the_ports(
    error: Exception, expected: type[Exception]
) -> None:
    told = translated(error, "MySQL at here")
    assert type(told) is expected
    assert "MySQL at here" in str(told)
