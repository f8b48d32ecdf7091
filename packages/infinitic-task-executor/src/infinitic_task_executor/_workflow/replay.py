"""The history of a run beside its code: what is recorded at a position, and whether code differs."""

from collections.abc import Callable
from typing import NoReturn

from infinitic_common.decorators import CheckMode
from infinitic_common.exceptions import WorkflowChanged
from infinitic_common.history import Command, InlineCommand
from infinitic_common.steps import Resolution, Step
from infinitic_common.workflow_tasks import WorkflowTask
from infinitic_task_executor._workflow.checks import (
    describe_command,
    describe_entry,
    describe_step,
    same_command,
    same_step,
)
from infinitic_task_executor._workflow.location import location
from infinitic_task_executor._workflow.recorded import NOTHING_RECORDED, Recorded

Refuse = Callable[[BaseException], NoReturn]


class Replay:
    """Compares what the code asks for with what the history of its run has.

    Attributes:
        mode: How strictly.
        last: The highest position that the history has; -1 once the code is beyond.
        start: Index of the entry that began the run.
    """

    __slots__ = ("_names", "_recorded", "_refuse", "last", "mode", "start")

    def __init__(self, task: WorkflowTask, refuse: Refuse) -> None:
        """Read the history of a task; ``refuse`` raises what it is given, for good."""
        self.mode = CheckMode.SIMPLE
        self._recorded = Recorded(task.history, task.visible)
        self._names = (task.workflow_name, task.method_name)
        self._refuse = refuse
        self.last = self._recorded.last
        self.start = self._recorded.start

    def forget(self) -> None:
        """The code is beyond the history: drop it."""
        self._recorded, self.last = NOTHING_RECORDED, -1

    def command(self, position: int, command: Command) -> int:
        """The index of the recorded command at a position, which must be this one.

        Raises:
            WorkflowChanged: It is not.
        """
        recorded = self._recorded.command(position)
        if recorded is None or not same_command(recorded[0].command, command, self.mode):
            same = recorded is not None and same_command(
                recorded[0].command, command, CheckMode.SIMPLE
            )
            details = " with other arguments" if same else ""
            self._changed(position, describe_command(command, location()) + details)
        return recorded[1]

    def inline(self, position: int) -> tuple[InlineCommand, int]:
        """The recorded block at a position, and its index.

        Raises:
            WorkflowChanged: Another command, or none, is recorded there.
        """
        recorded = self._recorded.command(position)
        command = recorded and recorded[0].command
        if recorded is None or not isinstance(command, InlineCommand):
            self._changed(position, f"an inline block ({location()})")
        return command, recorded[1]

    def end_of_wait(self, position: int, step: Step) -> int | None:
        """The index of the entry that ended the recorded wait at a position; None without one.

        Raises:
            WorkflowChanged: Another wait is recorded there.
        """
        recorded = self._recorded.step(position)
        if recorded is not None and not same_step(recorded.step, step):
            self._changed(position, describe_step(step, location()))
        return self._recorded.end(position)

    def open_wait(
        self, position: int, step: Step, resolution: Resolution | None
    ) -> Resolution | None:
        """How a wait without recorded end goes on, given how it stands.

        A wait that is not recorded at all was over when the code came to it.

        Raises:
            WorkflowChanged: It is neither.
        """
        if self._recorded.step(position) is not None:
            return None
        if resolution is None or self._recorded.command(position):
            self._changed(position, describe_step(step, location()))
        return resolution

    def lasts_on(self, position: int, step: Step) -> NoReturn:
        """Refuse a wait that the history ended, and that is not over.

        Raises:
            WorkflowChanged: Always.
        """
        self._fail(position, "a wait that is over", describe_step(step, location()))

    def end(self, position: int, where: str) -> None:
        """The code ends before taking this position.

        Args:
            position: The position.
            where: The code, for messages.

        Raises:
            WorkflowChanged: The history has something there or beyond.
        """
        beyond = self._recorded.beyond(position) if self.last >= 0 else None
        if beyond is not None and self.mode is not CheckMode.NONE:
            self._changed(beyond.position, f"nothing more ({where})")

    def _changed(self, position: int, attempted: str) -> NoReturn:
        recorded = self._recorded.command(position)
        entry = recorded[0] if recorded else self._recorded.step(position)
        self._fail(position, describe_entry(entry), attempted)

    def _fail(self, position: int, recorded: str, attempted: str) -> NoReturn:
        self._refuse(WorkflowChanged(*self._names, position, recorded, attempted))
