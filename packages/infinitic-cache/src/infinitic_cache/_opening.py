"""The cache of a worker, opened by the entry point ``infinitic.caches``."""

import attrs

from infinitic_cache._key_values import CachedKeyValueStorage
from infinitic_common.configuration import CacheConfiguration
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Storage

_SEGMENTS = "workflow.segment."
"""How the keys of sealed pieces of histories start, which name their content by its hash."""


def open_memory_cache(storage: Storage, configuration: CacheConfiguration) -> Storage:
    """A storage that keeps in memory what no other process can change; closed with ``storage``.

    Args:
        storage: What it is in front of.
        configuration: The most records, and how long they stay.
    """
    records = CachedKeyValueStorage(storage.key_values, configuration, never_changes=_is_segment)
    return _CachedStorage(storage, records)


@attrs.frozen
class _CachedStorage:
    inner: Storage
    key_values: KeyValueStorage

    @property
    def key_sets(self) -> KeySetStorage:
        # A set has no version that could judge: another process may have changed it.
        return self.inner.key_sets

    async def close(self) -> None:
        await self.key_values.close()
        await self.inner.close()


def _is_segment(key: str) -> bool:
    return key.startswith(_SEGMENTS)
