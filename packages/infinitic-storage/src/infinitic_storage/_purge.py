"""Removal of expired records, in the background of normal use."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from infinitic_common.exceptions import InfiniticError

BITE = 500
"""Most records removed at once."""

_INTERVAL = 10.0

_logger = logging.getLogger(__name__)


class Purge:
    """Runs one bite at a time: the next after 10 seconds, or at once where more may be left.

    Args:
        bite: Removes at most so many expired records, and returns how many.
    """

    def __init__(self, bite: Callable[[int], Awaitable[int]]) -> None:
        self._bite = bite
        self._due = 0.0
        self._task: asyncio.Task[None] | None = None

    def start_if_due(self) -> None:
        """Start a bite in the background, when it is time and none is under way."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._due:
            return
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run(loop))

    async def close(self) -> None:
        """Stop what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        removed = 0
        try:
            removed = await self._bite(BITE)
        except InfiniticError as error:
            # Whoever uses the store meets the same error, and needs the answer more.
            _logger.debug("Expired records are purged later: %s", error)
        finally:
            self._due = 0.0 if removed == BITE else loop.time() + _INTERVAL
