"""What must be closed before the interpreter ends.

A thread that waits in the client library would come back to an interpreter that is gone, and abort
the process.
"""

import atexit
from collections.abc import Callable
from itertools import count

Close = Callable[[], None]


class AtExit:
    """Closes what nobody closed, the youngest first."""

    def __init__(self) -> None:
        self._open: dict[int, Close] = {}
        self._numbers = count()

    def add(self, close: Close) -> Close:
        """Have it closed at the end, unless what is returned is called before."""
        number = next(self._numbers)
        self._open[number] = close

        def forget() -> None:
            self._open.pop(number, None)

        return forget

    def close_all(self) -> None:
        """Close what is open."""
        while self._open:
            _, close = self._open.popitem()
            close()


AT_EXIT = AtExit()
atexit.register(AT_EXIT.close_all)
