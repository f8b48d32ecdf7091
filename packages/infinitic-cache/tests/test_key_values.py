"""The cache in front of a store: what it serves, and what it forgets."""

import asyncio
import time
from collections.abc import Collection, Mapping

import pytest

from infinitic_cache import CachedKeyValueStorage
from infinitic_common.configuration import CacheConfiguration
from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_common.storage import ABSENT, KeyValueStorage, VersionedValue, Write
from infinitic_common.testing.storage import KeyValueStorageContract


def check(keys: Collection[str]) -> None:
    for key in keys:
        if len(key) > 255:
            raise StorageError(key)


class Store:
    """The smallest store that keeps the port's promises; it counts what is asked of it."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[VersionedValue, int | None]] = {}
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self.gate: asyncio.Barrier | None = None
        self.is_closed = False

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        check(keys)
        self.asked += keys
        return {key: self.find(key) for key in keys}

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        check(writes)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return {key: self.write(key, write) for key, write in writes.items()}

    async def delete(self, keys: Collection[str]) -> None:
        check(keys)
        for key in keys:
            self.records.pop(key, None)

    async def close(self) -> None:
        self.is_closed = True

    def find(self, key: str) -> VersionedValue:
        found, expires_at = self.records.get(key, (ABSENT, None))
        is_there = expires_at is None or expires_at > time.time_ns() // 1_000_000
        return found if is_there else ABSENT

    def write(self, key: str, write: Write) -> bool:
        if self.find(key).version != write.expected_version:
            return False
        self.records.pop(key, None)
        if write.value is not None:
            found = VersionedValue(write.value, write.expected_version + 1)
            self.records[key] = (found, write.expires_at)
        return True


class TestCachedKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self) -> KeyValueStorage:
        return CachedKeyValueStorage(Store())


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def cache(store: Store) -> CachedKeyValueStorage:
    return CachedKeyValueStorage(store)


async def test_what_was_written_is_read_from_memory(
    store: Store, cache: CachedKeyValueStorage
) -> None:
    await cache.put({"a": Write(b"1", 0)})
    assert await cache.get(["a", "b"]) == {"a": VersionedValue(b"1", 1), "b": ABSENT}
    assert store.asked == ["b"]


async def test_a_refused_write_makes_the_next_read_ask_the_store(
    store: Store, cache: CachedKeyValueStorage
) -> None:
    await cache.put({"a": Write(b"1", 0)})
    await store.put({"a": Write(b"of another process", 1)})
    assert await cache.put({"a": Write(b"2", 1)}) == {"a": False}
    assert await cache.get(["a"]) == {"a": VersionedValue(b"of another process", 2)}


async def test_a_write_of_unknown_outcome_makes_the_next_read_ask_the_store(
    store: Store, cache: CachedKeyValueStorage
) -> None:
    await cache.put({"a": Write(b"1", 0)})
    store.failure = StorageUnavailable("gone")
    with pytest.raises(StorageUnavailable):
        await cache.put({"a": Write(b"2", 1)})
    await cache.get(["a"])
    assert store.asked == ["a"]


async def test_writes_of_a_key_at_the_same_time_leave_nothing_in_memory(
    store: Store, cache: CachedKeyValueStorage
) -> None:
    store.gate = asyncio.Barrier(2)
    writes = (cache.put({"a": Write(value, 0)}) for value in (b"1", b"2"))
    written = [result["a"] for result in await asyncio.gather(*writes)]
    winner = (b"1", b"2")[written.index(True)]
    assert written.count(True) == 1
    assert await cache.get(["a"]) == {"a": VersionedValue(winner, 1)}
    assert store.asked == ["a"]


async def test_a_key_is_kept_again_after_a_contest(
    store: Store, cache: CachedKeyValueStorage
) -> None:
    await asyncio.gather(cache.put({"a": Write(b"1", 0)}), cache.put({"a": Write(b"2", 1)}))
    await cache.put({"a": Write(b"3", 2)})
    assert await cache.get(["a"]) == {"a": VersionedValue(b"3", 3)}
    assert store.asked == []


async def test_the_entry_written_first_leaves_when_there_are_too_many(store: Store) -> None:
    cache = CachedKeyValueStorage(store, CacheConfiguration(maximum_size=2))
    for key in "abc":
        await cache.put({key: Write(b"1", 0)})
    await cache.get(["a", "b", "c"])
    assert store.asked == ["a"]


async def test_an_entry_is_not_kept_for_longer_than_configured(store: Store) -> None:
    options = CacheConfiguration(expire_after_write_seconds=0)
    cache = CachedKeyValueStorage(store, options)
    await cache.put({"a": Write(b"1", 0)})
    await cache.get(["a"])
    assert store.asked == ["a"]


async def test_the_store_is_closed_with_the_cache(
    store: Store, cache: CachedKeyValueStorage
) -> None:
    await cache.close()
    assert store.is_closed
