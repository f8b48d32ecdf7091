"""Runs that are kept between tasks, and when one of them may be used."""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence

import attrs

from infinitic_common.workflow_tasks import WorkflowTask
from infinitic_task_executor._workflow.remote_history import Known
from infinitic_task_executor._workflow.run import CodeRun
from infinitic_task_executor._workflow.turn import LiveRun, RunOwner

REMOTE = -1
"""The turn of every task of an engine elsewhere: what its run knows tells whether it goes on."""


def home_of(task: WorkflowTask) -> str:
    """Under which key the runs of a workflow are kept.

    Those of remote tasks are apart: what the engine of this process uses, confirms and discards
    are its own.
    """
    return _remote(task.workflow_id) if task.turn == REMOTE else task.workflow_id


def _remote(workflow_id: str) -> str:
    return f"remote|{workflow_id}"


@attrs.define(eq=False)
class LiveWorkflow:
    """The suspended runs of one workflow.

    Attributes:
        version: The state version that all of them stand for; None while a move of one of them is
            not known to be committed.
        turn: The turn in which one of them moved last, until that is known.
        runs: By method id.
    """

    version: int | None = None
    turn: int | None = None
    runs: dict[str, LiveRun] = attrs.field(factory=dict[str, LiveRun])

    def stands_for(self, task: WorkflowTask) -> bool:
        """Tell whether its runs are where the history of a task says they are."""
        if self.turn is not None:
            return self.turn == task.turn
        return self.version == task.state_version


class LiveRuns:
    """The suspended runs of many workflows; those unused for longest go first."""

    def __init__(self, limit: int) -> None:
        """Keep at most ``limit`` runs."""
        self._limit = limit
        self._count = 0
        self._workflows: OrderedDict[str, LiveWorkflow] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def take(self, task: WorkflowTask) -> LiveRun | None:
        """Take out the run that can go on with a task."""
        home = home_of(task)
        workflow = self._workflows.get(home)
        if workflow is None:
            return None
        if not workflow.stands_for(task):
            self.discard((home,))
            return None
        live = workflow.runs.pop(task.method_id, None)
        if live is not None:
            self._count -= 1
        return live

    def moving(self, task: WorkflowTask) -> LiveWorkflow:
        """Note that a run of this workflow moves in the turn of a task."""
        home = home_of(task)
        workflow = self._workflows.get(home)
        if workflow is None:
            workflow = self._workflows[home] = LiveWorkflow()
        else:
            self._workflows.move_to_end(home)
        workflow.version, workflow.turn = None, task.turn
        return workflow

    def settle(self, task: WorkflowTask, workflow: LiveWorkflow, live: LiveRun | None) -> None:
        """Put the run of a task back; unless its workflow has been discarded meanwhile."""
        home = home_of(task)
        if self._workflows.get(home) is not workflow:
            if live is not None:
                live.thread.throw_away((live.run,))
        elif live is not None:
            workflow.runs[task.method_id] = live
            self._count += 1
            self._bound()
        elif not workflow.runs:
            del self._workflows[home]

    def known(self, workflow_id: str, method_id: str) -> Known | None:
        """What the run of a remote task knows; from any thread."""
        workflow = self._workflows.get(_remote(workflow_id))
        live = None if workflow is None else workflow.runs.get(method_id)
        return None if live is None else live.known

    def note(self, known: Known) -> None:
        """Note what the run of a remote task knows, if it is kept."""
        task = known.task
        workflow = self._workflows.get(_remote(task.workflow_id))
        live = None if workflow is None else workflow.runs.get(task.method_id)
        if workflow is not None and live is not None:
            workflow.runs[task.method_id] = attrs.evolve(live, known=known)

    def _bound(self) -> None:
        while self._count > self._limit:
            self.discard((next(iter(self._workflows)),))

    def confirm(self, versions: Mapping[str, int]) -> None:
        """See ``WorkflowTaskHandler``."""
        workflows = self._workflows
        for workflow_id, version in versions.items():
            workflow = workflows.get(workflow_id)
            if workflow is not None:
                workflow.version, workflow.turn = version, None

    def discard(self, workflow_ids: Sequence[str]) -> None:
        """See ``WorkflowTaskHandler``."""
        void: list[LiveRun] = []
        for workflow_id in workflow_ids:
            workflow = self._workflows.pop(workflow_id, None)
            if workflow is not None:
                void.extend(workflow.runs.values())
        self._throw_away(void)

    def forget(self, workflow_ids: Sequence[str], method_ids: Sequence[str]) -> None:
        """See ``WorkflowTaskHandler``."""
        void: list[LiveRun] = []
        for workflow_id in workflow_ids:
            workflow = self._workflows.get(workflow_id)
            if workflow is not None:
                found = (workflow.runs.pop(method_id, None) for method_id in method_ids)
                void.extend(live for live in found if live is not None)
                if not workflow.runs:
                    del self._workflows[workflow_id]
        self._throw_away(void)

    def leave(self, thread: RunOwner) -> list[CodeRun]:
        """Forget the runs that a thread owns; gives them."""
        left: list[CodeRun] = []
        for workflow in self._workflows.values():
            gone = [key for key, live in workflow.runs.items() if live.thread is thread]
            left.extend(workflow.runs.pop(key).run for key in gone)
        self._count -= len(left)
        return left

    def _throw_away(self, void: Sequence[LiveRun]) -> None:
        self._count -= len(void)
        by_thread: defaultdict[RunOwner, list[CodeRun]] = defaultdict(list)
        for live in void:
            by_thread[live.thread].append(live.run)
        for thread, runs in by_thread.items():
            thread.throw_away(runs)
