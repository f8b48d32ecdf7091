# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Writes conditional on the version, at the same time."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from infinitic_common.storage import ABSENT, KeyValueStorage, VersionedValue, Write
from infinitic_common.testing._storage.samples import seed, versions


async def increment(
    storage: KeyValueStorage, keys: Sequence[str], rounds: int, writer: int
) -> Counter[tuple[str, bool]]:
    """Read then write the keys, again and again.

    Returns:
        How often a write of each key happened, and how often it was refused.
    """
    results = Counter[tuple[str, bool]]()
    for round_ in range(rounds):
        found = await storage.get(keys)
        await asyncio.sleep(0)  # lets the writers of a store that never waits interleave
        value = b"%d/%d" % (writer, round_)
        written = await storage.put({key: Write(value, found[key].version) for key in keys})
        results.update(written.items())
    return results


class RacesSuite:
    """Of writers that expect the same version one wins, whatever they write."""

    async def test_storage_15_one_of_ten_concurrent_inserts_wins(
        self, storage: KeyValueStorage
    ) -> None:
        writes = [storage.put({"new": Write(b"%d" % i, 0)}) for i in range(10)]
        written = [result["new"] for result in await asyncio.gather(*writes)]
        winner = VersionedValue(b"%d" % written.index(True), 1)
        assert written.count(True) == 1
        assert await storage.get(["new"]) == {"new": winner}

    async def test_storage_16_one_of_ten_concurrent_updates_wins(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        writes = [storage.put({"foo": Write(b"%d" % i, 1)}) for i in range(10)]
        written = [result["foo"] for result in await asyncio.gather(*writes)]
        winner = VersionedValue(b"%d" % written.index(True), 2)
        assert written.count(True) == 1
        assert await storage.get(["foo"]) == {"foo": winner}

    async def test_storage_18_concurrent_updates_deletions_and_inserts_leave_a_consistent_record(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        kinds = (Write(b"updated", 1), Write(None, 1), Write(b"inserted", 0))
        await asyncio.gather(*(storage.put({"foo": kinds[i % 3]}) for i in range(10)))
        found = (await storage.get(["foo"]))["foo"]
        assert (found.value is None) == (found.version == 0)

    async def test_storage_19_a_reader_never_sees_a_value_without_version(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)

        async def read() -> list[VersionedValue]:
            return [(await storage.get(["foo"]))["foo"] for _ in range(100)]

        async def replace(writer: int) -> None:
            for i in range(10):
                version = (await versions(storage, ["foo"]))["foo"]
                value = None if (writer + i) % 3 == 0 else b"%d" % i
                await storage.put({"foo": Write(value, version)})

        readers = [asyncio.create_task(read()) for _ in range(50)]
        await asyncio.gather(*(replace(writer) for writer in range(10)))
        seen = [found for reader in readers for found in await reader]
        assert len(seen) == 5000
        assert [found for found in seen if (found.value is None) != (found.version == 0)] == []

    async def test_storage_22_ten_writers_of_one_key_lose_no_update(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        tasks = (increment(storage, ["foo"], 100, writer) for writer in range(10))
        results = sum(await asyncio.gather(*tasks), Counter[tuple[str, bool]]())
        found = (await storage.get(["foo"]))["foo"]
        assert found.version == 1 + results["foo", True]
        assert results["foo", True] + results["foo", False] == 1000
        assert results["foo", False] > 0
        assert found.value is not None
        assert b"/" in found.value

    async def test_storage_22_twenty_writers_of_five_keys_in_bulk_lose_no_update(
        self, storage: KeyValueStorage
    ) -> None:
        keys = [f"key-{i}" for i in range(5)]
        await seed(storage, keys)
        tasks = (
            increment(storage, keys[writer % 5 :] + keys[: writer % 5], 50, writer)
            for writer in range(20)
        )
        results = sum(await asyncio.gather(*tasks), Counter[tuple[str, bool]]())
        found = await versions(storage, keys)
        assert found == {key: 1 + results[key, True] for key in keys}
        assert all(results[key, False] > 0 for key in keys)

    async def test_one_of_an_update_and_a_deletion_wins_for_each_key_of_a_batch(
        self, storage: KeyValueStorage
    ) -> None:
        keys = [f"key-{i:03}" for i in range(100)]
        await seed(storage, keys)
        updates, deletions, others = await asyncio.gather(
            storage.put({key: Write(b"updated", 1) for key in keys}),
            storage.put({key: Write(None, 1) for key in reversed(keys)}),
            storage.put(
                {k: Write(None if i % 2 else b"updated", 1) for i, k in enumerate(keys[::-1])}
            ),
        )
        found = await storage.get(keys)
        wins = {key: [updates[key], deletions[key], others[key]].count(True) for key in keys}
        assert wins == dict.fromkeys(keys, 1)
        assert all(found[key].value == b"updated" for key in keys if updates[key])
        assert all(found[key] == ABSENT for key in keys if deletions[key])

    async def test_an_update_does_not_revive_what_is_deleted_meanwhile(
        self, storage: KeyValueStorage
    ) -> None:
        keys = [f"key-{i:03}" for i in range(50)]
        await seed(storage, keys)
        await asyncio.gather(
            storage.delete(keys),
            *(storage.put({key: Write(b"late", 1) for key in keys}) for _ in range(4)),
        )
        late = await storage.put({key: Write(b"stale", 1) for key in keys})
        found = await storage.get(keys)
        assert late == dict.fromkeys(keys, False)
        assert set(found.values()) <= {ABSENT}

    async def test_one_of_many_inserts_over_expired_records_wins_for_each_key(
        self, storage: KeyValueStorage
    ) -> None:
        keys = [f"key-{i:02}" for i in range(20)]
        await storage.put({key: Write(b"old", 0, 1) for key in keys})
        inserts = [
            storage.put({key: Write(b"%d" % i, 0) for key in sorted(keys, reverse=bool(i % 2))})
            for i in range(6)
        ]
        results = await asyncio.gather(*inserts)
        assert [[r[key] for r in results].count(True) for key in keys] == [1] * 20
        assert await versions(storage, keys) == dict.fromkeys(keys, 1)
