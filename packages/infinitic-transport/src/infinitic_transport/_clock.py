"""What time it is for a broker in memory."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta


class Clock:
    """The time of the machine."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(time.time() * 1000)

    def on_move(self, listener: Callable[[], None]) -> None:
        """Have the listener called, in the mover's thread, whenever the time jumps."""


class MovableClock(Clock):
    """The time of the machine, moved by hand: messages that become due are delivered at once."""

    def __init__(self) -> None:
        self._offset = 0
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def now(self) -> int:
        """Milliseconds since the epoch, plus all that it was moved."""
        return super().now() + self._offset

    def on_move(self, listener: Callable[[], None]) -> None:
        """See ``Clock``."""
        with self._lock:
            self._listeners.append(listener)

    def advance(self, by: timedelta) -> None:
        """Move the time on; may be called from any thread.

        Raises:
            ValueError: The duration is negative.
        """
        if by < timedelta():
            msg = f"a clock cannot be advanced by {by}: time goes forward only"
            raise ValueError(msg)
        with self._lock:
            self._offset += by // timedelta(milliseconds=1)
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
