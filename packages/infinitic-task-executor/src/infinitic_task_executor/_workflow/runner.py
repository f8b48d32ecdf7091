"""Hands the tasks of a turn to threads, and their results back."""

from asyncio import AbstractEventLoop, get_running_loop, wait
from collections.abc import Awaitable, Mapping, Sequence
from time import monotonic
from typing import cast

import attrs

from infinitic_common.exceptions import WorkflowTaskTimeout
from infinitic_common.workflow_tasks import WorkflowTask, WorkflowTaskResult
from infinitic_task_executor._workflow.execution import Execution
from infinitic_task_executor._workflow.live_runs import LiveRuns, LiveWorkflow, home_of
from infinitic_task_executor._workflow.remote_history import Known
from infinitic_task_executor._workflow.threads import Stuck, WorkflowThread
from infinitic_task_executor._workflow.turn import Item, LiveRun, Share, Turn


@attrs.frozen
class RunnerSettings:
    """How tasks run.

    Attributes:
        name: Of the threads.
        concurrency: Number of threads.
        timeout: Seconds that a task may take; None for no limit.
        always_replay: Throw every run away after each task.
        max_live_runs: Suspended runs that are kept.
    """

    name: str
    concurrency: int
    timeout: float | None
    always_replay: bool
    max_live_runs: int


@attrs.frozen(eq=False)
class _Begun:
    """Tasks that threads are at.

    Attributes:
        turn: Gathers their results.
        tasks: They, in the order of the results.
        workflows: Where the run of each is kept; empty when runs are not kept.
    """

    turn: Turn
    tasks: Sequence[WorkflowTask]
    workflows: Sequence[LiveWorkflow]


class WorkflowTaskRunner:
    """Runs workflow tasks on a pool of threads; lives on one event loop."""

    def __init__(self, settings: RunnerSettings, execution: Execution) -> None:
        """No thread is started before the first task."""
        self._lives = LiveRuns(settings.max_live_runs)
        self._settings = settings
        self._execution = execution
        self._threads: list[WorkflowThread] = []
        self._next = 0
        self._pending = 0
        self._watched: AbstractEventLoop | None = None

    async def run(
        self, tasks: Sequence[WorkflowTask], *, keep: bool = True
    ) -> Sequence[WorkflowTaskResult]:
        """Run tasks of different workflows.

        Args:
            tasks: The tasks.
            keep: Whether live runs are used and kept.
        """
        if not tasks:
            return ()
        begun = self._begin(tasks, keep=keep)
        await self._finished(begun)
        return [self._settled(begun, place) for place in range(len(tasks))]

    async def run_patiently(
        self, tasks: Sequence[WorkflowTask], patience: float | None
    ) -> Sequence[WorkflowTaskResult | Awaitable[WorkflowTaskResult]]:
        """Run tasks of different workflows, keeping their runs; see ``WorkflowTaskHandler``."""
        if patience is None or not tasks:
            return await self.run(tasks)
        loop = get_running_loop()
        begun = self._begin(tasks, keep=True)
        await wait([loop.create_task(self._finished(begun))], timeout=patience)
        return [
            loop.create_task(self._late(begun, place))
            if result is None
            else self._settled(begun, place)
            for place, result in enumerate(begun.turn.results)
        ]

    async def _late(self, begun: _Begun, place: int) -> WorkflowTaskResult:
        await begun.turn.ended(place)
        return self._settled(begun, place)

    def _settled(self, begun: _Begun, place: int) -> WorkflowTaskResult:
        """The result of a task that has ended; its run is kept."""
        turn = begun.turn
        if begun.workflows:
            self._lives.settle(begun.tasks[place], begun.workflows[place], turn.lives[place])
            turn.lives[place] = None
        return cast("WorkflowTaskResult", turn.results[place])

    def confirm(self, versions: Mapping[str, int]) -> None:
        """See ``WorkflowTaskHandler``."""
        self._lives.confirm(versions)

    def discard(self, workflow_ids: Sequence[str]) -> None:
        """See ``WorkflowTaskHandler``."""
        self._lives.discard(workflow_ids)

    def forget(self, workflow_ids: Sequence[str], method_ids: Sequence[str]) -> None:
        """See ``WorkflowTaskHandler``."""
        self._lives.forget(workflow_ids, method_ids)

    def known(self, workflow_id: str, method_id: str) -> Known | None:
        """What the run that is kept of a remote task knows; from any thread."""
        return self._lives.known(workflow_id, method_id)

    def note(self, known: Known) -> None:
        """Note what the run of a remote task knows, if it is kept."""
        self._lives.note(known)

    def drop(self, task: WorkflowTask) -> None:
        """Throw the run away that is kept of the method run of a task."""
        self._lives.forget((home_of(task),), (task.method_id,))

    @property
    def live_count(self) -> int:
        """How many suspended runs are kept."""
        return len(self._lives)

    def close(self) -> None:
        """End the threads; suspended runs are thrown away."""
        for thread in self._threads:
            thread.throw_away(self._lives.leave(thread))
            thread.end()
        self._threads = []

    def _begin(self, tasks: Sequence[WorkflowTask], *, keep: bool) -> _Begun:
        keep = keep and not self._settings.always_replay
        lives = [self._lives.take(task) if keep else None for task in tasks]
        workflows = [self._lives.moving(task) for task in tasks] if keep else []
        shares: dict[WorkflowThread, list[Item]] = {}
        for place, (task, live) in enumerate(zip(tasks, lives, strict=True)):
            thread = self._owner(live)
            shares.setdefault(thread, []).append(
                Item(place, task, live.run if live is not None else None)
            )
        turn = Turn(get_running_loop(), len(tasks), len(shares))
        for thread, items in shares.items():
            thread.begin(Share(turn, items, keep))
        return _Begun(turn, tasks, workflows)

    def _owner(self, live: LiveRun | None) -> WorkflowThread:
        if live is not None:
            return cast("WorkflowThread", live.thread)
        if len(self._threads) < self._settings.concurrency:
            self._threads.append(self._new_thread())
            return self._threads[-1]
        for _ in self._threads:
            self._next = (self._next + 1) % len(self._threads)
            # One that is at a task may be at it for long.
            if self._threads[self._next].since is None:
                break
        return self._threads[self._next]

    def _new_thread(self) -> WorkflowThread:
        return WorkflowThread(self._settings.name, self._execution)

    async def _finished(self, begun: _Begun) -> None:
        self._pending += 1
        self._watch_time(get_running_loop())
        try:
            await begun.turn.finished
        except BaseException:
            if begun.workflows:
                self._lives.discard([home_of(task) for task in begun.tasks])
            raise
        finally:
            self._pending -= 1

    # --- tasks that take too long -----------------------------------------------------------

    def _watch_time(self, loop: AbstractEventLoop) -> None:
        if self._watched is not loop and self._settings.timeout is not None:
            self._watched = loop
            loop.call_later(self._settings.timeout, self._check_time, loop, self._settings.timeout)

    def _check_time(self, loop: AbstractEventLoop, timeout: float) -> None:
        self._watched = None
        for index, thread in enumerate(self._threads):
            stuck = thread.give_up(timeout)
            if stuck is not None:
                self._replace(index, thread, stuck, timeout)
        if self._pending and self._watched is None:
            began = [thread.since for thread in self._threads]
            due = (
                min((since for since in began if since is not None), default=monotonic()) + timeout
            )
            self._watched = loop
            loop.call_later(max(due - monotonic(), 0.001), self._check_time, loop, timeout)

    def _replace(self, index: int, thread: WorkflowThread, stuck: Stuck, timeout: float) -> None:
        thread.throw_away(self._lives.leave(thread))
        thread.end()
        fresh = self._threads[index] = self._new_thread()
        for share in stuck.unbegun:
            items = [attrs.evolve(item, live=None) for item in share.items]
            fresh.begin(attrs.evolve(share, items=items))
        if stuck.item is not None and stuck.turn is not None:
            result = self._timed_out(stuck.item.task, stuck.stack, timeout)
            stuck.turn.put(stuck.item.place, result, None)

    def _timed_out(self, task: WorkflowTask, stack: str, timeout: float) -> WorkflowTaskResult:
        msg = (
            f"the code of {task.workflow_name}.{task.method_name} did not stop within {timeout:g} s: "
            "wait for deferreds only, do slow work in a service"
        )
        exception = WorkflowTaskTimeout(msg)
        return self._execution.failed(task, exception, task.workflow_version, stack_trace=stack)
