"""The cache of a worker: never stale, whoever else writes."""

import pytest
from stores import WholeStore

from infinitic_cache import open_memory_cache
from infinitic_common.configuration import (
    CacheConfiguration,
    StorageConfiguration,
    load_configuration,
    string_source,
)
from infinitic_common.storage import ABSENT, KeySetStorage, Storage, VersionedValue, Write
from infinitic_common.testing.storage import KeySetStorageContract

HEAD = "workflow.state.1"
SEGMENT = "workflow.segment.1.ab"
CLAIM = "custom-id|Order|1"


class TestKeySetsBehindACache(KeySetStorageContract):
    @pytest.fixture
    def storage(self) -> KeySetStorage:
        return open_memory_cache(WholeStore(), CacheConfiguration()).key_sets


@pytest.fixture
def store() -> WholeStore:
    return WholeStore()


@pytest.fixture
def cached(store: WholeStore) -> Storage:
    return open_memory_cache(store, CacheConfiguration())


async def test_cache_04_a_value_removed_from_an_unknown_key_present_and_absent(
    cached: Storage,
) -> None:
    await cached.key_sets.update({"foo": ["bar", "baz"]}, {})
    await cached.key_sets.update({}, {"unknown": ["bar"]})
    assert await cached.key_sets.get(["unknown"]) == {"unknown": frozenset()}
    await cached.key_sets.update({}, {"foo": ["bar"]})
    assert await cached.key_sets.get(["foo"]) == {"foo": frozenset({"baz"})}
    await cached.key_sets.update({}, {"foo": ["absent"]})
    assert await cached.key_sets.get(["foo"]) == {"foo": frozenset({"baz"})}


async def test_cache_04_a_set_that_another_worker_changed_is_read_as_it_is(
    store: WholeStore, cached: Storage
) -> None:
    other = open_memory_cache(store, CacheConfiguration())
    await cached.key_sets.update({"foo": ["bar"]}, {})
    await cached.key_sets.get(["foo"])
    await other.key_sets.update({"foo": ["baz"]}, {"foo": ["bar"]})
    assert await cached.key_sets.get(["foo"]) == {"foo": frozenset({"baz"})}


@pytest.mark.parametrize("key", [HEAD, CLAIM, "taskId:1|delegatedTaskData"])
async def test_cache_02_a_record_that_another_worker_changed_is_read_as_it_is(
    store: WholeStore, cached: Storage, key: str
) -> None:
    other = open_memory_cache(store, CacheConfiguration())
    await cached.key_values.put({key: Write(b"1", 0)})
    await other.key_values.put({key: Write(b"2", 1)})
    assert await cached.key_values.get([key]) == {key: VersionedValue(b"2", 2)}
    await other.key_values.delete([key])
    assert await cached.key_values.get([key]) == {key: ABSENT}


async def test_pieces_of_histories_are_read_once(store: WholeStore, cached: Storage) -> None:
    await store.key_values.put({SEGMENT: Write(b"1", 0)})
    await cached.key_values.get([SEGMENT])
    assert await cached.key_values.get([SEGMENT]) == {SEGMENT: VersionedValue(b"1", 1)}
    assert store.key_values.asked == [SEGMENT]


async def test_cache_05_the_cache_has_the_configured_size(store: WholeStore) -> None:
    cached = open_memory_cache(store, CacheConfiguration(maximum_size=1))
    first, second = f"{SEGMENT}1", f"{SEGMENT}2"
    await cached.key_values.put({first: Write(b"1", 0), second: Write(b"1", 0)})
    await cached.key_values.get([second])
    await cached.key_values.get([first])
    assert store.key_values.asked == [first]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("cache: null", None),
        ("cache:", (10_000, 3600.0, 3600.0)),
        ("cache: {}", (10_000, 3600.0, 3600.0)),
        (
            "cache: {maximumSize: 100, expireAfterAccess: 42, expireAfterWrite: 64}",
            (100, 42.0, 64.0),
        ),
    ],
)
def test_cache_05_a_cache_is_there_only_if_written(
    text: str, expected: tuple[int, float, float] | None
) -> None:
    source = string_source(f"inMemory:\n{text}\n")
    cache = load_configuration(StorageConfiguration, source, environ={}).cache
    found = cache and (
        cache.maximum_size,
        cache.expire_after_access_seconds,
        cache.expire_after_write_seconds,
    )
    assert found == expected


async def test_the_storage_is_closed_with_its_cache(store: WholeStore, cached: Storage) -> None:
    await cached.close()
    assert store.key_values.is_closed
