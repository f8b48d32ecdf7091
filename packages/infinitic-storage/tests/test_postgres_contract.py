import socket
from collections.abc import AsyncIterator

import attrs
import pytest

from infinitic_common.configuration import PostgresConfiguration
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Storage
from infinitic_common.testing.storage import (
    KeySetStorageContract,
    KeyValueStorageContract,
    UnreachableStorageContract,
)
from infinitic_storage import PostgresStorage


class TestPostgresKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self, postgres_storage: PostgresStorage) -> KeyValueStorage:
        return postgres_storage.key_values


class TestPostgresKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self, postgres_storage: PostgresStorage) -> KeySetStorage:
        return postgres_storage.key_sets


class TestUnreachablePostgresStorage(UnreachableStorageContract):
    @pytest.fixture
    async def unreachable(
        self, postgres_configuration: PostgresConfiguration
    ) -> AsyncIterator[Storage]:
        with socket.socket() as bound_but_not_listening:
            bound_but_not_listening.bind(("127.0.0.1", 0))
            port = bound_but_not_listening.getsockname()[1]
            there = attrs.evolve(postgres_configuration, host="127.0.0.1", port=port)
            storage = PostgresStorage(there)
            yield storage
            await storage.close()
