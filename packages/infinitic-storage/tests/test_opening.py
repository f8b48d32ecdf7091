import subprocess
import sys
from typing import Literal

import pytest
from servers import ServerConfiguration, opened

from infinitic_common.configuration import (
    InMemoryStorageConfiguration,
    MySQLConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
    StorageConfiguration,
)
from infinitic_common.exceptions import StorageError
from infinitic_common.storage import VersionedValue, Write
from infinitic_storage import (
    open_memory_storage,
    open_mysql_storage,
    open_postgres_storage,
    open_redis_storage,
)

TEXT = b"compressible " * 100
OPENERS = {
    "mysql": open_mysql_storage,
    "postgres": open_postgres_storage,
    "redis": open_redis_storage,
}

Compression = Literal["gzip", "bzip2", "deflate", "lz4"]


def in_memory(unused: str, compression: Compression | None = None) -> StorageConfiguration:
    options = InMemoryStorageConfiguration(unused=unused)
    return StorageConfiguration(kind="inMemory", options=options, compression=compression)


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


@pytest.mark.parametrize("compression", ["lz4", "gzip", "bzip2", "deflate"])
async def test_storage_29_a_server_is_opened_with_the_configured_compression(
    server_kind: str, any_server: ServerConfiguration, compression: Compression, name: str
) -> None:
    open_storage = OPENERS[server_kind]
    packed = open_storage(StorageConfiguration(server_kind, any_server, compression))
    plain = open_storage(StorageConfiguration(server_kind, any_server))
    raw = opened(any_server)
    await packed.key_values.put({name: Write(TEXT, 0)})
    await packed.key_sets.update({name: ["bar"]}, {})
    assert await plain.key_values.get([name]) == {name: VersionedValue(TEXT, 1)}
    assert await plain.key_sets.get([name]) == {name: frozenset({"bar"})}
    stored = (await raw.key_values.get([name]))[name].value
    assert stored is not None
    assert len(stored) < len(TEXT)
    for storage in (packed, plain, raw):
        await storage.close()


@pytest.mark.parametrize("kind", OPENERS)
def test_options_of_another_store_are_refused(kind: str) -> None:
    expected = rf"(?i)'inMemory'.*InMemoryStorageConfiguration.* {kind}Configuration"
    with pytest.raises(TypeError, match=expected):
        OPENERS[kind](in_memory("any"))


@pytest.mark.parametrize(
    ("kind", "options", "missing"),
    [
        ("mysql", MySQLConfiguration(host="localhost", port=3306, username="user"), "pymysql"),
        (
            "postgres",
            PostgresConfiguration(host="localhost", port=5432, username="user"),
            "infinitic_storage._postgres_pool",
        ),
        (
            "redis",
            RedisConfiguration(host="localhost", port=6379),
            "infinitic_storage._redis_server",
        ),
    ],
)
def test_a_missing_driver_is_an_error_that_says_what_to_install(
    kind: str, options: ServerConfiguration, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(StorageError, match=rf'pip install "infinitic-storage\[{kind}\]"'):
        OPENERS[kind](StorageConfiguration(kind, options))


def test_the_package_is_imported_without_any_driver() -> None:
    code = (
        "import sys, infinitic_storage\n"
        "sys.exit(any(name in sys.modules for name in ('psycopg', 'lz4', 'redis', 'pymysql')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own code
    assert done.returncode == 0
