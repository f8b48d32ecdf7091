"""Port between the state engine and whoever runs the code of workflows."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import attrs

from infinitic_common.codec import record
from infinitic_common.failures import DeferredError
from infinitic_common.history import CommandIssued, Entry

WORKFLOW_EXECUTOR = "infinitic.workflow.Executor"
"""How events name the service whose tasks are workflow tasks."""


@attrs.frozen(eq=False)
class WorkflowTask:
    """Run the code of one method run until it waits for something unknown.

    Attributes:
        task_id: Of this workflow task.
        workflow_version: Pinned by the first task of the instance; None before.
        history: The log of the method run, up to the entry that lets it go on: ``MethodStarted``,
            ``StepEnded`` or ``RunCanceled``. Entries beyond ``visible`` must not be looked at.
        visible: Number of entries that this task may see.
        state_version: Version of the state that the history was read from; 0 before the first.
        turn: Names the engine's turn: tasks of one turn build on one another before any is
            committed.
        retry_index: Automatic retries of this task, by the executor's policy, before this one.
    """

    task_id: str
    workflow_name: str
    workflow_id: str
    workflow_version: int | None
    tags: frozenset[str]
    meta: Mapping[str, bytes]
    method_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    history: Sequence[Entry]
    visible: int
    state_version: int
    turn: int
    retry_index: int = 0


@record(60)
@attrs.frozen
class StepAwaited:
    """The wait that a workflow task stopped at; fields as in ``StepStarted``."""

    position: int
    step: object
    location: str = ""
    shielded: bool = False


@record(61)
@attrs.frozen
class WorkflowTaskResult:
    """What the code did until it stopped.

    Exactly one of ``step``, ``value`` and ``error`` is set. With ``error`` there are no commands
    and no properties: the run is as it was before the task.

    Attributes:
        task_id: Of the workflow task.
        workflow_version: Version of the class that ran; None when none could.
        commands: New commands, in order of position.
        step: What it waits for now.
        value: What it returned.
        error: Why it failed.
        properties: Encoded values of properties that changed since the task began.
        removed_properties: Names of properties that are gone.
        retry_after_ms: With ``error``, milliseconds after which the workflow task is to run again
            by the retry policy of the executor; None when it is not.
        discarding_channels: Names of channels of this workflow that discard what nobody waits for.
        signals_used: Signals of each receive that the code has had so far, by position; only what
            is new since the wait that the task began with. None when the code does not tell.
    """

    task_id: str
    workflow_version: int | None
    commands: tuple[CommandIssued, ...] = ()
    step: StepAwaited | None = None
    value: bytes | None = None
    error: DeferredError | None = None
    properties: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])
    removed_properties: tuple[str, ...] = ()
    retry_after_ms: int | None = None
    discarding_channels: tuple[str, ...] = ()
    signals_used: Mapping[int, int] | None = None


@runtime_checkable
class WorkflowTaskHandler(Protocol):
    """Runs workflow tasks in the process of the state engine.

    A handler may keep runs alive between tasks. It uses a live run only for a task whose
    ``state_version`` is the one the run was last confirmed at, or that belongs to the turn in
    which the run last moved; any other run it rebuilds from ``history``.
    """

    @property
    def workflow_name(self) -> str:
        """The workflow whose code it runs."""
        ...

    async def run(
        self, tasks: Sequence[WorkflowTask], *, patience: float | None = None
    ) -> Sequence[WorkflowTaskResult | Awaitable[WorkflowTaskResult]]:
        """Run the tasks, of different workflow ids, at once; results in the order of the tasks.

        After ``patience`` seconds it answers with what is there, and for each task that still
        runs with something to await.

        A task that fails gives a result with an ``error``: nothing is raised for it.
        """
        ...

    def confirm(self, versions: Mapping[str, int]) -> None:
        """States were committed: workflow ids and their new versions."""
        ...

    def discard(self, workflow_ids: Sequence[str]) -> None:
        """States were not committed, or nobody knows: live runs of these workflows are void."""
        ...

    def forget(self, workflow_ids: Sequence[str], method_ids: Sequence[str]) -> None:
        """Method runs have ended: their live runs are no longer needed."""
        ...


@record(62)
@attrs.frozen
class RemoteWorkflowTask:
    """A ``WorkflowTask`` on its way to another process; ``history`` has encoded entries."""

    task_id: str
    workflow_name: str
    workflow_id: str
    workflow_version: int | None
    tags: frozenset[str]
    meta: Mapping[str, bytes]
    method_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    history: tuple[bytes, ...]
    state_version: int
    retry_index: int = 0
