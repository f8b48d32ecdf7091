import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from infinitic_common.exceptions import StorageError
from infinitic_common.storage import ABSENT, Page, VersionedValue, Write
from infinitic_storage import MemoryKeySetStorage, MemoryKeyValueStorage, MemoryStorage


class MovableClock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


async def test_a_record_expires_by_the_given_clock() -> None:
    clock = MovableClock()
    storage = MemoryKeyValueStorage(clock)
    await storage.put({"foo": Write(b"bar", 0, clock.now + 10)})
    clock.now += 9
    assert await storage.get(["foo"]) == {"foo": VersionedValue(b"bar", 1)}
    clock.now += 1
    assert await storage.get(["foo"]) == {"foo": ABSENT}


async def test_writes_purge_expired_records_in_bounded_bites() -> None:
    clock = MovableClock()
    storage = MemoryKeyValueStorage(clock)
    await storage.put({f"{i}": Write(b"", 0, clock.now + 10) for i in range(150)})
    clock.now += 10
    await storage.put({"foo": Write(b"", 0)})
    assert len(storage) == 51
    await storage.put({"foo": Write(b"", 1)})
    assert len(storage) == 1


async def test_the_purge_spares_a_record_that_was_written_again() -> None:
    clock = MovableClock()
    storage = MemoryKeyValueStorage(clock)
    await storage.put(
        {"kept": Write(b"", 0, clock.now + 10), "gone": Write(b"", 0, clock.now + 10)}
    )
    await storage.put({"kept": Write(b"", 1)})
    clock.now += 10
    await storage.put({})
    assert await storage.get(["kept", "gone"]) == {"kept": VersionedValue(b"", 2), "gone": ABSENT}
    assert len(storage) == 1


def test_threads_with_event_loops_of_their_own_lose_no_update() -> None:
    storage = MemoryKeyValueStorage()

    async def increment() -> int:
        done = 0
        for _ in range(200):
            version = (await storage.get(["foo"]))["foo"].version
            done += (await storage.put({"foo": Write(b"bar", version)}))["foo"]
        return done

    with ThreadPoolExecutor(4) as threads:
        successes = [threads.submit(asyncio.run, increment()) for _ in range(4)]
        total = sum(future.result() for future in successes)
    assert asyncio.run(storage.get(["foo"])) == {"foo": VersionedValue(b"bar", total)}


async def test_tags_15_the_cursor_of_a_page_in_memory_is_its_last_value() -> None:
    storage = MemoryKeySetStorage()
    await storage.update({"foo": ["c", "a", "b"]}, {})
    assert await storage.get_page("foo", 2) == Page(("a", "b"), "b")
    assert await storage.get_page("foo", 2, "b") == Page(("c",), None)


async def test_a_set_in_memory_takes_no_value_that_databases_refuse() -> None:
    storage = MemoryKeySetStorage()
    with pytest.raises(StorageError, match=r"the value 'nul .*' of the set 'foo' holds .* NUL"):
        await storage.update({"foo": ["nul \0"]}, {})
    with pytest.raises(StorageError, match="NUL"):
        await storage.update({}, {"foo": ["nul \0"]})


async def test_the_data_of_a_memory_storage_outlives_closing() -> None:
    storage = MemoryStorage()
    await storage.key_values.put({"foo": Write(b"bar", 0)})
    await storage.key_sets.update({"foo": ["bar"]}, {})
    await storage.close()
    assert await storage.key_values.get(["foo"]) == {"foo": VersionedValue(b"bar", 1)}
    assert await storage.key_sets.get(["foo"]) == {"foo": frozenset({"bar"})}
