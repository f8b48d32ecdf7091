"""Records that this process wrote lately, kept in its memory in front of their store."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager

import attrs
from cachetools import TTLCache

from infinitic_common.configuration import CacheConfiguration
from infinitic_common.storage import KeyValueStorage, VersionedValue, Write


def _system_clock() -> int:
    return time.time_ns() // 1_000_000


@attrs.frozen
class _Entry:
    found: VersionedValue
    expires_at: int | None

    def is_expired(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class CachedKeyValueStorage:
    """A ``KeyValueStorage`` that reads what it wrote itself from memory.

    Every write goes to the store, which alone judges its version. A write that happened is kept; a
    refused one, one of unknown outcome, or one at the same time as another of its key leaves
    nothing, so that the next read asks the store. Hence where several processes write a key, a read
    may give an older version until the write that follows is refused.

    What was only read is not kept, because a read does not tell when the record expires. For use
    by one event loop.

    Args:
        storage: The store; it is closed with the cache.
        configuration: The most entries, and how long they stay after they were written.
        clock: Milliseconds since the epoch, by which records expire.
    """

    def __init__(
        self,
        storage: KeyValueStorage,
        configuration: CacheConfiguration | None = None,
        clock: Callable[[], int] = _system_clock,
    ) -> None:
        options = configuration or CacheConfiguration()
        self._storage = storage
        self._clock = clock
        self._entries: TTLCache[str, _Entry] = TTLCache(
            options.maximum_size, options.expire_after_write_seconds
        )
        self._writers = Counter[str]()
        self._contested: set[str] = set()

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``; the store is asked only for what is not in memory."""
        cached = self._cached(keys)
        missing = [key for key in keys if key not in cached]
        return {**cached, **(await self._storage.get(missing))} if missing else cached

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        with self._writing(writes):
            written = await self._storage.put(writes)
            for key, write in writes.items():
                if written[key] and write.value is not None and key not in self._contested:
                    found = VersionedValue(write.value, write.expected_version + 1)
                    self._entries[key] = _Entry(found, write.expires_at)
        return written

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        with self._writing(keys):
            await self._storage.delete(keys)

    async def close(self) -> None:
        """Forget everything and close the store."""
        self._entries.clear()
        await self._storage.close()

    def _cached(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        now = self._clock()
        entries = ((key, self._entries.get(key)) for key in keys)
        return {key: entry.found for key, entry in entries if entry and not entry.is_expired(now)}

    @contextmanager
    def _writing(self, keys: Collection[str]) -> Generator[None]:
        """Forget the keys; those that two write at once stay forgotten."""
        names = set(keys)
        for key in names:
            self._entries.pop(key, None)
        self._contested |= names & self._writers.keys()
        self._writers.update(names)
        try:
            yield
        finally:
            self._writers -= Counter(names)
            self._contested &= self._writers.keys()
