"""The life of a worker on one event loop, steered from any thread."""

import asyncio
import concurrent.futures
import contextlib
import logging

from infinitic_worker._hosting import Hosting
from infinitic_worker._waiting import unless

_LOGGER = logging.getLogger(__name__)


class Life:
    """Starts at once, on the running event loop; goes on until it is asked to end.

    Args:
        hosting: What is started and stopped.
        worker_name: For the log.
        grace_seconds: How long what is in flight may take at the end.
    """

    def __init__(self, hosting: Hosting, worker_name: str, grace_seconds: float) -> None:
        self.hosting = hosting
        self._worker_name = worker_name
        self._grace_seconds = grace_seconds
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._over: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._task = self._loop.create_task(self._live(), name=f"worker {worker_name}")

    @property
    def over(self) -> bool:
        """Whether everything is stopped and released."""
        return self._over.done()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on its event loop."""
        return asyncio._get_running_loop() is self._loop  # noqa: SLF001 - the public one raises

    def end(self, *, at_once: bool = False) -> None:
        """Ask for the end, from any thread; with ``at_once`` nothing in flight is waited for."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed: so is the worker
            self._loop.call_soon_threadsafe(self._asked.set)
            if at_once:
                self._loop.call_soon_threadsafe(self._hurry.set)

    async def until_ready(self) -> None:
        """Wait, on its event loop, until all components receive, or the end is asked for.

        Raises what the start raises; everything is stopped then.
        """
        await asyncio.shield(self._ready)

    async def until_over(self) -> None:
        """Wait for the end, on any event loop."""
        await asyncio.shield(asyncio.wrap_future(self._over))

    def wait_until_over(self) -> None:
        """Wait for the end, on a thread."""
        self._over.result()

    async def _live(self) -> None:
        failure: BaseException | None = None
        try:
            if await unless(self._asked, self.hosting.start()):
                _LOGGER.info("worker %s ready", self._worker_name)
                self._ready.set_result(None)
                await self._asked.wait()
        except asyncio.CancelledError:  # the event loop is torn down
            self._grace_seconds = 0.0
            raise
        except Exception as error:  # noqa: BLE001 - it is raised where the worker was started
            self._grace_seconds = 0.0
            failure = error
        finally:
            await self._end(failure)

    async def _end(self, failure: BaseException | None) -> None:
        try:
            await self.hosting.stop(self._grace_seconds, self._hurry)
            _LOGGER.info("worker %s closed", self._worker_name)
        finally:
            self._over.set_result(None)
            if failure is not None:
                self._ready.set_exception(failure)
                self._ready.exception()  # seen, also when the one who waited for it has gone
            elif not self._ready.done():
                self._ready.set_result(None)
