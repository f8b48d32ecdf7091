"""Threads that plain methods run on; what they finish in one go wakes the event loop once."""

import threading
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")

_GONE = object()


class TaskThreads(Generic[J, R]):
    """Runs jobs on threads that are started as they are needed.

    Args:
        name: Of the threads.
        limit: The most threads.
        work: What to do with a job; must not raise.
        collect: Told, on the event loop, of a job and its result.
    """

    def __init__(
        self,
        name: str,
        limit: int,
        loop: AbstractEventLoop,
        work: Callable[[J], R],
        collect: Callable[[J, R], None],
    ) -> None:
        """Start no thread yet."""
        self._name = name
        self._limit = limit
        self._loop = loop
        self._work = work
        self._collect = collect
        self._jobs: SimpleQueue[tuple[J] | None] = SimpleQueue()
        self._busy: dict[J, None] = {}
        self._done: deque[tuple[J, R]] = deque()
        self._woken = False
        self._threads = 0
        self._running = 0

    def submit(self, job: J) -> None:
        """Run a job as soon as a thread is free."""
        self._running += 1
        self._start_thread()
        self._jobs.put((job,))

    def replace(self, job: J) -> None:
        """Count no more on the thread of a job; when the job ends its result is dropped."""
        # Whoever takes the job out first, its thread or this, has decided.
        if self._busy.pop(job, _GONE) is not _GONE:
            self._running -= 1
            self._threads -= 1
            self._start_thread()

    def close(self) -> None:
        """Have the threads end when their job does; jobs that have not begun still run."""
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads = 0

    def _start_thread(self) -> None:
        if self._running > self._threads < self._limit:
            self._threads += 1
            threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        busy = self._busy
        while (given := self._jobs.get()) is not None:
            job = given[0]
            busy[job] = None
            result = self._work(job)
            if busy.pop(job, _GONE) is _GONE:
                return
            self._done.append((job, result))
            if not self._woken:
                self._woken = True
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    self._loop.call_soon_threadsafe(self._gather)

    def _gather(self) -> None:
        # Cleared before looking: what is appended from here on wakes the loop again.
        self._woken = False
        while self._done:
            job, result = self._done.popleft()
            self._running -= 1
            self._collect(job, result)
