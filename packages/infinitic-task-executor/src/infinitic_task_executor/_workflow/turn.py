"""The workflow tasks of one turn of the engine, shared out to threads and gathered again."""

import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import attrs

from infinitic_common.workflow_tasks import WorkflowTask, WorkflowTaskResult
from infinitic_task_executor._workflow.remote_history import Known
from infinitic_task_executor._workflow.run import CodeRun


class RunOwner(Protocol):
    """The thread that runs began on: only there they can go on, or be thrown away."""

    def throw_away(self, runs: Sequence[CodeRun]) -> None:
        """Have it throw runs away."""
        ...


@attrs.frozen(eq=False)
class Item:
    """A task of a turn, at its place, and the live run that may go on with it."""

    place: int
    task: WorkflowTask
    live: CodeRun | None


@attrs.frozen(eq=False)
class Share:
    """What one thread does of a turn.

    Attributes:
        turn: The turn.
        items: The tasks, one after the other.
        keep: Whether runs that are suspended stay alive.
    """

    turn: "Turn"
    items: Sequence[Item]
    keep: bool


@attrs.frozen(eq=False)
class LiveRun:
    """A suspended run, and the thread that owns it.

    Attributes:
        run: The run.
        thread: The thread.
        known: What a run of a remote task knows; None when nobody has noted it.
    """

    run: CodeRun
    thread: RunOwner
    known: Known | None = None


class Turn:
    """Gathers results; wakes the event loop once, when all are there, unless one is awaited alone."""

    def __init__(self, loop: AbstractEventLoop, size: int, shares: int) -> None:
        """Expect ``size`` results from ``shares`` threads."""
        self.results: list[WorkflowTaskResult | None] = [None] * size
        self.lives: list[LiveRun | None] = [None] * size
        self.finished: Future[None] = loop.create_future()
        self._loop = loop
        self._shares = shares
        self._awaited: dict[int, Future[None]] = {}
        self._lock = threading.Lock()

    def put(self, place: int, result: WorkflowTaskResult, live: LiveRun | None) -> None:
        """Note how a task ended, and its run when that is suspended."""
        self.lives[place] = live
        # Last, because the event loop may look before the turn is over.
        self.results[place] = result
        if self._awaited:
            self._wake(place)

    def ended(self, place: int) -> Future[None]:
        """Done once the task at a place has its result; asked once, on the event loop."""
        future: Future[None] = self._loop.create_future()
        self._awaited[place] = future
        if self.results[place] is not None:
            self._wake(place)
        return future

    def _wake(self, place: int) -> None:
        # The event loop and the thread may both be here: whoever takes it out wakes.
        future = self._awaited.pop(place, None)
        if future is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_set, future)

    def share_done(self) -> None:
        """A share is complete; from any thread."""
        with self._lock:
            self._shares -= 1
            if self._shares:
                return
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)
            return
        for live in self.lives:  # nobody waited to the end
            if live is not None:
                live.thread.throw_away((live.run,))


def _set(future: Future[None]) -> None:
    if not future.done():
        future.set_result(None)
