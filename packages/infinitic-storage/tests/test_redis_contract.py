import socket
from collections.abc import AsyncIterator

import attrs
import pytest

from infinitic_common.configuration import RedisConfiguration
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Storage
from infinitic_common.testing.storage import (
    KeySetStorageContract,
    KeyValueStorageContract,
    UnreachableStorageContract,
)
from infinitic_storage import RedisStorage


class TestRedisKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self, redis_storage: RedisStorage) -> KeyValueStorage:
        return redis_storage.key_values


class TestRedisKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self, redis_storage: RedisStorage) -> KeySetStorage:
        return redis_storage.key_sets


class TestUnreachableRedisStorage(UnreachableStorageContract):
    @pytest.fixture
    async def unreachable(self, redis_configuration: RedisConfiguration) -> AsyncIterator[Storage]:
        with socket.socket() as bound_but_not_listening:
            bound_but_not_listening.bind(("127.0.0.1", 0))
            port = bound_but_not_listening.getsockname()[1]
            storage = RedisStorage(attrs.evolve(redis_configuration, host="127.0.0.1", port=port))
            yield storage
            await storage.close()
