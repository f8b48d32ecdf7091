import sys
import uuid

import pytest

from infinitic_common.configuration import (
    InMemoryStorageConfiguration,
    MySQLConfiguration,
    StorageConfiguration,
)
from infinitic_common.exceptions import StorageError
from infinitic_common.storage import VersionedValue, Write
from infinitic_storage import open_mysql_storage

TEXT = b"compressible " * 100


async def test_storage_29_mysql_is_opened_with_its_compression(
    mysql_configuration: MySQLConfiguration,
) -> None:
    name = uuid.uuid4().hex
    plain = open_mysql_storage(StorageConfiguration(kind="mysql", options=mysql_configuration))
    for compression in ("lz4", "gzip", "bzip2", "deflate"):
        key = f"{name} {compression}"
        packed = open_mysql_storage(
            StorageConfiguration("mysql", mysql_configuration, compression=compression)
        )
        await packed.key_values.put({key: Write(TEXT, 0)})
        await packed.key_sets.update({name: [compression]}, {})
        assert await plain.key_values.get([key]) == {key: VersionedValue(TEXT, 1)}
        await packed.close()
    assert await plain.key_sets.get([name]) == {
        name: frozenset({"lz4", "gzip", "bzip2", "deflate"})
    }
    await plain.close()


def test_options_of_another_store_are_refused_by_mysql() -> None:
    options = InMemoryStorageConfiguration()
    with pytest.raises(TypeError, match=r"'inMemory'.*InMemoryStorageConf.*MySQLConfiguration"):
        open_mysql_storage(StorageConfiguration(kind="inMemory", options=options))


def test_a_missing_driver_of_mysql_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = MySQLConfiguration(host="localhost", port=3306, username="user")
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(StorageError, match=r'pip install "infinitic-storage\[mysql\]"'):
        open_mysql_storage(StorageConfiguration(kind="mysql", options=options))
