import pytest

from infinitic_common.storage import KeySetStorage, KeyValueStorage
from infinitic_common.testing.storage import KeySetStorageContract, KeyValueStorageContract
from infinitic_storage import MySQLStorage


class TestMySQLKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self, mysql_storage: MySQLStorage) -> KeyValueStorage:
        return mysql_storage.key_values


class TestMySQLKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self, mysql_storage: MySQLStorage) -> KeySetStorage:
        return mysql_storage.key_sets
