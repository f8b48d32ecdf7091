"""Records kept in the memory of the process, in front of their store."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager

import attrs

from infinitic_cache._entries import Entries
from infinitic_common.configuration import CacheConfiguration
from infinitic_common.storage import KeyValueStorage, VersionedValue, Write


def _system_clock() -> int:
    return time.time_ns() // 1_000_000


def _nothing(_key: str) -> bool:
    return False


@attrs.frozen
class _Record:
    found: VersionedValue
    expires_at: int | None

    def is_expired(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class CachedKeyValueStorage:
    """A ``KeyValueStorage`` that reads from memory what it may.

    Every write goes to the store, which alone judges its version. A write that happened is kept; a
    refused one, one of unknown outcome, or one at the same time as another of its key leaves
    nothing, so that the next read asks the store.

    Where several processes write a key, what this one wrote may be outdated, and nobody notices
    before a write that follows is refused; a decision not to write is never judged. So in front of
    a store that several processes use, name what never changes, and only that is kept. For use by
    one event loop.

    Args:
        storage: The store; it is closed with the cache.
        configuration: The most records, and how long they stay.
        never_changes: Tells which keys have the same value for ever once they have one, and no
            expiry; what is read of them is kept too, and nothing else is. Without it, all that
            this process writes is kept.
        clock: Milliseconds since the epoch, by which records expire.
        timer: Seconds since any moment, by which the cache forgets.
    """

    def __init__(
        self,
        storage: KeyValueStorage,
        configuration: CacheConfiguration | None = None,
        *,
        never_changes: Callable[[str], bool] | None = None,
        clock: Callable[[], int] = _system_clock,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._keeps_all = never_changes is None
        self._never_changes = never_changes or _nothing
        self._clock = clock
        self._records = Entries[_Record](configuration or CacheConfiguration(), timer)
        self._writers = Counter[str]()
        self._contested: set[str] = set()

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``; the store is asked only for what is not in memory."""
        cached = self._cached(keys)
        missing = [key for key in keys if key not in cached]
        if not missing:
            return cached
        found = await self._storage.get(missing)
        for key, one in found.items():
            if one.value is not None and self._never_changes(key):
                self._records.put(key, _Record(one, None))
        return {**cached, **found}

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        with self._writing(writes):
            written = await self._storage.put(writes)
            for key, write in writes.items():
                if written[key] and key not in self._contested:
                    self._keep(key, write)
        return written

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        with self._writing(keys):
            await self._storage.delete(keys)

    async def close(self) -> None:
        """Forget everything and close the store."""
        self._records.clear()
        await self._storage.close()

    def _cached(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        now = self._clock()
        records = ((key, self._records.get(key)) for key in keys)
        return {key: one.found for key, one in records if one and not one.is_expired(now)}

    def _keep(self, key: str, write: Write) -> None:
        if write.value is not None and (self._keeps_all or self._never_changes(key)):
            found = VersionedValue(write.value, write.expected_version + 1)
            self._records.put(key, _Record(found, write.expires_at))

    @contextmanager
    def _writing(self, keys: Collection[str]) -> Generator[None]:
        """Forget the keys; those that two write at once stay forgotten."""
        names = set(keys)
        for key in names:
            self._records.drop(key)
        self._contested |= names & self._writers.keys()
        self._writers.update(names)
        try:
            yield
        finally:
            self._writers -= Counter(names)
            self._contested &= self._writers.keys()
