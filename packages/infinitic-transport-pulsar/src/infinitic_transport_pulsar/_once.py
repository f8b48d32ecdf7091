"""Doing a thing once, whoever asks and however many at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")


class Once:
    """Does each of several things once; what fails is done again by the next who asks."""

    def __init__(self) -> None:
        self._done: dict[str, asyncio.Task[object]] = {}

    async def do(self, name: str, action: Callable[[], Awaitable[T]]) -> T:
        """Do it, or wait for it, or answer what it gave before."""
        task = self._done.get(name)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(_call(action))
            task.add_done_callback(_note_failure)
            self._done[name] = task
        # One who gives up must not take it from the others who wait for it.
        return cast("T", await asyncio.shield(task))

    def forget(self, name: str) -> None:
        """Have it done again when next asked for."""
        self._done.pop(name, None)

    async def cancel(self) -> None:
        """Give up what is going on."""
        tasks = [task for task in self._done.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _note_failure(task: asyncio.Task[object]) -> None:
    """Look at the failure, since perhaps nobody waits for it any more."""
    if not task.cancelled():
        task.exception()


async def _call(action: Callable[[], Awaitable[T]]) -> object:
    return await action()
