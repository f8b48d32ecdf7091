"""Storage in the memory of the process: the reference of the ports, and for tests."""

import heapq
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock

import attrs

from infinitic_common.storage import ABSENT, Page, VersionedValue, Write
from infinitic_storage._keys import check_keys, check_sets
from infinitic_storage._pair import StoragePair

Clock = Callable[[], int]
"""Gives milliseconds since the epoch."""

_PURGE_BITE = 100


def system_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@attrs.frozen
class _Record:
    found: VersionedValue
    expires_at: int | None

    def is_expired(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class MemoryKeyValueStorage:
    """A ``KeyValueStorage`` in a dictionary, usable from any thread and any event loop."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._records: dict[str, _Record] = {}
        self._expiries: list[tuple[int, str]] = []

    def __len__(self) -> int:
        """Number of records in memory, expired ones not yet purged included."""
        return len(self._records)

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        now = self._clock()
        with self._lock:
            return {key: self._find(key, now) for key in keys}

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        check_keys(writes)
        now = self._clock()
        with self._lock:
            self._purge(now)
            return {key: self._write(key, write, now) for key, write in writes.items()}

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        check_keys(keys)
        with self._lock:
            for key in keys:
                self._records.pop(key, None)

    async def close(self) -> None:
        """Do nothing: the records stay."""

    def _find(self, key: str, now: int) -> VersionedValue:
        record = self._records.get(key)
        return ABSENT if record is None or record.is_expired(now) else record.found

    def _write(self, key: str, write: Write, now: int) -> bool:
        if self._find(key, now).version != write.expected_version:
            return False
        if write.value is None:
            self._records.pop(key, None)
            return True
        found = VersionedValue(write.value, write.expected_version + 1)
        self._records[key] = _Record(found, write.expires_at)
        if write.expires_at is not None:
            heapq.heappush(self._expiries, (write.expires_at, key))
        return True

    def _purge(self, now: int) -> None:
        for _ in range(_PURGE_BITE):
            if not self._expiries or self._expiries[0][0] > now:
                return
            _, key = heapq.heappop(self._expiries)
            # The entry may be of an earlier write: only the record knows.
            record = self._records.get(key)
            if record is not None and record.is_expired(now):
                del self._records[key]


class MemoryKeySetStorage:
    """A ``KeySetStorage`` of sorted lists, usable from any thread and any event loop."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sets: dict[str, list[str]] = {}

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        """See ``KeySetStorage``."""
        check_keys(keys)
        with self._lock:
            return {key: frozenset(self._sets.get(key, ())) for key in keys}

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        """See ``KeySetStorage``; the cursor is the last value given."""
        check_keys((key,))
        with self._lock:
            values = self._sets.get(key, [])
            start = 0 if cursor is None else bisect_right(values, cursor)
            given = tuple(values[start : start + limit])
            is_last = start + limit >= len(values)
        return Page(given, None if is_last else given[-1])

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        """See ``KeySetStorage``."""
        check_sets(add)
        check_sets(remove)
        with self._lock:
            for key, values in remove.items():
                self._remove(key, values)
            for key, values in add.items():
                self._add(key, values)

    async def close(self) -> None:
        """Do nothing: the sets stay."""

    def _remove(self, key: str, values: Sequence[str]) -> None:
        present = self._sets.get(key, [])
        for value in values:
            place = bisect_left(present, value)
            if present[place : place + 1] == [value]:
                del present[place]
        if not present:
            self._sets.pop(key, None)

    def _add(self, key: str, values: Sequence[str]) -> None:
        if not values:
            return
        present = self._sets.setdefault(key, [])
        for value in values:
            place = bisect_left(present, value)
            if present[place : place + 1] != [value]:
                present.insert(place, value)


class MemoryStorage(StoragePair[MemoryKeyValueStorage, MemoryKeySetStorage]):
    """A ``Storage`` in memory; what is in it lives as long as it."""

    def __init__(self, clock: Clock = system_clock) -> None:
        super().__init__(MemoryKeyValueStorage(clock), MemoryKeySetStorage())
