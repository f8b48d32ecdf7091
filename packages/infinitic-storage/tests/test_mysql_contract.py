import socket
from collections.abc import AsyncIterator

import attrs
import pytest

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Storage
from infinitic_common.testing.storage import (
    KeySetStorageContract,
    KeyValueStorageContract,
    UnreachableStorageContract,
)
from infinitic_storage import MySQLStorage


class TestMySQLKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self, mysql_storage: MySQLStorage) -> KeyValueStorage:
        return mysql_storage.key_values


class TestMySQLKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self, mysql_storage: MySQLStorage) -> KeySetStorage:
        return mysql_storage.key_sets


class TestUnreachableMySQLStorage(UnreachableStorageContract):
    @pytest.fixture
    async def unreachable(self, mysql_configuration: MySQLConfiguration) -> AsyncIterator[Storage]:
        with socket.socket() as bound_but_not_listening:
            bound_but_not_listening.bind(("127.0.0.1", 0))
            port = bound_but_not_listening.getsockname()[1]
            there = attrs.evolve(mysql_configuration, host="127.0.0.1", port=port)
            storage = MySQLStorage(there)
            yield storage
            await storage.close()
