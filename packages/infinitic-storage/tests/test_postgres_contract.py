import pytest

from infinitic_common.storage import KeySetStorage, KeyValueStorage
from infinitic_common.testing.storage import KeySetStorageContract, KeyValueStorageContract
from infinitic_storage import PostgresStorage


class TestPostgresKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self, postgres_storage: PostgresStorage) -> KeyValueStorage:
        return postgres_storage.key_values


class TestPostgresKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self, postgres_storage: PostgresStorage) -> KeySetStorage:
        return postgres_storage.key_sets
