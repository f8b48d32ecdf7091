"""Coroutine methods on the event loop; what happens when one lasts too long."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import cast

import attrs

from infinitic_task_executor._service.plans import Limit
from infinitic_task_executor._service.thread_runs import call_back, timed_out
from infinitic_task_executor._service.works import Reports, Work

_LOGGER = logging.getLogger("infinitic.service_executor")
_UNWIND_SECONDS = 1.0
"""How long a cancelled coroutine may take to unwind before its place is given away."""


@attrs.frozen
class _Outcome:
    """How a coroutine of the user ended."""

    value: object = None
    error: BaseException | None = None


class CoroutineRuns:
    """Runs work as tasks of the event loop that is running.

    Args:
        limit: The most at once.
        ended: Told of each work and its reports.
    """

    def __init__(self, limit: int, ended: Callable[[Work, Reports], None]) -> None:
        """Run nothing yet."""
        self._room = asyncio.Semaphore(limit)
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[None]] = set()

    def submit(self, work: Work) -> None:
        """Run a work as soon as there is room."""
        task = self._loop.create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def close(self) -> None:
        """Cancel what runs."""
        for task in self._running:
            task.cancel()

    async def _run(self, work: Work) -> None:
        async with self._room:
            reports = await self._reports(work)
        self._ended(work, reports)

    async def _reports(self, work: Work) -> Reports:
        work.enter()
        try:
            call = cast("Callable[[], Awaitable[object]]", work.prepare())
        except BaseException as error:  # noqa: BLE001 - user code cannot end the worker
            return work.failed(error)
        task = asyncio.current_task()
        try:
            value = await (call() if work.limit is None else self._limited(work, call, work.limit))
        except BaseException as error:
            if _is_ended(task):
                raise
            return work.raised(error)
        return work.returned(value)

    async def _limited(
        self, work: Work, call: Callable[[], Awaitable[object]], limit: Limit
    ) -> object:
        """The value of a call, unless it lasts too long."""
        task = self._loop.create_task(_caught(call))
        try:
            await asyncio.wait({task}, timeout=limit.seconds)
            if not task.done():
                await self._give_up(work, task, limit.grace)
                raise timed_out(work)
            outcome = task.result()
            if outcome.error is not None:
                raise outcome.error
            return outcome.value
        finally:
            task.cancel()

    async def _give_up(self, work: Work, task: asyncio.Task[_Outcome], grace: float) -> None:
        _LOGGER.warning("%s: %s", work.label, timed_out(work))
        call_back(work)
        if grace:
            await asyncio.wait({task}, timeout=grace)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_UNWIND_SECONDS)
        if not task.done():
            _LOGGER.warning("%s goes on although it was cancelled: it is left alone", work.label)


async def _caught(call: Callable[[], Awaitable[object]]) -> _Outcome:
    """How a call ends: an exception that ends programs must not reach the event loop."""
    task = asyncio.current_task()
    try:
        return _Outcome(await call())
    except BaseException as error:
        if _is_ended(task):
            raise
        return _Outcome(error=error)


def _is_ended(task: asyncio.Task[object] | None) -> bool:
    """Whether others end a task, and not the code that it runs: it is cancelled, or thrown away."""
    try:
        return task is None or task.cancelling() > 0 or asyncio.current_task() is not task
    except RuntimeError:  # the loop is closed
        return True
