"""Storages opened from their configuration: the entry points ``infinitic.storages``."""

from threading import Lock
from typing import TypeVar

import attrs

from infinitic_common.configuration import (
    InMemoryStorageConfiguration,
    MySQLConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
    StorageConfiguration,
)
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Storage
from infinitic_storage._compression import CompressedKeyValueStorage, Compressor
from infinitic_storage._memory import MemoryStorage
from infinitic_storage._mysql import MySQLStorage
from infinitic_storage._postgres import PostgresStorage
from infinitic_storage._redis import RedisStorage

T = TypeVar("T")

_shared: dict[InMemoryStorageConfiguration, MemoryStorage] = {}
_sharing = Lock()


def open_memory_storage(configuration: StorageConfiguration) -> Storage:
    """A storage in memory; those opened with equal options in a process share their data.

    The data lives as long as the process, also when every storage is closed.
    """
    options = _options(configuration, InMemoryStorageConfiguration)
    with _sharing:
        return _compressed(_shared.setdefault(options, MemoryStorage()), configuration)


def open_postgres_storage(configuration: StorageConfiguration) -> Storage:
    """A storage in Postgres; connects, and makes what is missing, when it is first used.

    Raises:
        StorageError: The driver is not installed.
    """
    return _compressed(
        PostgresStorage(_options(configuration, PostgresConfiguration)), configuration
    )


def open_mysql_storage(configuration: StorageConfiguration) -> Storage:
    """A storage in MySQL or MariaDB; connects, and makes what is missing, when it is first used.

    Raises:
        StorageError: The driver is not installed.
    """
    return _compressed(MySQLStorage(_options(configuration, MySQLConfiguration)), configuration)


def open_redis_storage(configuration: StorageConfiguration) -> Storage:
    """A storage in Redis; connects, and marks its data with their format, when it is first used.

    Raises:
        StorageError: The client is not installed.
    """
    return _compressed(RedisStorage(_options(configuration, RedisConfiguration)), configuration)


@attrs.frozen
class _CompressedStorage:
    inner: Storage
    key_values: KeyValueStorage

    @property
    def key_sets(self) -> KeySetStorage:
        return self.inner.key_sets

    async def close(self) -> None:
        await self.inner.close()


def _compressed(storage: Storage, configuration: StorageConfiguration) -> Storage:
    # Also without a compressor: what was written with one before is still read.
    name = configuration.compression
    compressor = None if name is None else Compressor(name)
    return _CompressedStorage(storage, CompressedKeyValueStorage(storage.key_values, compressor))


def _options(configuration: StorageConfiguration, expected: type[T]) -> T:
    if isinstance(configuration.options, expected):
        return configuration.options
    message = (
        f"the options of storage {configuration.kind!r} are of class "
        f"{type(configuration.options).__name__}: give {expected.__name__}"
    )
    raise TypeError(message)
