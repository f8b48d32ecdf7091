"""Several copies of a worker process; one that dies is started again."""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

import attrs

from infinitic_worker._signals import on_signals

_LOGGER = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


@attrs.frozen
class BackOff:
    """When a copy that died is started again.

    Attributes:
        first_seconds: The pause after a death; it doubles with each further one.
        longest_seconds: The longest pause.
        healthy_seconds: A copy that lived that long begins again with the first pause.
    """

    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    healthy_seconds: float = 60.0

    def pause(self, deaths: int) -> float:
        """The pause after so many deaths in a row, in seconds."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(deaths - 1, 30))


class Copies:
    """Processes of one command, kept running until asked to stop.

    Args:
        command: The command of each copy, by its number from 1.
        back_off: When one that died is started again.
    """

    def __init__(
        self, command: Callable[[int], Sequence[str]], back_off: BackOff | None = None
    ) -> None:
        self._command = command
        self._back_off = back_off or BackOff()
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._status = 0

    async def run(self, number: int) -> int:
        """Keep so many copies running until SIGTERM or SIGINT, which are passed on as SIGTERM.

        A second signal kills them. Returns 0 when every copy ended as asked, else 1.
        """
        with on_signals(self.stop):
            async with asyncio.TaskGroup() as keepers:
                for copy in range(1, number + 1):
                    keepers.create_task(self._keep(copy))
        return self._status

    def stop(self) -> None:
        """Ask every copy to stop; the second time, kill them."""
        again = self._stopping.is_set()
        self._stopping.set()
        for process in self._running.values():
            _send(process, signal.SIGKILL if again else signal.SIGTERM)

    async def _keep(self, copy: int) -> None:
        deaths = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            process = await self._start(copy)
            status = await process.wait()
            del self._running[copy]
            if self._stopping.is_set():
                # A copy that still imports dies of the SIGTERM that it was sent.
                self._status |= int(status not in (0, -signal.SIGTERM))
                return
            lived = time.monotonic() - began
            deaths = 1 if lived >= self._back_off.healthy_seconds else deaths + 1
            await self._pause(copy, process.pid, status, self._back_off.pause(deaths))

    async def _start(self, copy: int) -> asyncio.subprocess.Process:
        # In a session of its own a copy does not also get the Ctrl-C that is meant for all.
        process = await asyncio.create_subprocess_exec(*self._command(copy), start_new_session=True)
        self._running[copy] = process
        if self._stopping.is_set():  # asked for while it was being started
            _send(process, signal.SIGTERM)
        return process

    async def _pause(self, copy: int, pid: int, status: int, seconds: float) -> None:
        _LOGGER.error(
            "worker process %d (pid %d) ended with %s: it is started again in %.1f s",
            copy,
            pid,
            _told(status),
            seconds,
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def die_with(parent: int) -> None:
    """Have this process end when its parent does, in whatever way that ends.

    On Linux the kernel kills it at once; messages in flight are delivered again. Elsewhere nothing
    is done.

    Args:
        parent: Process id of the parent, which may have ended already.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # a libc without it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _told(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"
