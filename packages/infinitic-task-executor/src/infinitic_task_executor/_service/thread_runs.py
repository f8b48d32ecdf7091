"""Plain methods, each on a thread; what happens when one lasts too long."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from infinitic_common.policies import ExecutionTimedOut
from infinitic_task_executor._service.overtime import Overtime
from infinitic_task_executor._service.threads import TaskThreads
from infinitic_task_executor._service.works import Reports, Work

_LOGGER = logging.getLogger("infinitic.service_executor")


class ThreadRuns:
    """Runs work on threads.

    The time of a work is over once the event loop says so, not earlier: then the work has failed,
    whatever its thread still does. A thread that goes on after the grace period is replaced.

    Args:
        name: Of the threads.
        limit: The most threads that count.
        ended: Told, on the event loop that is running, of each work and its reports.
    """

    def __init__(self, name: str, limit: int, ended: Callable[[Work, Reports], None]) -> None:
        """Start no thread yet."""
        self._name = name
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._overtime = Overtime[Work](self._expired)
        self._late: dict[Work, threading.Event] = {}
        self._threads = TaskThreads[Work, Reports | None](
            name, limit, self._loop, self._run, self._gathered
        )

    def submit(self, work: Work) -> None:
        """Run a work as soon as a thread is free."""
        self._threads.submit(work)

    def close(self) -> None:
        """Have the threads end when their work does."""
        self._overtime.close()
        self._threads.close()

    def _run(self, work: Work) -> Reports | None:
        return self._context.copy().run(self._run_in_context, work)

    def _run_in_context(self, work: Work) -> Reports | None:
        """The reports; None when the time was over, and others report."""
        work.enter()
        try:
            call = work.prepare()
        except BaseException as error:  # noqa: BLE001 - user code cannot end the worker
            return work.failed(error)
        if work.limit is not None:
            return self._run_limited(work, call, work.limit.seconds)
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 - as above
            return work.raised(error)
        return work.returned(value)

    def _run_limited(
        self, work: Work, call: Callable[[], object], seconds: float
    ) -> Reports | None:
        self._overtime.begin(work, seconds)
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 - user code cannot end the worker
            return work.raised(error) if self._overtime.end(work) else None
        return work.returned(value) if self._overtime.end(work) else None

    def _gathered(self, work: Work, reports: Reports | None) -> None:
        if reports is not None:
            self._ended(work, reports)
        elif (late := self._late.get(work)) is not None:
            late.set()

    # --- when it lasts too long -------------------------------------------------------------

    def _expired(self, work: Work) -> None:
        finished = self._late[work] = threading.Event()
        _LOGGER.warning("%s: %s", work.label, timed_out(work))
        # The callbacks and the retry policy are the user's: they must not stop the event loop.
        threading.Thread(
            target=self._context.copy().run,
            args=(self._give_up, work, finished),
            name=f"{self._name}-overtime",
            daemon=True,
        ).start()

    def _give_up(self, work: Work, finished: threading.Event) -> None:
        work.enter()
        call_back(work)
        finished.wait(0.0 if work.limit is None else work.limit.grace)
        reports = work.raised(timed_out(work))
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._given_up, work, reports)

    def _given_up(self, work: Work, reports: Reports) -> None:
        del self._late[work]
        self._threads.replace(work)
        self._ended(work, reports)


def call_back(work: Work) -> None:
    """Tell the code of a work that its time is over; what its callbacks raise is logged."""
    for attempt in work.attempts:
        try:
            attempt.context.time_out()
        except BaseException:
            _LOGGER.exception("a callback of Task.on_time_out fails in %s", work.label)


def timed_out(work: Work) -> ExecutionTimedOut:
    """The failure of a work whose time is over."""
    seconds = 0.0 if work.limit is None else work.limit.seconds
    return ExecutionTimedOut(f"{work.label} lasted longer than {seconds:g} s")
