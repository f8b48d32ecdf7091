# ruff: noqa: D103, INP001, S101 -- tests import it by its name
"""What else happens on a MySQL server while a storage uses it: locks, and ends of connections."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pymysql

from infinitic_common.configuration import MySQLConfiguration

_NO_SUCH_THREAD = 1094

if TYPE_CHECKING:
    Admin = pymysql.connections.Connection[pymysql.cursors.Cursor]
else:
    Admin = pymysql.connections.Connection


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
        assert error.args[0] == _NO_SUCH_THREAD  # noqa: PT017 - it ended by itself meanwhile


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
