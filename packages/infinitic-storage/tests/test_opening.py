import subprocess
import sys
import uuid
from typing import Literal

import pytest

from infinitic_common.configuration import (
    InMemoryStorageConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
    StorageConfiguration,
)
from infinitic_common.exceptions import StorageError
from infinitic_common.storage import VersionedValue, Write
from infinitic_storage import open_memory_storage, open_postgres_storage, open_redis_storage

TEXT = b"compressible " * 100


def in_memory(
    unused: str, compression: Literal["gzip", "lz4"] | None = None
) -> StorageConfiguration:
    options = InMemoryStorageConfiguration(unused=unused)
    return StorageConfiguration(kind="inMemory", options=options, compression=compression)


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


async def test_memory_storages_of_equal_options_share_their_data(name: str) -> None:
    first, second = open_memory_storage(in_memory(name)), open_memory_storage(in_memory(name))
    await first.key_values.put({"foo": Write(b"bar", 0)})
    await first.key_sets.update({"foo": ["bar"]}, {})
    await first.close()
    assert await second.key_values.get(["foo"]) == {"foo": VersionedValue(b"bar", 1)}
    assert await second.key_sets.get(["foo"]) == {"foo": frozenset({"bar"})}


async def test_memory_storages_of_other_options_share_nothing(name: str) -> None:
    first = open_memory_storage(in_memory(name))
    second = open_memory_storage(in_memory(name + "2"))
    await first.key_values.put({"foo": Write(b"bar", 0)})
    assert await second.key_values.get(["foo"]) == {"foo": VersionedValue(None, 0)}


async def test_storage_29_the_configured_compression_may_change(name: str) -> None:
    written = open_memory_storage(in_memory(name, "gzip")).key_values
    await written.put({"foo": Write(TEXT, 0)})
    other = open_memory_storage(in_memory(name, "lz4")).key_values
    none = open_memory_storage(in_memory(name)).key_values
    assert (await other.get(["foo"]))["foo"].value == TEXT
    assert (await none.get(["foo"]))["foo"].value == TEXT


async def test_postgres_is_opened_with_its_compression(
    postgres_configuration: PostgresConfiguration, name: str
) -> None:
    packed = StorageConfiguration(
        kind="postgres", options=postgres_configuration, compression="deflate"
    )
    plain = StorageConfiguration(kind="postgres", options=postgres_configuration)
    writer, reader = open_postgres_storage(packed), open_postgres_storage(plain)
    await writer.key_values.put({name: Write(TEXT, 0)})
    await writer.key_sets.update({name: ["bar"]}, {})
    assert await reader.key_values.get([name]) == {name: VersionedValue(TEXT, 1)}
    assert await reader.key_sets.get([name]) == {name: frozenset({"bar"})}
    await writer.close()
    await reader.close()


async def test_redis_is_opened_with_its_compression(
    redis_configuration: RedisConfiguration, name: str
) -> None:
    packed = StorageConfiguration(kind="redis", options=redis_configuration, compression="lz4")
    plain = StorageConfiguration(kind="redis", options=redis_configuration)
    writer, reader = open_redis_storage(packed), open_redis_storage(plain)
    await writer.key_values.put({name: Write(TEXT, 0)})
    await writer.key_sets.update({name: ["bar"]}, {})
    assert await reader.key_values.get([name]) == {name: VersionedValue(TEXT, 1)}
    assert await reader.key_sets.get([name]) == {name: frozenset({"bar"})}
    await writer.close()
    await reader.close()


def test_options_of_another_store_are_refused() -> None:
    with pytest.raises(TypeError, match=r"'inMemory'.*InMemoryStorageConfiguration.*PostgresConf"):
        open_postgres_storage(in_memory("any"))


def test_a_missing_driver_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = PostgresConfiguration(host="localhost", port=5432, username="user")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "infinitic_storage._postgres_pool", raising=False)
    with pytest.raises(StorageError, match=r'pip install "infinitic-storage\[postgres\]"'):
        open_postgres_storage(StorageConfiguration(kind="postgres", options=options))


def test_a_missing_client_of_redis_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = RedisConfiguration(host="localhost", port=6379)
    monkeypatch.setitem(sys.modules, "infinitic_storage._redis_server", None)
    with pytest.raises(StorageError, match=r'pip install "infinitic-storage\[redis\]"'):
        open_redis_storage(StorageConfiguration(kind="redis", options=options))


def test_the_package_is_imported_without_any_driver() -> None:
    code = (
        "import sys, infinitic_storage\n"
        "sys.exit(any(name in sys.modules for name in ('psycopg', 'lz4', 'redis', 'pymysql')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own code
    assert done.returncode == 0
