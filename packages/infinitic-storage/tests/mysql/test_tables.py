"""How MySQL's tables are made, found and upgraded."""

import asyncio
import subprocess
import sys
import uuid

import attrs
import pytest
from mysql_servers import Admin, ask, kill, until_gone

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.exceptions import StorageError
from infinitic_common.storage import VersionedValue, Write
from infinitic_storage import MySQLStorage
from infinitic_storage._mysql_schema import KEY_SETS, KEY_VALUES, TableFormat
from infinitic_storage._mysql_statements import KeySetStatements, KeyValueStatements

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
