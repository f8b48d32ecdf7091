"""Blocking calls of the client library, off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from infinitic_transport_pulsar._errors import translated
from infinitic_transport_pulsar._native import PulsarException

T = TypeVar("T")

_THREADS = 8


class Threads:
    """A few threads of its own, so that a broker that does not answer blocks nobody else."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="infinitic-pulsar")

    async def call(self, doing: str, function: Callable[[], T]) -> T:
        """Call it in a thread.

        Args:
            doing: What it does, for messages.
            function: Calls the client library.

        Raises:
            TransportUnavailable: The broker cannot do it now.
            TransportError: It would refuse again.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)
        except PulsarException as error:
            raise translated(type(error).__name__, doing) from error

    def close(self) -> None:
        """Begin nothing any more; do not wait."""
        self._executor.shutdown(wait=False, cancel_futures=True)
