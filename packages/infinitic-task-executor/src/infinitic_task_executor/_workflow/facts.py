"""What the code of a run knows of itself, the same in every replay."""

from collections.abc import Mapping
from random import Random
from uuid import UUID

from infinitic_common.command_ids import command_id
from infinitic_common.ids import derived_id
from infinitic_common.workflow_tasks import WorkflowTask


class RunFacts:
    """The part of the port ``WorkflowRun`` that follows from the ids of the run alone."""

    def __init__(self, task: WorkflowTask) -> None:
        """Of the run that a task is about."""
        self._task = task
        self._random: Random | None = None
        self._uuids = 0

    @property
    def workflow_id(self) -> str:
        """See the port."""
        return self._task.workflow_id

    @property
    def workflow_name(self) -> str:
        """See the port."""
        return self._task.workflow_name

    @property
    def method_id(self) -> str:
        """See the port."""
        return self._task.method_id

    @property
    def method_name(self) -> str:
        """See the port."""
        return self._task.method_name

    @property
    def tags(self) -> frozenset[str]:
        """See the port."""
        return self._task.tags

    @property
    def meta(self) -> Mapping[str, bytes]:
        """See the port."""
        return self._task.meta

    def command_id(self, position: int) -> str:
        """See the port."""
        return command_id(self._task.workflow_id, self._task.method_id, position)

    def random(self) -> Random:
        """See the port."""
        if self._random is None:
            seed = f"{self._task.workflow_id}/{self._task.method_id}"
            self._random = Random(seed)  # noqa: S311 - must be the same under replay
        return self._random

    def uuid(self) -> UUID:
        """See the port."""
        self._uuids += 1
        return UUID(derived_id(self._task.workflow_id, self._task.method_id, "uuid", self._uuids))
