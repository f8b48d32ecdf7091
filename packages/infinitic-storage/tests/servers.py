# ruff: noqa: INP001 -- tests import it by its name
"""Storages with a server, of whichever kind, and writers that go on whatever happens to it."""

import asyncio

from infinitic_common.configuration import (
    MySQLConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
)
from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.storage import Storage, Write
from infinitic_storage import MySQLStorage, PostgresStorage, RedisStorage

ServerConfiguration = MySQLConfiguration | PostgresConfiguration | RedisConfiguration

_PATIENCE = 120.0
"""Seconds until a storage that stays unavailable fails its test, which would never end."""


def opened(configuration: ServerConfiguration) -> Storage:
    """The storage that a configuration means."""
    match configuration:
        case MySQLConfiguration():
            return MySQLStorage(configuration)
        case PostgresConfiguration():
            return PostgresStorage(configuration)
        case RedisConfiguration():
            return RedisStorage(configuration)


async def count_up(storage: Storage, key: str, to: int) -> bool:
    """Write each version, whatever fails meanwhile; whether each was written once."""
    version = 0
    async with asyncio.timeout(_PATIENCE):
        while version < to:
            try:
                await storage.key_values.put({key: Write(b"%d" % (version + 1), version)})
            except StorageUnavailable:
                await _back_off()
            version = await _version_of(storage, key)
    return version == to


async def _version_of(storage: Storage, key: str) -> int:
    while True:
        try:
            found = (await storage.key_values.get([key]))[key]
        except StorageUnavailable:
            await _back_off()
        else:
            # A record whose value and version are of two writes would be a torn one.
            assert found.value == (b"%d" % found.version if found.version else None)  # noqa: S101 - part of the tests
            return found.version


async def _back_off() -> None:
    # Nothing is waited for: without a pause many writers would do nothing but connect.
    await asyncio.sleep(0.01)
