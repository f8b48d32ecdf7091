"""Threads that workflow code runs on: each owns the runs that began on it."""

import sys
import threading
import traceback
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from time import monotonic

import attrs

from infinitic_task_executor._workflow.execution import Execution
from infinitic_task_executor._workflow.run import CodeRun
from infinitic_task_executor._workflow.turn import Item, LiveRun, Share, Turn


@attrs.frozen
class Stuck:
    """What a thread that was given up left behind.

    Attributes:
        stack: Where it is, as text.
        item: The task it was at; None when it was throwing runs away.
        turn: The turn that the task is of.
        unbegun: Shares that it had not begun, and the rest of the one it was at (maybe empty).
    """

    stack: str
    item: Item | None
    turn: Turn | None
    unbegun: Sequence[Share]


class WorkflowThread:
    """Works through shares of turns, one task after the other.

    Attributes:
        since: When the task it is at began, on the monotonic clock; None between tasks.
    """

    def __init__(self, name: str, execution: Execution) -> None:
        """Start the thread."""
        self.since: float | None = None
        self._execution = execution
        self._queue: SimpleQueue[Share | Sequence[CodeRun] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._abandoned = False
        self._share: Share | None = None
        self._index = 0
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def begin(self, share: Share) -> None:
        """Have it work on a share, after all it has been given before."""
        self._queue.put(share)

    def throw_away(self, runs: Sequence[CodeRun]) -> None:
        """Have it throw runs away that it owns."""
        if runs:
            self._queue.put(runs)

    def end(self) -> None:
        """Have it end after all it has been given before."""
        self._queue.put(None)

    def give_up(self, timeout: float) -> Stuck | None:
        """Abandon the thread if it has been at one task for too long.

        Nothing that it still does has an effect.

        Args:
            timeout: Seconds that a task may take.
        """
        # Under the lock the thread cannot end its task, and so take none of what is drained.
        with self._lock:
            if self.since is None or monotonic() - self.since < timeout:
                return None
            self._abandoned = True
            share, unbegun = self._share, self._drain()
        stack = self._stack()
        if share is None:
            return Stuck(stack, None, None, unbegun)
        rest = share.items[self._index + 1 :]
        unbegun.insert(0, attrs.evolve(share, items=rest))
        return Stuck(stack, share.items[self._index], share.turn, unbegun)

    def _stack(self) -> str:
        frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented
        return "".join(traceback.format_stack(frames.get(self._thread.ident or 0)))

    def _drain(self) -> list[Share]:
        shares: list[Share] = []
        while True:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return shares
            if isinstance(job, Share):
                shares.append(job)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            if isinstance(job, Share):
                self._run(job)
            else:
                self._throw_away(job)

    def _run(self, share: Share) -> None:
        self._share = share
        for self._index, item in enumerate(share.items):
            self.since = monotonic()
            result, run = self._execution.execute(item.task, item.live)
            if run is not None and not share.keep:
                run.close()
                run = None
            with self._lock:
                if not self._abandoned:
                    share.turn.put(
                        item.place, result, LiveRun(run, self) if run is not None else None
                    )
                    self.since = None
                    continue
            if run is not None:
                run.close()
            return
        self._share = None
        share.turn.share_done()

    def _throw_away(self, runs: Sequence[CodeRun]) -> None:
        self.since = monotonic()
        for run in runs:
            run.close()
        with self._lock:
            self.since = None
