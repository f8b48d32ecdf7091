"""How time passes: really where servers keep it, by a moved clock in memory."""

import asyncio
import threading
import time
from datetime import timedelta
from typing import Protocol

from infinitic_transport import MovableClock, Universe

_LIMIT_SECONDS = 20.0
_POLL_SECONDS = 0.001
_CALM_SECONDS = 0.05


class Time(Protocol):
    """What cases know of time."""

    async def elapse(self, by: timedelta) -> None:
        """Let that much time pass, with all that happens meanwhile."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block a thread of a service for that time."""
        ...


class RealTime:
    """The time of servers."""

    async def elapse(self, by: timedelta) -> None:
        await asyncio.sleep(by.total_seconds())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class MovedTime:
    """Time that stands still for what waits, and jumps from event to event when it elapses."""

    def __init__(self) -> None:
        self._clock = MovableClock()
        self.universe = Universe(self._clock)
        self._sleepers: list[int] = []
        self._moved = threading.Condition()

    def sleep(self, seconds: float) -> None:
        due = self._clock.now() + int(seconds * 1000)
        with self._moved:
            self._sleepers.append(due)
            _ = self._moved.wait_for(lambda: self._clock.now() >= due, _LIMIT_SECONDS)
            self._sleepers.remove(due)

    async def elapse(self, by: timedelta) -> None:
        now = await self._calm()
        end = now + by // timedelta(milliseconds=1)
        while now < end:
            due = min(end, *self._sleepers, self.universe.next_due() or end)
            self._clock.advance(timedelta(milliseconds=max(1, due - now)))
            now = await self._calm()

    async def _calm(self) -> int:
        """The time at which nothing happens any more unless it moves on."""
        async with asyncio.timeout(_LIMIT_SECONDS):
            before, since = self._unsettled(), time.monotonic()
            while before and not self._asleep(since):
                await asyncio.sleep(_POLL_SECONDS)
                if (now := self._unsettled()) != before:
                    before, since = now, time.monotonic()
            return self._clock.now()

    def _unsettled(self) -> int:
        with self._moved:
            self._moved.notify_all()
        return self.universe.unsettled()

    def _asleep(self, since: float) -> bool:
        """Whether the tasks in progress sleep: a batch of tasks is unsettled until its last one."""
        first = min(self._sleepers, default=0)
        return first > self._clock.now() and time.monotonic() - since > _CALM_SECONDS
