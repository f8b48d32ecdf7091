"""Tasks wait for others to share a batch with: until it is full, or until the first waited enough."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

K = TypeVar("K")
T = TypeVar("T")


@attrs.define(eq=False)
class _Open(Generic[T]):
    """A batch that is not closed yet."""

    items: list[T]
    timer: asyncio.TimerHandle


class Gatherer(Generic[K, T]):
    """Gathers batches, each of one key, on the event loop that is running.

    Args:
        max_items: A batch with so many is closed at once.
        max_seconds: A batch is closed so long after its first item.
        close: Given each closed batch, in order of their items.
    """

    def __init__(
        self, max_items: int, max_seconds: float, close: Callable[[K, list[T]], None]
    ) -> None:
        """Gather nothing yet."""
        self._max_items = max_items
        self._max_seconds = max_seconds
        self._close = close
        self._open: dict[K, _Open[T]] = {}
        self._hurries = False

    def add(self, key: K, item: T) -> None:
        """Put an item into the batch of its key."""
        batch = self._open.get(key)
        if batch is None:
            seconds = 0.0 if self._hurries else self._max_seconds
            timer = asyncio.get_running_loop().call_later(seconds, self._close_one, key)
            batch = self._open[key] = _Open([], timer)
        batch.items.append(item)
        if len(batch.items) >= self._max_items:
            self._close_one(key)

    def hurry(self) -> None:
        """Close what is open: no more items are expected, and none waits from now on."""
        self._hurries = True
        for key in list(self._open):
            self._close_one(key)

    def _close_one(self, key: K) -> None:
        batch = self._open.pop(key)
        batch.timer.cancel()
        self._close(key, batch.items)
