import pytest

from infinitic_common.storage import KeySetStorage, KeyValueStorage
from infinitic_common.testing.storage import KeySetStorageContract, KeyValueStorageContract
from infinitic_storage import RedisStorage


class TestRedisKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self, redis_storage: RedisStorage) -> KeyValueStorage:
        return redis_storage.key_values


class TestRedisKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self, redis_storage: RedisStorage) -> KeySetStorage:
        return redis_storage.key_sets
