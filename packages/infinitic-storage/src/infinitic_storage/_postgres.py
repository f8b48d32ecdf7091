"""Storage in Postgres: one statement for each call, over tables made when first used.

The face of the package imports this module always, so it imports the driver only when a storage
is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infinitic_common.storage import ABSENT, Page, VersionedValue, Write
from infinitic_storage._batch import Batch, Item, Pair, pairs_of
from infinitic_storage._drivers import missing_driver
from infinitic_storage._keys import check_keys, check_sets
from infinitic_storage._pair import StoragePair
from infinitic_storage._postgres_parameters import blobs, instants, integer, integers, text, texts
from infinitic_storage._postgres_statements import (
    StatementConflict,
    key_set_statements,
    key_value_statements,
)
from infinitic_storage._purge import Purge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from psycopg.pq.abc import PGresult

    from infinitic_common.configuration import PostgresConfiguration
    from infinitic_storage._postgres_pool import PostgresPool


class PostgresKeyValueStorage:
    """A ``KeyValueStorage`` in one table of Postgres.

    Expiry follows the server's clock.

    Args:
        pool: The connections, which other stores may share.
        table: The table's name, quoted, with its schema.
    """

    def __init__(self, pool: PostgresPool, table: str) -> None:
        pool.join(self)
        self._pool = pool
        self._statements = key_value_statements(table)
        self._purge = Purge(self._remove_expired)

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        found = dict.fromkeys(keys, ABSENT)
        if not found:
            return found
        result = await self._pool.execute(self._statements.get, (texts(list(found)),))
        cell = result.get_value
        for row in range(result.ntuples):
            version = int.from_bytes(cell(row, 2) or b"")
            found[_text(result, row)] = VersionedValue(cell(row, 1), version)
        return found

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``; a batch that deadlocks again and again is refused whole."""
        check_keys(writes)
        if not writes:
            return {}
        try:
            result = await self._pool.execute(self._statements.put, _put_parameters(writes))
        except StatementConflict:
            return dict.fromkeys(writes, False)
        self._purge.start_if_due()
        if result.ntuples == len(writes):
            return dict.fromkeys(writes, True)
        written = {_text(result, row) for row in range(result.ntuples)}
        return {key: key in written for key in writes}

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        if keys:
            await self._pool.execute(self._statements.delete, (texts(sorted(set(keys))),))

    async def close(self) -> None:
        """See ``KeyValueStorage``; a pool that other stores use stays open."""
        await self._purge.close()
        self._pool.leave(self)

    async def _remove_expired(self, bite: int) -> int:
        result = await self._pool.execute(self._statements.purge, (integer(bite),))
        return result.command_tuples or 0


class PostgresKeySetStorage:
    """A ``KeySetStorage`` in one table of Postgres, with a row for each value.

    A value has at most about 2 600 bytes, the limit of Postgres's indexes.

    Args:
        pool: The connections, which other stores may share.
        table: The table's name, quoted, with its schema.
    """

    def __init__(self, pool: PostgresPool, table: str) -> None:
        pool.join(self)
        self._pool = pool
        self._statements = key_set_statements(table)

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        """See ``KeySetStorage``."""
        check_keys(keys)
        found: dict[str, list[str]] = {key: [] for key in keys}
        if not found:
            return {}
        result = await self._pool.execute(self._statements.get, (texts(list(found)),))
        for row in range(result.ntuples):
            found[_text(result, row)].append(_text(result, row, 1))
        return {key: frozenset(values) for key, values in found.items()}

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        """See ``KeySetStorage``; the cursor is the last value given."""
        check_keys((key,))
        first = (text(key), integer(limit + 1))
        if cursor is None:
            result = await self._pool.execute(self._statements.first_page, first)
        else:
            after = (*first, text(cursor))
            result = await self._pool.execute(self._statements.next_page, after)
        values = tuple(_text(result, row) for row in range(min(limit, result.ntuples)))
        return Page(values, values[-1] if result.ntuples > limit else None)

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        """See ``KeySetStorage``."""
        check_sets(add)
        check_sets(remove)
        added = pairs_of(add)
        removed = pairs_of(remove) - added
        if added or removed:
            held = added | removed if added and removed else set[Pair]()
            parameters = [column for pairs in (held, removed, added) for column in _columns(pairs)]
            await self._pool.execute(self._statements.update, parameters)

    async def close(self) -> None:
        """See ``KeySetStorage``; a pool that other stores use stays open."""
        self._pool.leave(self)


class PostgresStorage(StoragePair[PostgresKeyValueStorage, PostgresKeySetStorage]):
    """A ``Storage`` in a database of Postgres; its stores share their connections.

    It is used from one event loop. It connects when it is first used, and again by itself after
    the server was away.

    Args:
        configuration: Where the server is, and which database, schema and tables are used; they
            are made if missing.

    Raises:
        StorageError: The driver is not installed.
    """

    def __init__(self, configuration: PostgresConfiguration) -> None:
        pool = _pool(configuration)
        schema = configuration.schema
        values, sets = configuration.key_value_table, configuration.key_set_table
        super().__init__(
            PostgresKeyValueStorage(pool, f'"{schema}"."{values}"'),
            PostgresKeySetStorage(pool, f'"{schema}"."{sets}"'),
        )


def _pool(configuration: PostgresConfiguration) -> PostgresPool:
    try:
        # Here, because the driver is an extra of this wheel.
        from infinitic_storage._postgres_pool import PostgresPool  # noqa: PLC0415
    except ImportError as error:
        raise missing_driver(error, "Postgres", "postgres") from error
    return PostgresPool(configuration)


def _put_parameters(writes: Mapping[str, Write]) -> list[bytes]:
    batch = Batch.of(writes.items())
    held = sorted(writes) if batch.deletions and len(writes) > 1 else ()
    return [
        texts(held),
        *_updates(batch.updates),
        *_deletions(batch.deletions),
        *_insertions(batch.insertions),
        _keys(batch.absences),
    ]


def _updates(items: Sequence[Item]) -> tuple[bytes, ...]:
    return _keys(items), _values(items), _versions(items), _expiries(items)


def _deletions(items: Sequence[Item]) -> tuple[bytes, ...]:
    return _keys(items), _versions(items)


def _insertions(items: Sequence[Item]) -> tuple[bytes, ...]:
    return _keys(items), _values(items), _expiries(items)


def _keys(items: Sequence[Item]) -> bytes:
    return texts([key for key, _ in items])


def _values(items: Sequence[Item]) -> bytes:
    return blobs([write.value or b"" for _, write in items])


def _versions(items: Sequence[Item]) -> bytes:
    return integers([write.expected_version for _, write in items])


def _expiries(items: Sequence[Item]) -> bytes:
    return instants([write.expires_at for _, write in items])


def _columns(pairs: AbstractSet[Pair]) -> tuple[bytes, bytes]:
    ordered = sorted(pairs)
    return texts([key for key, _ in ordered]), texts([value for _, value in ordered])


def _text(result: PGresult, row: int, column: int = 0) -> str:
    return (result.get_value(row, column) or b"").decode()
