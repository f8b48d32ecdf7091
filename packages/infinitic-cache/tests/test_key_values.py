"""The cache in front of a store: what it serves, and what it forgets."""

import asyncio

import pytest
from stores import Store

from infinitic_cache import CachedKeyValueStorage
from infinitic_common.configuration import CacheConfiguration
from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.storage import ABSENT, KeyValueStorage, VersionedValue, Write
from infinitic_common.testing.storage import KeyValueStorageContract


class TestCachedKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self) -> KeyValueStorage:
        return CachedKeyValueStorage(Store())


class TestCachedKeyValueStorageOfWhatNeverChanges(KeyValueStorageContract):
    @pytest.fixture
    def storage(self) -> KeyValueStorage:
        return CachedKeyValueStorage(Store(), never_changes=lambda key: key.startswith("segment"))


class Timer:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


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


async def test_cache_02_unknown_known_deleted_updated_and_added_keys(
    store: Store, cache: CachedKeyValueStorage
) -> None:
    await store.put({"known": Write(b"1", 0), "deleted": Write(b"1", 0), "updated": Write(b"1", 0)})
    assert await cache.get(["unknown", "known"]) == {
        "unknown": ABSENT,
        "known": VersionedValue(b"1", 1),
    }
    writes = {"deleted": Write(None, 1), "updated": Write(b"2", 1), "added": Write(b"1", 0)}
    assert await cache.put(writes) == dict.fromkeys(writes, True)
    expected = {
        "deleted": ABSENT,
        "updated": VersionedValue(b"2", 2),
        "added": VersionedValue(b"1", 1),
    }
    assert await cache.get(writes) == expected
    assert await store.get(writes) == expected


async def test_an_entry_leaves_when_it_is_not_used_for_long(store: Store) -> None:
    timer = Timer()
    options = CacheConfiguration(expire_after_access_seconds=10, expire_after_write_seconds=25)
    cache = CachedKeyValueStorage(store, options, timer=timer)
    await cache.put({"used": Write(b"1", 0), "unused": Write(b"1", 0)})
    for timer.now in (8.0, 16.0):
        await cache.get(["used"])
    await cache.get(["used", "unused"])
    assert store.asked == ["unused"]


async def test_an_entry_leaves_some_time_after_it_was_written_though_it_is_used(
    store: Store,
) -> None:
    timer = Timer()
    options = CacheConfiguration(expire_after_access_seconds=10, expire_after_write_seconds=25)
    cache = CachedKeyValueStorage(store, options, timer=timer)
    await cache.put({"a": Write(b"1", 0)})
    for timer.now in (8.0, 16.0, 24.0):
        await cache.get(["a"])
    assert store.asked == []
    timer.now = 25.0
    await cache.get(["a"])
    assert store.asked == ["a"]


async def test_what_is_used_stays_when_there_are_too_many(store: Store) -> None:
    cache = CachedKeyValueStorage(store, CacheConfiguration(maximum_size=2))
    await cache.put({"a": Write(b"1", 0), "b": Write(b"1", 0)})
    await cache.get(["a"])
    await cache.put({"c": Write(b"1", 0)})
    await cache.get("abc")
    assert store.asked == ["b"]


async def test_what_never_changes_is_kept_once_read_and_nothing_else(store: Store) -> None:
    cache = CachedKeyValueStorage(store, never_changes=lambda key: key.startswith("segment"))
    await store.put({"segment.1": Write(b"1", 0), "head": Write(b"1", 0)})
    await cache.put({"segment.2": Write(b"2", 0), "head": Write(b"2", 1)})
    keys = ["segment.1", "segment.2", "head", "segment.unknown"]
    first = await cache.get(keys)
    store.asked.clear()
    await store.put({"head": Write(b"of another process", 2)})
    second = await cache.get(keys)
    assert store.asked == ["head", "segment.unknown"]
    assert second == {**first, "head": VersionedValue(b"of another process", 3)}


async def test_what_never_changes_is_forgotten_when_it_is_deleted(store: Store) -> None:
    cache = CachedKeyValueStorage(store, never_changes=lambda _: True)
    await cache.put({"segment": Write(b"1", 0)})
    await cache.delete(["segment"])
    assert await cache.get(["segment"]) == {"segment": ABSENT}
