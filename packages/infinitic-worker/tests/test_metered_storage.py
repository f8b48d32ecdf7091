"""What is measured of storages and caches."""

from collections.abc import Collection, Mapping

import attrs
from telemetry_doubles import Measured

from infinitic_common.storage import (
    ABSENT,
    KeySetStorage,
    KeyValueStorage,
    VersionedValue,
    Write,
)
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._metrics.storage import MeteredCache, MeteredStorage


@attrs.define(eq=False)
class Records:
    """Refuses to write the keys that it is told to; is a storage, too."""

    refused: Collection[str] = ()

    @property
    def key_values(self) -> KeyValueStorage:
        return self

    @property
    def key_sets(self) -> KeySetStorage:
        raise NotImplementedError

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        return dict.fromkeys(keys, ABSENT)

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        return {key: key not in self.refused for key in writes}

    async def delete(self, keys: Collection[str]) -> None:
        pass

    async def close(self) -> None:
        pass


class HalfCache(Records):
    """Knows one key of those asked for."""

    def __init__(self, behind: KeyValueStorage) -> None:
        super().__init__()
        self._behind = behind

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        first, *others = keys
        return {first: ABSENT, **await self._behind.get(others)}


async def test_states_are_measured_as_written_and_lost_races_are_counted(
    measured: Measured, instruments: Instruments
) -> None:
    storage = MeteredStorage(Records(["workflow.state.2"]), instruments, "probe")
    written = await storage.key_values.put(
        {
            "workflow.state.1": Write(b"x" * 100, 0),
            "workflow.state.2": Write(b"x", 0),
            "workflow.segment.1": Write(b"x", 0),
        }
    )
    assert written["workflow.state.2"] is False
    assert measured.points("infinitic.workflow.state.size") == [({"worker_name": "w"}, 1)]
    assert measured.points("infinitic.storage.version_conflicts") == [({"worker_name": "w"}, 1)]
    assert measured.value("infinitic.storage.operation.duration", operation="put") == 1


async def test_what_a_cache_knows_is_a_hit_what_it_asks_for_is_a_miss(
    measured: Measured, instruments: Instruments
) -> None:
    behind = MeteredStorage(Records(), instruments, "probe")
    cache = MeteredCache(HalfCache(behind.key_values), instruments)
    await cache.key_values.get(["a", "b", "c"])
    assert measured.value("infinitic.cache.reads", cache="storage", result="hit") == 1
    assert measured.value("infinitic.cache.reads", cache="storage", result="miss") == 2
