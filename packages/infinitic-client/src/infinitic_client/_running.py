"""Where the asynchronous core of a blocking client runs: a loop in a thread of its own, or a given one."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import TypeVar

from infinitic_client._core import refuse_in_workflow
from infinitic_common.exceptions import TransportError, UsageError

T = TypeVar("T")


class LoopRunner:
    """Runs coroutines on an event loop and waits for them, from any other thread.

    Args:
        loop: The loop; None for one in a thread of its own, started when first used.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """Run a coroutine to its end.

        Raises:
            UsageError: The caller is the loop itself, which would wait for itself for ever, or
                the code of a workflow.
            TransportError: The client is closed.
        """
        try:
            self._refuse_own_loop()
            refuse_in_workflow()
            future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        except BaseException:
            coroutine.close()
            raise
        try:
            return future.result()
        except BaseException:
            future.cancel()  # an interrupted wait, as by Ctrl-C, must not go on behind the scenes
            raise

    def stop(self, last: Coroutine[object, object, None]) -> None:
        """Run a last coroutine, and end the thread; twice does nothing."""
        if self._stopped:
            last.close()
            return
        self.run(last)
        self._stopped = True
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _refuse_own_loop(self) -> None:
        if self._loop is not None and self._loop is asyncio._get_running_loop():  # noqa: SLF001 - documented; gives None instead of an error
            msg = "a blocking client would block its own event loop: use AsyncInfiniticClient here"
            raise UsageError(msg)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._stopped:
                msg = "the client is closed: open another one"
                raise TransportError(msg)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run_loop, args=(self._loop,), name="infinitic-client", daemon=True
                )
                self._thread.start()
            return self._loop


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
