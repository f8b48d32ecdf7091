"""Database and tables: made when they are missing, upgraded in place when they are older.

A table's format is told by its comment. MySQL changes a table and its comment in one step, and
rolls nothing back: a version kept elsewhere could differ from the table after a crash.
"""

from collections.abc import Sequence
from hashlib import sha1
from typing import TYPE_CHECKING

import attrs

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_storage._formats import check_version, comment_of, version_in
from infinitic_storage._mysql_literals import listed, text
from infinitic_storage._mysql_put import as_text

if TYPE_CHECKING:
    from infinitic_storage._mysql_connection import MySQLConnection


@attrs.frozen
class TableFormat:
    """How a table is made, and how the older formats become the next ones.

    Attributes:
        columns: Its columns and indexes.
        upgrades: The changes from each format to the next; format 1 is the first.
    """

    columns: bytes
    upgrades: Sequence[bytes] = ()

    @property
    def version(self) -> int:
        """The newest format."""
        return 1 + len(self.upgrades)


# Keys and values of sets are bytes: no collation folds case, accents or spaces at the end.
# 1020 bytes hold 255 characters; both columns of a set together are what an index takes.
KEY_VALUES = TableFormat(
    b"`key` VARBINARY(1020) NOT NULL PRIMARY KEY, value LONGBLOB NOT NULL, "
    b"version BIGINT NOT NULL, mark BIGINT NOT NULL, expires_at BIGINT, "
    b"last_update DATETIME NOT NULL, INDEX (expires_at)"
)
KEY_SETS = TableFormat(
    b"`key` VARBINARY(1020) NOT NULL, value VARBINARY(2048) NOT NULL, PRIMARY KEY (`key`, value)"
)
LONGEST_MEMBER = 2048
"""Most bytes of a value of a set."""

_LONGEST_WAIT = 25


def create_database(connection: "MySQLConnection", configuration: MySQLConfiguration) -> None:
    """Make the database, unless another worker was faster."""
    name = quoted(configuration.database)
    connection.execute([b"CREATE DATABASE IF NOT EXISTS %b CHARACTER SET utf8mb4" % name])


def ensure_tables(connection: "MySQLConnection", configuration: MySQLConfiguration) -> None:
    """Make or upgrade the tables; workers may do so at the same time.

    Raises:
        StorageError: A table has a newer format, or is not ours.
        StorageUnavailable: Another worker is still upgrading them.
        Exception: The driver's error.
    """
    formats = {
        configuration.key_value_table: KEY_VALUES,
        configuration.key_set_table: KEY_SETS,
    }
    if _are_current(connection, configuration, formats):
        return
    # Short enough for the name of a lock, whatever the name of the database.
    digest = sha1(configuration.database.encode(), usedforsecurity=False).hexdigest()
    name = text(f"infinitic {digest}")
    _lock(connection, configuration, name)
    try:
        found = _versions(connection, configuration, formats)
        for table, format_ in formats.items():
            _make(connection, quoted(configuration.database, table), format_, found.get(table))
    finally:
        connection.execute([b"SELECT RELEASE_LOCK(%b)" % name])


def quoted(*names: str) -> bytes:
    """A name, or one within another."""
    return b".".join(b"`%b`" % name.replace("`", "``").encode() for name in names)


def _are_current(
    connection: "MySQLConnection",
    configuration: MySQLConfiguration,
    formats: dict[str, TableFormat],
) -> bool:
    found = _versions(connection, configuration, formats)
    return all(found.get(table) == format_.version for table, format_ in formats.items())


def _versions(
    connection: "MySQLConnection",
    configuration: MySQLConfiguration,
    formats: dict[str, TableFormat],
) -> dict[str, int]:
    query = (
        b"SELECT table_name, table_comment FROM information_schema.tables "
        b"WHERE table_schema = %b AND table_name IN (%b)"
    ) % (text(configuration.database), listed(map(text, formats)))
    rows = connection.execute([query])[0].rows
    comments = {as_text(name): as_text(comment) for name, comment in rows}
    return {
        table: _version(f"{configuration.database}.{table}", comments[table], format_)
        for table, format_ in formats.items()
        if table in comments
    }


def _version(table: str, comment: str, format_: TableFormat) -> int:
    version = version_in(comment)
    if version is None:
        message = (
            f"the table {table} exists, but its comment {comment!r} does not tell that Infinitic "
            "for Python made it: configure another database or other tables"
        )
        raise StorageError(message)
    check_version(table, version, format_.version)
    return version


def _lock(connection: "MySQLConnection", configuration: MySQLConfiguration, name: bytes) -> None:
    rows = connection.execute([b"SELECT GET_LOCK(%b, %d)" % (name, _LONGEST_WAIT)])[0].rows
    if rows[0][0] != 1:
        message = (
            f"another worker has been making or upgrading the tables of {configuration.database} "
            f"for {_LONGEST_WAIT} s"
        )
        raise StorageUnavailable(message)


def _make(
    connection: "MySQLConnection", table: bytes, format_: TableFormat, version: int | None
) -> None:
    if version is None:
        # Always from format 1 on: one way to make a table, which every upgrade is tried by.
        connection.execute([_create(table, format_)])
        version = 1
    for upgrade in format_.upgrades[version - 1 :]:
        version += 1
        comment = text(comment_of(version))
        connection.execute([b"ALTER TABLE %b %b, COMMENT = %b" % (table, upgrade, comment)])


def _create(table: bytes, format_: TableFormat) -> bytes:
    return b"CREATE TABLE %b (%b) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, COMMENT = %b" % (
        table,
        format_.columns,
        text(comment_of(1)),
    )
