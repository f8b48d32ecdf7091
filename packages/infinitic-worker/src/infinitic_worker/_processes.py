"""Several copies of a worker process; one that dies is started again."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import attrs

_LOGGER = logging.getLogger("infinitic.worker.processes")

_POLL_SECONDS = 0.1
_QUICK_DEATH_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


@attrs.define
class _Copy:
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float
    quick_deaths: int = 0
    restart_at: float | None = None


def run_copies(command: Sequence[str], copies: int) -> int:
    """Run so many copies of a command until a signal asks to stop; the exit status.

    A copy that dies is started again; one that dies at once, after a pause that doubles. SIGTERM
    and SIGINT are passed on, and the copies are waited for.
    """
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    running = [_start(command) for _ in range(copies)]
    while not stopping:
        for copy in running:
            _look_after(copy)
        time.sleep(_POLL_SECONDS)
    for copy in running:
        with contextlib.suppress(ProcessLookupError):
            copy.process.send_signal(signal.SIGTERM)
    for copy in running:
        copy.process.wait()
    return 0


def _start(command: Sequence[str]) -> _Copy:
    process = subprocess.Popen(command, preexec_fn=die_with_parent)  # noqa: PLW1509, S603 - no thread runs yet; our own command
    return _Copy(command, process, time.monotonic())


def _look_after(copy: _Copy) -> None:
    now = time.monotonic()
    if copy.restart_at is not None:
        if now >= copy.restart_at:
            fresh = _start(copy.command)
            copy.process, copy.started, copy.restart_at = fresh.process, fresh.started, None
        return
    status = copy.process.poll()
    if status is None:
        return
    quick = now - copy.started < _QUICK_DEATH_SECONDS
    copy.quick_deaths = copy.quick_deaths + 1 if quick else 0
    pause = min(_LONGEST_PAUSE_SECONDS, 0.5 * 2**copy.quick_deaths) if quick else 0.0
    copy.restart_at = now + pause
    _LOGGER.error(
        "worker process %d died with status %d: starts again in %.1f s",
        copy.process.pid,
        status,
        pause,
    )


def die_with_parent() -> None:
    """Have the kernel (Linux) end this process when its parent ends in whatever way."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
