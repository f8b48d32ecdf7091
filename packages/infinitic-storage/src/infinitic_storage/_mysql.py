"""Storage in MySQL or MariaDB: one packet for each call, over tables made when first used.

The face of the package imports this module always; the driver is imported when a storage is made.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.exceptions import StorageError
from infinitic_common.storage import ABSENT, Page, VersionedValue, Write
from infinitic_storage._batch import Item, Pair, pairs_of
from infinitic_storage._keys import check_keys, check_sets
from infinitic_storage._mysql_errors import StatementConflict
from infinitic_storage._mysql_pool import MySQLPool
from infinitic_storage._mysql_put import Put, as_text, split
from infinitic_storage._mysql_schema import LONGEST_MEMBER, quoted
from infinitic_storage._mysql_statements import KeySetStatements, KeyValueStatements
from infinitic_storage._pair import StoragePair
from infinitic_storage._purge import Purge
from infinitic_storage._texts import utf8

T = TypeVar("T")

# Keys named in one statement; more of them are asked for one after the other.
_MOST_KEYS = 1000


class MySQLKeyValueStorage:
    """A ``KeyValueStorage`` in one table of MySQL.

    Expiry follows the server's clock. More than 100 writes, or 16 MiB of them, go in several
    packets.

    Args:
        pool: The connections, which other stores may share.
        table: The table's name, quoted, with its database.
    """

    def __init__(self, pool: MySQLPool, table: bytes) -> None:
        pool.join(self)
        self._pool = pool
        self._statements = KeyValueStatements(table)
        self._purge = Purge(self._remove_expired)

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        found = dict.fromkeys(keys, ABSENT)
        for some in _batches(found, _MOST_KEYS):
            [result] = await self._pool.execute([self._statements.get(some)])
            for key, value, version in result.rows:
                found[as_text(key)] = VersionedValue(_blob(value), int(version or 0))
        return found

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``; a packet that deadlocks again and again is refused whole.

        Raises:
            StorageError: A value does not fit the server's ``max_allowed_packet``; nothing is
                written then.
        """
        check_keys(writes)
        if not writes:
            return {}
        written = dict.fromkeys(writes, False)
        for items in split(writes.items(), await self._pool.packet_limit()):
            written |= await self._put(items)
        self._purge.start_if_due()
        return written

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        for some in _batches(sorted(set(keys)), _MOST_KEYS):
            await self._pool.execute([self._statements.delete(some)])

    async def close(self) -> None:
        """See ``KeyValueStorage``; a pool that other stores use stays open."""
        await self._purge.close()
        self._pool.leave(self)

    async def _put(self, items: Sequence[Item]) -> dict[str, bool]:
        put = Put(self._statements, items)
        try:
            return put.outcomes(await self._pool.execute(put.packet))
        except StatementConflict:
            return {}

    async def _remove_expired(self, bite: int) -> int:
        [expired] = await self._pool.execute([self._statements.expired(bite)])
        keys = sorted(as_text(row[0]) for row in expired.rows)
        if not keys:
            return 0
        [removed] = await self._pool.execute([self._statements.delete_expired(keys)])
        return removed.count


class MySQLKeySetStorage:
    """A ``KeySetStorage`` in one table of MySQL, with a row for each value.

    A value has at most 2048 bytes, for key and value together are an index.

    Args:
        pool: The connections, which other stores may share.
        table: The table's name, quoted, with its database.
    """

    def __init__(self, pool: MySQLPool, table: bytes) -> None:
        pool.join(self)
        self._pool = pool
        self._statements = KeySetStatements(table)

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        """See ``KeySetStorage``."""
        check_keys(keys)
        found: dict[str, list[str]] = {key: [] for key in keys}
        for some in _batches(found, _MOST_KEYS):
            [result] = await self._pool.execute([self._statements.get(some)])
            for key, value in result.rows:
                found[as_text(key)].append(as_text(value))
        return {key: frozenset(values) for key, values in found.items()}

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        """See ``KeySetStorage``; the cursor is the last value given."""
        check_keys((key,))
        [result] = await self._pool.execute([self._statements.page(key, limit + 1, cursor)])
        values = tuple(as_text(row[0]) for row in result.rows[:limit])
        return Page(values, values[-1] if len(result.rows) > limit else None)

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        """See ``KeySetStorage``.

        Raises:
            StorageError: A value has more than 2048 bytes; nothing is written then.
        """
        check_sets(add)
        check_sets(remove)
        added = pairs_of(add)
        removed = pairs_of(remove) - added
        _check_members(added | removed)
        for pairs in _batches(sorted(added | removed), _MOST_KEYS):
            ours = set(pairs)
            await self._update(sorted(added & ours), sorted(removed & ours))

    async def close(self) -> None:
        """See ``KeySetStorage``; a pool that other stores use stays open."""
        self._pool.leave(self)

    async def _update(self, added: Sequence[Pair], removed: Sequence[Pair]) -> None:
        parts = list[bytes]()
        if removed:
            parts.append(self._statements.remove(removed))
        if added:
            parts.append(self._statements.add(added))
        if len(parts) > 1:
            held = self._statements.hold(sorted([*added, *removed]))
            parts = [b"START TRANSACTION", held, *parts, b"COMMIT"]
        await self._pool.execute(parts)


class MySQLStorage(StoragePair[MySQLKeyValueStorage, MySQLKeySetStorage]):
    """A ``Storage`` in a database of MySQL or MariaDB; its stores share their connections.

    It connects when it is first used, and again by itself after the server was away.

    Args:
        configuration: Where the server is, and which database and tables are used; they are made
            if missing.

    Raises:
        StorageError: The driver is not installed.
    """

    def __init__(self, configuration: MySQLConfiguration) -> None:
        pool = MySQLPool(configuration)
        database = configuration.database
        values, sets = configuration.key_value_table, configuration.key_set_table
        super().__init__(
            MySQLKeyValueStorage(pool, quoted(database, values)),
            MySQLKeySetStorage(pool, quoted(database, sets)),
        )


def _check_members(pairs: Iterable[Pair]) -> None:
    for _, value in pairs:
        size = len(utf8(value))
        if size > LONGEST_MEMBER:
            message = (
                f"the value {value[:60]!r}… of a set has {size} bytes, and MySQL keeps at most "
                f"{LONGEST_MEMBER}: shorten the id or tag it is made of"
            )
            raise StorageError(message)


def _blob(cell: object) -> bytes:
    return cell if isinstance(cell, bytes) else b""


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
