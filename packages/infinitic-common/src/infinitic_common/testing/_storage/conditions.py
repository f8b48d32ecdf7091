# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Writes conditional on the version, one after the other."""

import pytest

from infinitic_common.storage import ABSENT, KeyValueStorage, VersionedValue, Write
from infinitic_common.testing._storage.samples import seed


class ConditionsSuite:
    """A write happens where the version is the expected one, and nowhere else."""

    async def test_storage_04_an_insert_of_a_new_key_gives_version_1(
        self, storage: KeyValueStorage
    ) -> None:
        assert await storage.put({"new": Write(b"value", 0)}) == {"new": True}
        assert await storage.get(["new"]) == {"new": VersionedValue(b"value", 1)}

    async def test_an_insert_of_an_existing_key_does_nothing(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        assert await storage.put({"foo": Write(b"other", 0)}) == {"foo": False}
        assert await storage.get(["foo"]) == {"foo": VersionedValue(b"bar", 1)}

    async def test_storage_06_each_update_with_the_current_version_adds_1(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        for version in (1, 2, 3):
            value = b"value %d" % version
            assert await storage.put({"foo": Write(value, version)}) == {"foo": True}
            assert await storage.get(["foo"]) == {"foo": VersionedValue(value, version + 1)}

    async def test_storage_07_a_deletion_with_the_current_version_removes(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        assert await storage.put({"foo": Write(None, 1)}) == {"foo": True}
        assert await storage.get(["foo"]) == {"foo": VersionedValue(None, 0)}

    async def test_storage_07_a_deletion_with_version_0_of_a_present_key_is_refused(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        assert await storage.put({"foo": Write(None, 0)}) == {"foo": False}
        assert await storage.get(["foo"]) == {"foo": VersionedValue(b"bar", 1)}

    async def test_a_deletion_with_version_0_of_an_absent_key_succeeds_and_does_nothing(
        self, storage: KeyValueStorage
    ) -> None:
        assert await storage.put({"unknown": Write(None, 0)}) == {"unknown": True}
        assert await storage.get(["unknown"]) == {"unknown": ABSENT}

    async def test_storage_11_updates_and_deletions_of_absent_keys_are_refused(
        self, storage: KeyValueStorage
    ) -> None:
        writes = {"a": Write(b"value", 1), "b": Write(None, 1)}
        assert await storage.put(writes) == {"a": False, "b": False}
        assert await storage.get(["a", "b"]) == {"a": ABSENT, "b": ABSENT}

    async def test_a_version_that_no_record_has_is_never_the_expected_one(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        writes = {"foo": Write(b"other", -1), "absent": Write(b"other", -1)}
        assert await storage.put(writes) == {"foo": False, "absent": False}
        assert (await storage.get(["foo"]))["foo"] == VersionedValue(b"bar", 1)

    @pytest.mark.parametrize("count", [5, 12, 50])
    async def test_storage_12_many_inserts_in_one_call(
        self, storage: KeyValueStorage, count: int
    ) -> None:
        writes = {f"key-{i}": Write(b"value %d" % i, 0) for i in range(count)}
        assert await storage.put(writes) == dict.fromkeys(writes, True)
        assert await storage.get(writes) == {
            key: VersionedValue(write.value, 1) for key, write in writes.items()
        }

    async def test_each_key_of_a_mixed_call_has_its_own_result(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage, ("update", "stale update", "delete", "stale delete", "taken", "kept"))
        written = await storage.put(
            {
                "stale update": Write(b"no", 2),
                "update": Write(b"yes", 1),
                "stale delete": Write(None, 7),
                "delete": Write(None, 1),
                "taken": Write(b"no", 0),
                "insert": Write(b"yes", 0),
                "kept": Write(None, 0),
                "nothing": Write(None, 0),
                "gone update": Write(b"no", 3),
                "gone delete": Write(None, 3),
            }
        )
        assert {key for key, done in written.items() if done} == {
            "update",
            "delete",
            "insert",
            "nothing",
        }
        assert len(written) == 10
        untouched = VersionedValue(b"bar", 1)
        assert await storage.get(written) == {
            "stale update": untouched,
            "update": VersionedValue(b"yes", 2),
            "stale delete": untouched,
            "delete": ABSENT,
            "taken": untouched,
            "insert": VersionedValue(b"yes", 1),
            "kept": untouched,
            "nothing": ABSENT,
            "gone update": ABSENT,
            "gone delete": ABSENT,
        }

    async def test_a_key_inserted_again_after_its_deletion_starts_at_version_1(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        await storage.put({"foo": Write(b"second", 1)})
        await storage.put({"foo": Write(None, 2)})
        assert await storage.put({"foo": Write(b"again", 0)}) == {"foo": True}
        assert await storage.get(["foo"]) == {"foo": VersionedValue(b"again", 1)}

    async def test_a_stale_writer_does_not_overwrite(self, storage: KeyValueStorage) -> None:
        await seed(storage)
        await storage.put({"foo": Write(b"second", 1)})
        await storage.put({"foo": Write(b"third", 2)})
        for version in (0, 1, 2, 4):
            assert await storage.put({"foo": Write(b"stale", version)}) == {"foo": False}
            assert await storage.put({"foo": Write(None, version)}) == {"foo": False}
        assert await storage.get(["foo"]) == {"foo": VersionedValue(b"third", 3)}

    async def test_a_stale_writer_does_not_revive_a_deleted_record(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage, ("deleted", "deleted with version"))
        await storage.delete(["deleted"])
        await storage.put({"deleted with version": Write(None, 1)})
        writes = {"deleted": Write(b"stale", 1), "deleted with version": Write(b"stale", 1)}
        assert await storage.put(writes) == dict.fromkeys(writes, False)
        assert await storage.get(writes) == dict.fromkeys(writes, ABSENT)
