"""What is particular to MySQL: losing connections, conflicts, limits of the server."""

import asyncio
import os

import attrs
import pymysql
import pytest
from mysql_servers import (
    Admin,
    ask,
    connections,
    end,
    kill,
    lock,
    locked,
    until_gone,
    until_waiting,
)
from servers import count_up

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_common.storage import ABSENT, VersionedValue, Write
from infinitic_storage import MySQLStorage
from infinitic_storage._mysql_errors import StatementConflict, translated

BAR = VersionedValue(b"bar", 1)


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
