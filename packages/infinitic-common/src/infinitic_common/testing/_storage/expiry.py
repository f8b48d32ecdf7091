# ruff: noqa: S101 -- a test's name says what it shows
"""Records that expire."""

import asyncio
import time

from infinitic_common.storage import ABSENT, KeyValueStorage, VersionedValue, Write

HOUR = 3_600_000


class ExpirySuite:
    """A record past its expiry is absent, for readers and for writers."""

    @staticmethod
    def now() -> int:
        """The store's clock, in milliseconds since the epoch; override for another clock."""
        return time.time_ns() // 1_000_000

    @staticmethod
    async def until_absent(storage: KeyValueStorage, key: str) -> None:
        """Wait until the key has expired; override for a clock that tests move."""
        async with asyncio.timeout(10):
            while (await storage.get([key]))[key] != ABSENT:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.01)

    async def test_a_record_is_there_until_it_expires(self, storage: KeyValueStorage) -> None:
        await storage.put({"later": Write(b"value", 0, self.now() + HOUR)})
        await storage.put({"soon": Write(b"value", 0, self.now() + 50)})
        await self.until_absent(storage, "soon")
        assert await storage.get(["later", "soon"]) == {
            "later": VersionedValue(b"value", 1),
            "soon": ABSENT,
        }

    async def test_an_expired_record_reads_as_absent(self, storage: KeyValueStorage) -> None:
        written = await storage.put({"old": Write(b"value", 0, self.now() - HOUR)})
        assert written == {"old": True}
        assert await storage.get(["old"]) == {"old": ABSENT}

    async def test_an_insert_over_an_expired_record_gives_version_1(
        self, storage: KeyValueStorage
    ) -> None:
        await storage.put({"old": Write(b"first", 0)})
        await storage.put({"old": Write(b"second", 1, self.now() - HOUR)})
        assert await storage.put({"old": Write(b"third", 0)}) == {"old": True}
        assert await storage.get(["old"]) == {"old": VersionedValue(b"third", 1)}

    async def test_a_stale_writer_does_not_update_an_expired_record(
        self, storage: KeyValueStorage
    ) -> None:
        keys = ("updated", "deleted")
        await storage.put({key: Write(b"value", 0, self.now() - HOUR) for key in keys})
        writes = {"updated": Write(b"stale", 1), "deleted": Write(None, 1)}
        assert await storage.put(writes) == {"updated": False, "deleted": False}
        assert await storage.get(keys) == {"updated": ABSENT, "deleted": ABSENT}

    async def test_a_deletion_with_version_0_of_an_expired_record_succeeds(
        self, storage: KeyValueStorage
    ) -> None:
        await storage.put({"old": Write(b"value", 0, self.now() - HOUR)})
        assert await storage.put({"old": Write(None, 0)}) == {"old": True}
        assert await storage.get(["old"]) == {"old": ABSENT}

    async def test_a_write_without_expiry_keeps_the_record_for_ever(
        self, storage: KeyValueStorage
    ) -> None:
        expiry = self.now() + 100
        keys = ("kept", "postponed", "sentinel")
        await storage.put({key: Write(b"first", 0, expiry) for key in keys})
        await storage.put(
            {"kept": Write(b"second", 1), "postponed": Write(b"second", 1, expiry + HOUR)}
        )
        await self.until_absent(storage, "sentinel")
        assert await storage.get(keys) == {
            "kept": VersionedValue(b"second", 2),
            "postponed": VersionedValue(b"second", 2),
            "sentinel": ABSENT,
        }

    async def test_an_insert_over_an_expired_record_has_an_expiry_of_its_own(
        self, storage: KeyValueStorage
    ) -> None:
        await storage.put({"old": Write(b"value", 0, self.now() - HOUR)})
        await storage.put({"old": Write(b"value", 0, self.now() - HOUR)})
        assert await storage.get(["old"]) == {"old": ABSENT}

    async def test_an_update_may_give_an_expiry_to_a_record_without(
        self, storage: KeyValueStorage
    ) -> None:
        await storage.put({"foo": Write(b"value", 0)})
        await storage.put({"foo": Write(b"last", 1, self.now() - 1)})
        assert await storage.get(["foo"]) == {"foo": ABSENT}

    async def test_an_expiry_in_a_far_future_is_one(self, storage: KeyValueStorage) -> None:
        await storage.put({"foo": Write(b"value", 0, 2**62)})
        assert await storage.get(["foo"]) == {"foo": VersionedValue(b"value", 1)}

    async def test_expired_and_live_records_in_one_call(self, storage: KeyValueStorage) -> None:
        past = self.now() - HOUR
        await storage.put({"old": Write(b"x", 0, past), "live": Write(b"x", 0)})
        written = await storage.put(
            {"old": Write(b"y", 0), "live": Write(b"y", 0), "new": Write(b"y", 0, past)}
        )
        assert written == {"old": True, "live": False, "new": True}
        assert await storage.get(["old", "live", "new"]) == {
            "old": VersionedValue(b"y", 1),
            "live": VersionedValue(b"x", 1),
            "new": ABSENT,
        }
