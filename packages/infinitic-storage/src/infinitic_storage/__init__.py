"""Where Infinitic keeps its state: in memory or in Postgres, compressed or not."""

from infinitic_storage._compression import CompressedKeyValueStorage, Compressor
from infinitic_storage._memory import MemoryKeySetStorage, MemoryKeyValueStorage, MemoryStorage
from infinitic_storage._mysql import MySQLKeySetStorage, MySQLKeyValueStorage, MySQLStorage
from infinitic_storage._opening import (
    open_memory_storage,
    open_mysql_storage,
    open_postgres_storage,
)
from infinitic_storage._postgres import (
    PostgresKeySetStorage,
    PostgresKeyValueStorage,
    PostgresStorage,
)

__all__ = [
    "CompressedKeyValueStorage",
    "Compressor",
    "MemoryKeySetStorage",
    "MemoryKeyValueStorage",
    "MemoryStorage",
    "MySQLKeySetStorage",
    "MySQLKeyValueStorage",
    "MySQLStorage",
    "PostgresKeySetStorage",
    "PostgresKeyValueStorage",
    "PostgresStorage",
    "open_memory_storage",
    "open_mysql_storage",
    "open_postgres_storage",
]
