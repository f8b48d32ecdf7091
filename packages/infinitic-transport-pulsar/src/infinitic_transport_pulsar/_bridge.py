"""From threads of the client library to the event loop, with one wake-up per burst."""

import asyncio
from collections import deque
from collections.abc import Callable

Call = Callable[[], None]


class LoopBridge:
    """Has calls made on an event loop, in the order in which they were posted.

    Waking the loop costs a system call: a burst posted before it gets to run wakes it once.

    Args:
        loop: The event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[Call] = deque()
        self._awake = False

    def post(self, call: Call) -> None:
        """Have it called soon; from any thread. Does nothing once the loop is closed."""
        self._calls.append(call)
        if not self._awake:
            self._awake = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # The loop is closed: nobody waits any more.
                self._calls.clear()

    def _drain(self) -> None:
        # Cleared first: what is posted from here on either is seen below or wakes the loop again.
        self._awake = False
        calls = self._calls
        while calls:
            calls.popleft()()
