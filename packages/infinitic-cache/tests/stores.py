# ruff: noqa: D102, D103, INP001, PLR2004 -- tests import it by its name
"""The least of a store that keeps the ports' promises."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence

from infinitic_common.exceptions import StorageError
from infinitic_common.storage import ABSENT, Page, VersionedValue, Write


def check(keys: Collection[str]) -> None:
    for key in keys:
        if len(key) > 255:
            raise StorageError(key)


class Store:
    """The smallest store that keeps the port's promises; it counts what is asked of it."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[VersionedValue, int | None]] = {}
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self.gate: asyncio.Barrier | None = None
        self.is_closed = False

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        check(keys)
        self.asked += keys
        return {key: self.find(key) for key in keys}

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        check(writes)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return {key: self.write(key, write) for key, write in writes.items()}

    async def delete(self, keys: Collection[str]) -> None:
        check(keys)
        for key in keys:
            self.records.pop(key, None)

    async def close(self) -> None:
        self.is_closed = True

    def find(self, key: str) -> VersionedValue:
        found, expires_at = self.records.get(key, (ABSENT, None))
        is_there = expires_at is None or expires_at > time.time_ns() // 1_000_000
        return found if is_there else ABSENT

    def write(self, key: str, write: Write) -> bool:
        if self.find(key).version != write.expected_version:
            return False
        self.records.pop(key, None)
        if write.value is not None:
            found = VersionedValue(write.value, write.expected_version + 1)
            self.records[key] = (found, write.expires_at)
        return True


class SetStore:
    """Sets in memory; it counts what is asked of it."""

    def __init__(self) -> None:
        self.sets: dict[str, set[str]] = {}
        self.asked: list[str] = []

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        check(keys)
        self.asked += keys
        return {key: frozenset(self.sets.get(key, ())) for key in keys}

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        check([key])
        values = sorted(self.sets.get(key, ()))
        rest = [value for value in values if cursor is None or value > cursor]
        given = tuple(rest[:limit])
        return Page(given, given[-1] if len(rest) > limit else None)

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        check([*add, *remove])
        for key, values in remove.items():
            self.sets.setdefault(key, set()).difference_update(values)
        for key, values in add.items():
            self.sets.setdefault(key, set()).update(values)

    async def close(self) -> None:
        pass


class WholeStore:
    """Both stores."""

    def __init__(self) -> None:
        self.key_values = Store()
        self.key_sets = SetStore()

    async def close(self) -> None:
        await self.key_values.close()
