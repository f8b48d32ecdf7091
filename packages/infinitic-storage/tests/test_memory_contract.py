import pytest

from infinitic_common.storage import KeySetStorage, KeyValueStorage
from infinitic_common.testing.storage import KeySetStorageContract, KeyValueStorageContract
from infinitic_storage import MemoryKeySetStorage, MemoryKeyValueStorage


class TestMemoryKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self) -> KeyValueStorage:
        return MemoryKeyValueStorage()


class TestMemoryKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self) -> KeySetStorage:
        return MemoryKeySetStorage()
