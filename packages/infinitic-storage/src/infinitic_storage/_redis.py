"""Storage in Redis: one script for each call.

The face of the package imports this module always, so it imports the client only when a storage
is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from infinitic_common.storage import ABSENT, Page, VersionedValue, Write
from infinitic_storage._drivers import missing_driver
from infinitic_storage._keys import check_keys, check_sets
from infinitic_storage._pair import StoragePair
from infinitic_storage._redis_scripts import (
    DELETE_RECORDS,
    GET_PAGES,
    GET_RECORDS,
    GET_SETS,
    PUT_RECORDS,
    UPDATE_SETS,
)
from infinitic_storage._texts import utf8

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infinitic_common.configuration import RedisConfiguration
    from infinitic_storage._redis_server import RedisServer

_VERSION = 8
# Redis refuses instants that are not positive, and counts milliseconds in 63 bits.
_FIRST_INSTANT, _LAST_INSTANT = 1, 2**62


class RedisKeyValueStorage:
    """A ``KeyValueStorage`` in strings of Redis, which removes the expired ones by its own clock.

    In a cluster, records whose keys hold the same id are read and written together, others each by
    itself.

    Args:
        server: The connections, which other stores may share.
    """

    def __init__(self, server: RedisServer) -> None:
        server.join(self)
        self._server = server

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        names = list(dict.fromkeys(keys))
        if not names:
            return {}
        items = [(self._server.keys.record(key), ()) for key in names]
        found = await self._server.run(GET_RECORDS, items)
        return {
            key: _read(cast("bytes | None", one)) for key, one in zip(names, found, strict=True)
        }

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        check_keys(writes)
        if not writes:
            return {}
        items = [(self._server.keys.record(key), _arguments(one)) for key, one in writes.items()]
        written = await self._server.run(PUT_RECORDS, items)
        return {key: one == 1 for key, one in zip(writes, written, strict=True)}

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        if keys:
            items = [(self._server.keys.record(key), ()) for key in dict.fromkeys(keys)]
            await self._server.run(DELETE_RECORDS, items)

    async def close(self) -> None:
        """See ``KeyValueStorage``; connections that other stores use stay open."""
        await self._server.leave(self)


class RedisKeySetStorage:
    """A ``KeySetStorage`` in sorted sets of Redis.

    Args:
        server: The connections, which other stores may share.
    """

    def __init__(self, server: RedisServer) -> None:
        server.join(self)
        self._server = server

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        """See ``KeySetStorage``."""
        check_keys(keys)
        names = list(dict.fromkeys(keys))
        if not names:
            return {}
        items = [(self._server.keys.set(key), ()) for key in names]
        found = await self._server.run(GET_SETS, items)
        return {key: frozenset(_values(one)) for key, one in zip(names, found, strict=True)}

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        """See ``KeySetStorage``; the cursor is the last value given."""
        check_keys((key,))
        start = b"-" if cursor is None else b"(" + utf8(cursor)
        item = (self._server.keys.set(key), (start, b"%d" % (limit + 1)))
        (found,) = await self._server.run(GET_PAGES, [item])
        values = _values(found)
        given = tuple(values[:limit])
        return Page(given, given[-1] if len(values) > limit else None)

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        """See ``KeySetStorage``."""
        check_sets(add)
        check_sets(remove)
        items = [
            (self._server.keys.set(key), _changes(remove.get(key, ()), add.get(key, ())))
            for key in dict.fromkeys((*remove, *add))
        ]
        if items:
            await self._server.run(UPDATE_SETS, items)

    async def close(self) -> None:
        """See ``KeySetStorage``; connections that other stores use stay open."""
        await self._server.leave(self)


class RedisStorage(StoragePair[RedisKeyValueStorage, RedisKeySetStorage]):
    """A ``Storage`` in Redis; its stores share their connections.

    It is used from one event loop. It connects when it is first used, and again by itself after
    the server was away. A server of a cluster leads to the others.

    Args:
        configuration: Where the server is, and what the keys start with.

    Raises:
        StorageError: The client is not installed.
    """

    def __init__(self, configuration: RedisConfiguration) -> None:
        server = _server(configuration)
        super().__init__(RedisKeyValueStorage(server), RedisKeySetStorage(server))


def _server(configuration: RedisConfiguration) -> RedisServer:
    try:
        # Here, because the client is an extra of this wheel.
        from infinitic_storage._redis_server import RedisServer  # noqa: PLC0415
    except ImportError as error:
        raise missing_driver(error, "Redis", "redis") from error
    return RedisServer(configuration)


def _read(record: bytes | None) -> VersionedValue:
    if record is None:
        return ABSENT
    return VersionedValue(record[_VERSION:], int.from_bytes(record[:_VERSION]))


def _arguments(write: Write) -> tuple[bytes, bytes, bytes]:
    return _expected(write.expected_version), _record(write), _expiry(write.expires_at)


def _expected(version: int) -> bytes:
    return version.to_bytes(_VERSION, signed=True) if version else b""


def _record(write: Write) -> bytes:
    if write.value is None:
        return b""
    return (write.expected_version + 1).to_bytes(_VERSION, signed=True) + write.value


def _expiry(instant: int | None) -> bytes:
    if instant is None:
        return b""
    return b"%d" % min(max(instant, _FIRST_INSTANT), _LAST_INSTANT)


def _changes(removed: Sequence[str], added: Sequence[str]) -> list[bytes]:
    return [b"%d" % len(removed), b"%d" % len(added), *map(utf8, removed), *map(utf8, added)]


def _values(found: object) -> list[str]:
    return [value.decode() for value in cast("list[bytes]", found)]
