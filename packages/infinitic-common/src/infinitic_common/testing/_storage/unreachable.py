"""A store whose server is gone."""

import pytest

from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.storage import Storage, Write


class UnreachableStorageContract:
    """Every method says that the store cannot be reached now."""

    async def test_records_of_an_unreachable_store_are_unavailable(
        self, unreachable: Storage
    ) -> None:
        with pytest.raises(StorageUnavailable):
            await unreachable.key_values.get(["foo"])
        with pytest.raises(StorageUnavailable):
            await unreachable.key_values.put({"foo": Write(b"bar", 0)})
        with pytest.raises(StorageUnavailable):
            await unreachable.key_values.delete(["foo"])

    async def test_sets_of_an_unreachable_store_are_unavailable(self, unreachable: Storage) -> None:
        with pytest.raises(StorageUnavailable):
            await unreachable.key_sets.get(["foo"])
        with pytest.raises(StorageUnavailable):
            await unreachable.key_sets.get_page("foo", 10)
        with pytest.raises(StorageUnavailable):
            await unreachable.key_sets.update({"foo": ["bar"]}, {})

    async def test_an_unreachable_store_can_be_closed(self, unreachable: Storage) -> None:
        await unreachable.close()
        await unreachable.close()
