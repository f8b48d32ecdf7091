"""Where Infinitic keeps its state: in memory, Redis, Postgres or MySQL, compressed or not."""

from infinitic_storage._compression import CompressedKeyValueStorage, Compressor
from infinitic_storage._memory import MemoryKeySetStorage, MemoryKeyValueStorage, MemoryStorage
from infinitic_storage._mysql import MySQLKeySetStorage, MySQLKeyValueStorage, MySQLStorage
from infinitic_storage._opening import (
    open_memory_storage,
    open_mysql_storage,
    open_postgres_storage,
    open_redis_storage,
)
from infinitic_storage._postgres import (
    PostgresKeySetStorage,
    PostgresKeyValueStorage,
    PostgresStorage,
)
from infinitic_storage._redis import RedisKeySetStorage, RedisKeyValueStorage, RedisStorage

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
    "RedisKeySetStorage",
    "RedisKeyValueStorage",
    "RedisStorage",
    "open_memory_storage",
    "open_mysql_storage",
    "open_postgres_storage",
    "open_redis_storage",
]
