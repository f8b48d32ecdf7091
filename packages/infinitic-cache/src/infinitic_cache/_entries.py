"""The entries of a cache: so many at most, each for a while after its writing and its last use."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs
from cachetools import TTLCache

from infinitic_common.configuration import CacheConfiguration

V = TypeVar("V")


@attrs.frozen
class _Entry(Generic[V]):
    value: V
    written_at: float


class Entries(Generic[V]):
    """Values by key; the one unused for longest leaves when there are too many.

    Args:
        configuration: How many there are at most, and how long they stay.
        timer: Seconds since any moment, never going back.
    """

    def __init__(
        self, configuration: CacheConfiguration, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._timer = timer
        self._lifetime = configuration.expire_after_write_seconds
        idle = min(configuration.expire_after_access_seconds, self._lifetime)
        self._entries: TTLCache[str, _Entry[V]] = TTLCache(configuration.maximum_size, idle, timer)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._entries)

    def get(self, key: str) -> V | None:
        """The value of a key, which is used by this; None when there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._timer() - entry.written_at >= self._lifetime:
            self.drop(key)
            return None
        # Put again, its time without use begins anew.
        self._entries[key] = entry
        return entry.value

    def put(self, key: str, value: V) -> None:
        """Keep a value, instead of the one before."""
        self._entries[key] = _Entry(value, self._timer())

    def drop(self, key: str) -> None:
        """Forget a key."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
