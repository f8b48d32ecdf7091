"""A bound on what is sent and not yet confirmed."""

import asyncio
from collections import deque


class Window:
    """Admits messages, in the order in which they ask, while few enough are under way.

    Args:
        messages: The most under way at once.
        size: The most bytes of them; a larger single request is admitted alone.
    """

    def __init__(self, messages: int, size: int) -> None:
        self._free_messages = messages
        self._size = size
        self._free_bytes = size
        self._waiting: deque[tuple[asyncio.Future[None], int, int]] = deque()

    async def enter(self, messages: int, size: int) -> None:
        """Wait until there is room, and take it.

        Args:
            messages: How many; no more than the most under way.
            size: How many bytes.
        """
        size = min(size, self._size)
        if not self._waiting and self._fits(messages, size):
            self._take(messages, size)
            return
        admitted = asyncio.get_running_loop().create_future()
        self._waiting.append((admitted, messages, size))
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self.leave(messages, size)
            raise

    def leave(self, messages: int, size: int) -> None:
        """Give room back, with the numbers it was taken with."""
        self._free_messages += messages
        self._free_bytes += min(size, self._size)
        while self._waiting:
            admitted, wanted_messages, wanted_bytes = self._waiting[0]
            if not admitted.done():
                if not self._fits(wanted_messages, wanted_bytes):
                    return
                self._take(wanted_messages, wanted_bytes)
                admitted.set_result(None)
            self._waiting.popleft()

    def _fits(self, messages: int, size: int) -> bool:
        return messages <= self._free_messages and size <= self._free_bytes

    def _take(self, messages: int, size: int) -> None:
        self._free_messages -= messages
        self._free_bytes -= size
