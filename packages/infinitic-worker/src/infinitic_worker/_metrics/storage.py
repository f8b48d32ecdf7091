"""Storages that measure what goes through them, below a cache and above it."""

import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar

import attrs

from infinitic_common.storage import (
    KeySetStorage,
    KeyValueStorage,
    Page,
    Storage,
    VersionedValue,
    Write,
)
from infinitic_worker._metrics.instruments import Instruments

_STATE = "workflow.state."
"""How the keys of the records of workflows begin."""


@attrs.define
class _Missed:
    """Records that a cache had to ask for."""

    count: int = 0


_missed: ContextVar[_Missed | None] = ContextVar("infinitic_missed", default=None)


@attrs.frozen
class _Meter:
    """Round trips to one storage."""

    instruments: Instruments
    kind: str

    @asynccontextmanager
    async def trip(self, operation: str) -> AsyncGenerator[None, None]:
        """Measure one; one that fails counts, too."""
        began = time.perf_counter()
        try:
            yield
        finally:
            labels = self.instruments.labels(storage=self.kind, operation=operation)
            self.instruments.storage_duration.record(time.perf_counter() - began, labels)


class MeteredStorage:
    """A storage as it is, with its round trips measured; see ``Storage``.

    Args:
        storage: The storage.
        instruments: Are told.
        kind: What it is, as ``postgres``.
    """

    def __init__(self, storage: Storage, instruments: Instruments, kind: str) -> None:
        meter = _Meter(instruments, kind)
        self._storage = storage
        self.key_values: KeyValueStorage = _KeyValues(storage, meter)
        self.key_sets: KeySetStorage = _KeySets(storage, meter)

    async def close(self) -> None:
        """See ``Storage``."""
        await self._storage.close()


@attrs.frozen
class _KeyValues:
    storage: Storage
    meter: _Meter

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        missed = _missed.get()
        if missed is not None:
            missed.count += len(keys)
        async with self.meter.trip("get"):
            return await self.storage.key_values.get(keys)

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        async with self.meter.trip("put"):
            written = await self.storage.key_values.put(writes)
        instruments = self.meter.instruments
        for key, write in writes.items():
            if key.startswith(_STATE):
                if not written[key]:
                    instruments.conflicts.add(1, instruments.worker)
                elif write.value is not None:
                    instruments.state_size.record(len(write.value), instruments.worker)
        return written

    async def delete(self, keys: Collection[str]) -> None:
        async with self.meter.trip("delete"):
            await self.storage.key_values.delete(keys)

    async def close(self) -> None:
        await self.storage.key_values.close()


@attrs.frozen
class _KeySets:
    storage: Storage
    meter: _Meter

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        async with self.meter.trip("get_sets"):
            return await self.storage.key_sets.get(keys)

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        async with self.meter.trip("get_page"):
            return await self.storage.key_sets.get_page(key, limit, cursor)

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        async with self.meter.trip("update_sets"):
            await self.storage.key_sets.update(add, remove)

    async def close(self) -> None:
        await self.storage.key_sets.close()


@attrs.frozen
class MeteredCache:
    """A storage with a cache in front, which stands itself before a ``MeteredStorage``."""

    storage: Storage
    instruments: Instruments

    @property
    def key_values(self) -> KeyValueStorage:
        """See ``Storage``."""
        return _CachedKeyValues(self.storage.key_values, self.instruments)

    @property
    def key_sets(self) -> KeySetStorage:
        """See ``Storage``: sets are not cached."""
        return self.storage.key_sets

    async def close(self) -> None:
        """See ``Storage``."""
        await self.storage.close()


@attrs.frozen
class _CachedKeyValues:
    records: KeyValueStorage
    instruments: Instruments

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        missed = _Missed()
        token = _missed.set(missed)
        try:
            return await self.records.get(keys)
        finally:
            _missed.reset(token)
            count_reads(self.instruments, "storage", len(keys) - missed.count, missed.count)

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        return await self.records.put(writes)

    async def delete(self, keys: Collection[str]) -> None:
        await self.records.delete(keys)

    async def close(self) -> None:
        await self.records.close()


def count_reads(instruments: Instruments, cache: str, hits: int, misses: int) -> None:
    """Records were asked from a cache."""
    for result, count in (("hit", hits), ("miss", misses)):
        if count > 0:
            instruments.cache_reads.add(count, instruments.labels(cache=cache, result=result))
