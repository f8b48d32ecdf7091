"""Port between the code of a workflow and the executor that runs it.

What authors use (stubs, deferreds, channels, ``self.timer`` …) is written once, on top of this
port; it finds the run of the code that calls it with ``current_run()``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from random import Random
from typing import Protocol
from uuid import UUID

from infinitic_common.history import Command
from infinitic_common.steps import Leaf, Resolution, Step


class WorkflowRun(Protocol):
    """One method run of a workflow, as its code sees it."""

    @property
    def workflow_id(self) -> str:
        """Id of the instance."""
        ...

    @property
    def workflow_name(self) -> str:
        """Name of the contract."""
        ...

    @property
    def method_id(self) -> str:
        """Id of this method run; the main one has the id of the workflow."""
        ...

    @property
    def method_name(self) -> str:
        """Name of the method."""
        ...

    @property
    def tags(self) -> frozenset[str]:
        """Tags given at the start."""
        ...

    @property
    def meta(self) -> Mapping[str, bytes]:
        """Meta given at the start."""
        ...

    def issue(self, command: Command) -> int:
        """Take the next position for a command; never blocks.

        Replay compares it with the recorded one.

        Raises:
            WorkflowChanged: History has something else at this position.
            InvalidInline: Called inside an inline block.
        """
        ...

    def command_id(self, position: int) -> str:
        """Id of the command at a position: of its task, child workflow, method run or signal."""
        ...

    def wait(self, step: Step) -> Resolution:
        """Take the next position for a wait, and suspend until the step has ended.

        Raises:
            RunCanceled: The run was cancelled; raised once, and not inside a ``shield``.
            WorkflowChanged: History has something else at this position.
            InvalidInline: Called inside an inline block.
        """
        ...

    def shield(self) -> AbstractContextManager[None]:
        """Until the block ends, a cancellation of the run waits; at its end it is raised.

        Raises:
            RunCanceled: At the end: the run was cancelled meanwhile.
        """
        ...

    @property
    def is_replaying(self) -> bool:
        """Whether the code does again what it has done before."""
        ...

    def peek(self, step: Step) -> Resolution | None:
        """How the step ended as of this point of the code; stable under replay."""
        ...

    def value_of(self, leaf: Leaf) -> bytes:
        """The encoded value of a leaf that succeeded as of this point."""
        ...

    def inline(self, block: Callable[[], bytes]) -> bytes:
        """Run the block, which gives an encoded value, once; replay gives the recorded value.

        Raises:
            InvalidInline: The block used a stub, a deferred or another inline.
        """
        ...

    def now(self) -> datetime:
        """The instant (UTC) of the event that let the code go on; stable under replay."""
        ...

    def random(self) -> Random:
        """The run's random generator, seeded by its ids; stable under replay."""
        ...

    def uuid(self) -> UUID:
        """The next derived identifier of this run; stable under replay."""
        ...


class _Current(threading.local):
    run: WorkflowRun | None = None


_current = _Current()


def current_run() -> WorkflowRun | None:
    """The run whose code is executing in this thread; None outside workflows."""
    return _current.run


def set_current_run(run: WorkflowRun | None) -> None:
    """Name the run whose code executes in this thread from now on; for executors."""
    _current.run = run
