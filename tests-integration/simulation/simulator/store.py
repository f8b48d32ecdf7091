"""The store, and the port to it of one incarnation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import attrs
from simulation.simulator.process import Process

from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.storage import ABSENT, KeySetStorage, VersionedValue, Write


@attrs.define
class Database:
    """Records by key, with version and expiry; ``observe`` is shown each record written."""

    now: Callable[[], int]
    observe: Callable[[str, bytes], None]
    records: dict[str, tuple[bytes, int, int | None]] = attrs.field(
        factory=dict[str, tuple[bytes, int, "int | None"]]
    )

    def read(self, key: str) -> VersionedValue:
        """A record, absent when it has expired."""
        value, version, expires_at = self.records.get(key, (b"", 0, None))
        if version == 0 or (expires_at is not None and expires_at <= self.now()):
            return ABSENT
        return VersionedValue(value, version)

    def write(self, key: str, write: Write) -> bool:
        """Write one record when its version is the expected one."""
        if self.read(key).version != write.expected_version:
            return False
        if write.value is None:
            self.records.pop(key, None)
        else:
            self.records[key] = (write.value, write.expected_version + 1, write.expires_at)
        return True

    def touch(self, key: str) -> None:
        """What somebody does who writes what was there, one version later."""
        if self.read(key).version:
            value, version, expires_at = self.records[key]
            self.records[key] = (value, version + 1, expires_at)


class SimulatedKeyValues:
    """Key-value storage that may be away, before or after it wrote, and loses races."""

    def __init__(self, process: Process, database: Database) -> None:
        self._process = process
        self._database = database

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        await self._process.boundary("read", [key[-6:] for key in keys])
        await self._process.moment()
        self._may_be_unavailable("reading")
        found = {key: self._database.read(key) for key in keys}
        await self._process.boundary("has read", [str(v.version) for v in found.values()])
        return found

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        versions = [f"{key[-6:]} at {write.expected_version}" for key, write in writes.items()]
        await self._process.boundary("write", versions)
        await self._process.moment()
        self._may_be_unavailable("before writing")
        chaos = self._process.chaos
        for key in writes:
            if chaos.happens(chaos.rates.lost_race):
                self._process.timeline.add("somebody", "WRITES", key[-6:])
                self._database.touch(key)
        written = {key: self._database.write(key, write) for key, write in writes.items()}
        for key, write in writes.items():
            if written[key] and write.value is not None:
                self._database.observe(key, write.value)
        self._may_be_unavailable("after writing")
        await self._process.moment()
        await self._process.boundary("has written", [k[-6:] for k, w in written.items() if w])
        return written

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        await self._process.boundary("delete", [key[-6:] for key in keys])
        for key in keys:
            self._database.records.pop(key, None)

    async def close(self) -> None:
        """See ``KeyValueStorage``."""

    def _may_be_unavailable(self, when: str) -> None:
        chaos = self._process.chaos
        if chaos.happens(chaos.rates.store_unavailable):
            self._process.timeline.add(self._process.name, "STORE UNAVAILABLE", when)
            msg = f"simulated, {when}"
            raise StorageUnavailable(msg)


@attrs.frozen
class SimulatedStorage:
    """The storage of one incarnation; no program here uses sets."""

    key_values: SimulatedKeyValues
    key_sets: KeySetStorage

    async def close(self) -> None:
        """See ``Storage``."""
