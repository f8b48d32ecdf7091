# ruff: noqa: S101 -- a test's name says what it shows
"""Reading, writing and deleting without rivals."""

import pytest

from infinitic_common.exceptions import StorageError
from infinitic_common.storage import ABSENT, KeyValueStorage, VersionedValue, Write
from infinitic_common.testing._storage.samples import LONGEST_KEYS, ODD_TEXTS, overwrite, seed


class RecordsSuite:
    """What is written is read, for any key and any value."""

    async def test_storage_01_an_unknown_key_is_absent_and_a_known_one_has_its_value(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        assert await storage.get(["unknown"]) == {"unknown": VersionedValue(None, 0)}
        assert await storage.get(["foo"]) == {"foo": VersionedValue(b"bar", 1)}

    async def test_storage_01_a_write_creates_and_replaces(self, storage: KeyValueStorage) -> None:
        await seed(storage)
        assert await overwrite(storage, {"new": b"created"}) == {"new": True}
        assert await overwrite(storage, {"foo": b"replaced"}) == {"foo": True}
        found = await storage.get(["new", "foo"])
        assert found == {
            "new": VersionedValue(b"created", 1),
            "foo": VersionedValue(b"replaced", 2),
        }

    async def test_storage_01_a_deletion_removes_and_does_nothing_to_an_unknown_key(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        await storage.delete(["foo"])
        await storage.delete(["unknown"])
        assert await storage.get(["foo", "unknown"]) == {"foo": ABSENT, "unknown": ABSENT}

    async def test_storage_02_several_keys_are_read_written_and_deleted_at_once(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        written = await overwrite(storage, {"foo": b"1", "new": b"2", "none": None})
        assert written == {"foo": True, "new": True, "none": True}
        assert await storage.get(["foo", "unknown", "new", "none"]) == {
            "foo": VersionedValue(b"1", 2),
            "unknown": ABSENT,
            "new": VersionedValue(b"2", 1),
            "none": ABSENT,
        }
        await storage.delete(["foo", "unknown", "new"])
        assert await storage.get(["foo", "new"]) == {"foo": ABSENT, "new": ABSENT}

    async def test_storage_03_an_absent_key_has_version_0_and_a_new_one_version_1(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        found = await storage.get(["unknown", "foo"])
        assert (found["unknown"].value, found["unknown"].version) == (None, 0)
        assert (found["foo"].value, found["foo"].version) == (b"bar", 1)

    async def test_storage_09_no_key_at_all_gives_an_empty_answer(
        self, storage: KeyValueStorage
    ) -> None:
        assert await storage.get([]) == {}
        assert await storage.put({}) == {}
        await storage.delete([])

    async def test_storage_09_known_created_created_as_none_and_unknown_keys_in_one_read(
        self, storage: KeyValueStorage
    ) -> None:
        await seed(storage)
        await storage.put({"created": Write(b"value", 0), "nothing": Write(None, 0)})
        assert await storage.get(["foo", "created", "nothing", "unknown"]) == {
            "foo": VersionedValue(b"bar", 1),
            "created": VersionedValue(b"value", 1),
            "nothing": ABSENT,
            "unknown": ABSENT,
        }

    async def test_a_key_asked_for_twice_is_answered_once(self, storage: KeyValueStorage) -> None:
        await seed(storage)
        assert await storage.get(["foo", "foo", "no", "no"]) == {
            "foo": VersionedValue(b"bar", 1),
            "no": ABSENT,
        }
        await storage.delete(["foo", "foo"])
        assert await storage.get(["foo"]) == {"foo": ABSENT}

    async def test_an_empty_value_is_not_an_absent_one(self, storage: KeyValueStorage) -> None:
        await storage.put({"empty": Write(b"", 0)})
        assert await storage.get(["empty"]) == {"empty": VersionedValue(b"", 1)}

    async def test_every_byte_comes_back(self, storage: KeyValueStorage) -> None:
        await storage.put({"bytes": Write(bytes(range(256)), 0)})
        assert (await storage.get(["bytes"]))["bytes"].value == bytes(range(256))

    async def test_values_of_one_megabyte_come_back(self, storage: KeyValueStorage) -> None:
        values = {f"large-{i}": bytes([i, 255 - i]) * 524_288 for i in range(3)}
        await storage.put({key: Write(value, 0) for key, value in values.items()})
        await storage.put({"large-0": Write(values["large-1"], 1)})
        found = await storage.get(values)
        assert found["large-0"] == VersionedValue(values["large-1"], 2)
        assert found["large-1"] == VersionedValue(values["large-1"], 1)
        assert found["large-2"] == VersionedValue(values["large-2"], 1)

    async def test_five_hundred_keys_in_one_call(self, storage: KeyValueStorage) -> None:
        keys = [f"key-{i}" for i in range(500)]
        inserted = await storage.put({key: Write(key.encode(), 0) for key in keys})
        updated = await storage.put({key: Write(key.encode() * 2, 1) for key in reversed(keys)})
        found = await storage.get(keys)
        assert inserted == updated == dict.fromkeys(keys, True)
        assert found == {key: VersionedValue(key.encode() * 2, 2) for key in keys}
        await storage.delete(keys)
        assert await storage.get(keys) == dict.fromkeys(keys, ABSENT)

    async def test_odd_keys_are_kept_apart(self, storage: KeyValueStorage) -> None:
        keys = (*ODD_TEXTS, *LONGEST_KEYS)
        written = await storage.put({key: Write(key.encode(), 0) for key in keys})
        assert written == dict.fromkeys(keys, True)
        assert await storage.get(keys) == {key: VersionedValue(key.encode(), 1) for key in keys}
        await storage.delete(keys[:1])
        await storage.put({key: Write(None, 1) for key in keys[1:3]})
        assert await storage.get(keys[:4]) == {
            **dict.fromkeys(keys[:3], ABSENT),
            keys[3]: VersionedValue(keys[3].encode(), 1),
        }

    async def test_a_key_of_256_characters_is_refused_by_name(
        self, storage: KeyValueStorage
    ) -> None:
        key = "k" * 256
        with pytest.raises(StorageError, match="kkk"):
            await storage.put({key: Write(b"value", 0)})
        with pytest.raises(StorageError, match="kkk"):
            await storage.get(["foo", key])
        with pytest.raises(StorageError, match="kkk"):
            await storage.delete([key])

    async def test_closing_twice_does_nothing(self, storage: KeyValueStorage) -> None:
        await storage.close()
        await storage.close()
