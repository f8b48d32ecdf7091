"""Histories that come encoded, and which of them go on from where a suspended run is."""

from collections.abc import Sequence
from functools import lru_cache
from typing import overload

import attrs

from infinitic_common.codec import decode, encode
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.history import (
    CommandIssued,
    Entry,
    MethodStarted,
    RunCanceled,
    RunFailed,
    StepEnded,
    StepStarted,
)
from infinitic_common.workflow_tasks import RemoteWorkflowTask, WorkflowTaskResult

_SHORT = 1024
"""Bytes of an entry up to which it is remembered."""


@attrs.frozen(eq=False)
class Known:
    """What a suspended run knows: its last task, and what it did in it.

    An engine may have taken in the answer of somebody else to that task, so that only the history
    of the next one tells whether this run is where the workflow is.
    """

    task: RemoteWorkflowTask
    result: WorkflowTaskResult

    def continued_by(self, task: RemoteWorkflowTask) -> list[Entry] | None:
        """The entries of a task that are new to the run; None unless it can go on with it.

        It can when the history is the one it knows, then all that it asked for, byte for byte,
        beside whatever happened meanwhile, and then the end of its wait.

        Raises:
            UndecodableMessage: A new entry cannot be read.
        """
        known = len(self.task.history)
        if not self._is_of_same_run(task) or task.history[:known] != self.task.history:
            return None
        new = task.history[known:]
        entries = [entry_of(data) for data in new]
        asked = [
            data
            for data, entry in zip(new, entries, strict=True)
            if isinstance(entry, CommandIssued | StepStarted)
        ]
        return entries if self._ended_by(entries) and asked == self._asked() else None

    def _is_of_same_run(self, task: RemoteWorkflowTask) -> bool:
        before = self.task
        return (
            not task.retry_index
            and task.workflow_version == self.result.workflow_version
            and task.method_name == before.method_name
            and task.arguments == before.arguments
            and task.tags == before.tags
            and task.meta == before.meta
        )

    def _ended_by(self, entries: Sequence[Entry]) -> bool:
        """Tell whether the last entry, and no other, lets the run go on."""
        if not entries or any(map(_resumes, entries[:-1])):
            return False
        last, step = entries[-1], self.result.step
        if step is None or not isinstance(last, StepEnded | RunCanceled):
            return False
        changed = self.result.properties or self.result.removed_properties
        return last.position == step.position and not (changed and last.properties is None)

    def _asked(self) -> list[bytes]:
        """The entries that an engine makes of the result, in order."""
        asked = [encode(issued) for issued in self.result.commands]
        step, used = self.result.step, self.result.signals_used
        if step is not None:
            began = StepStarted(step.position, step.step, step.location, step.shielded, used)
            asked.append(encode(began))
        return asked


def _resumes(entry: Entry) -> bool:
    """Tell whether code has run, or may have, since this entry."""
    if isinstance(entry, RunCanceled):
        return entry.position is not None
    return isinstance(entry, MethodStarted | StepEnded | RunFailed)


class ContinuedHistory(Sequence[Entry]):
    """A history of which the new entries are decoded, and the others when somebody asks for them."""

    __slots__ = ("_encoded", "_known", "_new")

    def __init__(self, encoded: Sequence[bytes], new: Sequence[Entry]) -> None:
        """``new`` is the end of what is ``encoded``."""
        self._encoded = encoded
        self._new = new
        self._known = len(encoded) - len(new)

    def __len__(self) -> int:
        return len(self._encoded)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        place = range(len(self))[index]
        if place < self._known:
            return entry_of(self._encoded[place])
        return self._new[place - self._known]


def entry_of(data: bytes) -> Entry:
    """Decode an entry.

    Raises:
        UndecodableMessage: It is none.
    """
    return _remembered(data) if len(data) <= _SHORT else _decoded(data)


@lru_cache(maxsize=10_000)
def _remembered(data: bytes) -> Entry:
    """An entry, which is a value: a run that is rebuilt has those of before, and a few new ones."""
    return _decoded(data)


def _decoded(data: bytes) -> Entry:
    entry = decode(data)
    if not isinstance(entry, Entry):
        msg = f"{type(entry).__name__} is no entry of a history"
        raise UndecodableMessage(msg)
    return entry
