"""Notices what lasts too long on threads."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Generic, TypeVar

J = TypeVar("J")


class Overtime(Generic[J]):
    """Watches jobs on threads from the event loop that is running.

    A job ends either in time or as expired, never as both: whoever takes it out of the table
    first has decided, and a table lets only one.

    Args:
        expired: Told, on the event loop, of a job whose time is over.
    """

    def __init__(self, expired: Callable[[J], None]) -> None:
        """Watch nothing yet."""
        self._expired = expired
        self._loop = asyncio.get_running_loop()
        self._deadlines: dict[J, float] = {}
        self._next_look = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, job: J, seconds: float) -> None:
        """Watch a job; from its thread."""
        deadline = monotonic() + seconds
        self._deadlines[job] = deadline
        if deadline < self._next_look:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._look)

    def end(self, job: J) -> bool:
        """Forget a job, from its thread; answers whether it ended in time."""
        return self._deadlines.pop(job, None) is not None

    def close(self) -> None:
        """Look no more."""
        self._deadlines.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Before looking: a job that begins from here on is seen, or has this called again.
        self._next_look = math.inf
        now = monotonic()
        deadlines = list(self._deadlines.items())
        for job, deadline in deadlines:
            if deadline <= now and self._deadlines.pop(job, None) is not None:
                self._expired(job)
        self._next_look = min((d for _, d in deadlines if d > now), default=math.inf)
        self._timer = None
        if self._next_look < math.inf:
            self._timer = self._loop.call_later(self._next_look - now, self._look)
