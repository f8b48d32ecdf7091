"""Every error of the framework, one hierarchy: catching ``InfiniticError`` catches them all."""

# ruff: noqa: N818 - a name says what happened, as one reads it after ``except``

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from infinitic_common.failures import TaskFailure


class InfiniticError(Exception):
    """The base of all errors of the framework."""


class InfrastructureError(InfiniticError):
    """Something around the framework (a broker, a store) does not do its part."""


class Unavailable(InfrastructureError):
    """A store or a broker cannot be reached now; the same call may succeed later.

    Handlers of messages let it pass: the subscription pauses and tries again in place.
    """


class StorageUnavailable(Unavailable):
    """The store cannot be reached now."""


class TransportUnavailable(Unavailable):
    """The broker cannot be reached now."""


class StorageError(InfrastructureError):
    """The store refused a request, and would refuse it again."""


class TransportError(InfrastructureError):
    """The broker refused a request, and would refuse it again."""


class PayloadTooLarge(TransportError):
    """A message is larger than the broker accepts; says the size, the limit and whose it is."""


class UndecodableMessage(InfiniticError):
    """Bytes that are no message, or one of a kind unknown to this release."""


# --- what waiting for a deferred raises ----------------------------------------------------------


class DeferredException(InfiniticError):
    """Base of what waiting for a deferred raises; a workflow that catches errors catches this."""


class DeferredFailed(DeferredException):
    """A task, or a workflow, failed."""


class DeferredTimedOut(DeferredException):
    """A task, or a workflow, gave no result within the time its contract allows."""


class DeferredCanceled(DeferredException):
    """A workflow was cancelled."""


class DeferredUnknown(DeferredException):
    """What was waited for does not exist."""


@attrs.define(eq=False)
class DeferredTimeout(DeferredException):
    """A wait lasted longer than its own limit, ``result(timeout=…)``; what it waits for goes on.

    Attributes:
        seconds: The limit.
        what: What was waited for.
    """

    seconds: float
    what: str = "the deferred"

    def __str__(self) -> str:
        return f"no result of {self.what} within {self.seconds:g} s"


@attrs.define(eq=False)
class TaskFailed(DeferredFailed):
    """A task failed after its last attempt.

    Attributes:
        service_name: Its service.
        method_name: Its method.
        task_id: Its id, the same in all attempts.
        last_failure: Why the last attempt failed; the ones before follow ``previous``.
    """

    service_name: str
    method_name: str
    task_id: str
    last_failure: TaskFailure

    def __str__(self) -> str:
        what = f"task {self.service_name}.{self.method_name} ({self.task_id})"
        return f"{what} failed: {_reason(self.last_failure)}"


@attrs.define(eq=False)
class TaskTimedOut(DeferredTimedOut):
    """A task gave no result within the time its contract allows; it may still be running."""

    service_name: str
    method_name: str
    task_id: str

    def __str__(self) -> str:
        return f"task {self.service_name}.{self.method_name} ({self.task_id}) timed out"


@attrs.define(eq=False)
class WorkflowFailed(DeferredFailed):
    """A method run of a workflow failed.

    Attributes:
        workflow_name: Name of the workflow.
        workflow_id: Its id.
        method_name: The method.
        method_id: Id of the run; the main one has the id of the workflow.
        cause: What it did not catch, or ``WorkflowExecutorFailed``; also the ``__cause__``.
    """

    workflow_name: str
    workflow_id: str
    method_name: str
    method_id: str
    cause: DeferredException

    def __str__(self) -> str:
        what = _method(self.workflow_name, self.workflow_id, self.method_name, self.method_id)
        return f"{what} failed: {self.cause}"


@attrs.define(eq=False)
class WorkflowExecutorFailed(DeferredFailed):
    """The code of a workflow raised something of its own.

    Attributes:
        workflow_name: Name of the workflow.
        workflow_id: Its id.
        workflow_task_id: The workflow task that raised it.
        last_failure: What was raised.
    """

    workflow_name: str
    workflow_id: str
    workflow_task_id: str
    last_failure: TaskFailure

    def __str__(self) -> str:
        what = f"the code of workflow {self.workflow_name} ({self.workflow_id})"
        return f"{what} raised {_reason(self.last_failure)}"


@attrs.define(eq=False)
class WorkflowTimedOut(DeferredTimedOut):
    """A method run gave no result within the time its contract allows; it goes on."""

    workflow_name: str
    workflow_id: str
    method_name: str
    method_id: str

    def __str__(self) -> str:
        what = _method(self.workflow_name, self.workflow_id, self.method_name, self.method_id)
        return f"{what} timed out"


@attrs.define(eq=False)
class WorkflowCanceled(DeferredCanceled):
    """A method run was cancelled; ``method_name`` and ``method_id`` are None when all were."""

    workflow_name: str
    workflow_id: str
    method_name: str | None = None
    method_id: str | None = None

    def __str__(self) -> str:
        what = _method(self.workflow_name, self.workflow_id, self.method_name, self.method_id)
        return f"{what} was cancelled"


@attrs.define(eq=False)
class WorkflowUnknown(DeferredUnknown):
    """No such workflow, or no such method run, exists or is remembered."""

    workflow_name: str
    workflow_id: str
    method_name: str | None = None
    method_id: str | None = None

    def __str__(self) -> str:
        what = _method(self.workflow_name, self.workflow_id, self.method_name, self.method_id)
        return f"{what} is unknown: it never existed, or ended too long ago"


def _method(name: str, workflow_id: str, method_name: str | None, method_id: str | None) -> str:
    workflow = f"{name} ({workflow_id})"
    if method_name is None:
        return f"workflow {workflow}"
    run = "" if method_id in (None, workflow_id) else f", run {method_id}"
    return f"workflow {name}.{method_name} ({workflow_id}{run})"


def _reason(failure: TaskFailure) -> str:
    exception = failure.exception
    return f"{exception.name}: {exception.message}" if exception.message else exception.name


@attrs.define(eq=False)
class RunCanceled(BaseException):
    """The method run whose code waits was cancelled: ``finally`` blocks and sagas clean up now.

    Raised once, by the wait that the run is in, or, where the code shields itself, at the end of the
    shield. What cleans up may wait as usual. It is no ``Exception``, so that code which goes on
    after failures does not go on after this.
    """

    workflow_name: str
    workflow_id: str
    method_name: str
    method_id: str

    def __str__(self) -> str:
        what = _method(self.workflow_name, self.workflow_id, self.method_name, self.method_id)
        return f"{what} was cancelled"


# --- wrong use -----------------------------------------------------------------------------------


class UsageError(InfiniticError):
    """The framework was used in a way that cannot work; the message says what to change."""


class InvalidContract(UsageError):
    """A class cannot be a contract."""


class InvalidImplementation(UsageError):
    """A class cannot implement a service or a workflow."""


class InvalidArguments(UsageError, TypeError):
    """The arguments of a call do not fit the parameters of the method."""


class InvalidSetting(UsageError, ValueError):
    """A component, or a policy, is given something it cannot work with."""


class MethodNotFound(UsageError):
    """An implementation has no method of that name."""


class InvalidStub(UsageError):
    """Something is no stub, or a stub of the wrong kind."""


class InvalidIdTagSelection(InvalidStub):
    """A stub by id is given where one by tag is needed, or the other way round."""


class NotForTags(InvalidStub, NotImplementedError):
    """One result, or one id, is asked of workflows by tag: there may be many of them, or none."""


class InvalidChannelUsage(UsageError):
    """A channel is used where it cannot be."""


class InvalidInline(UsageError):
    """An inline block used a stub, a deferred or another inline, or is no plain function."""


class MultipleCustomId(UsageError):
    """More than one tag of a workflow starts with ``customId:``."""


class NotInWorkflow(UsageError):
    """Something that only the code of a workflow can do was asked for elsewhere."""


class ForeignAwait(UsageError, RuntimeError):
    """A workflow awaited something that is not its own, or used asyncio."""


class WorkflowTaskTimeout(InfiniticError, TimeoutError):
    """The code of a workflow ran for too long without waiting for a deferred."""


@attrs.define(eq=False)
class WorkflowChanged(UsageError):
    """The code of a workflow asks for something else than what its history recorded.

    Attributes:
        workflow_name: The workflow.
        method_name: The method.
        position: The position in the method at which they differ.
        recorded: What history has there, and from which line.
        attempted: What the code asks for, and from which line.
    """

    workflow_name: str
    method_name: str
    position: int
    recorded: str
    attempted: str

    def __str__(self) -> str:
        return (
            f"the code of {self.workflow_name}.{self.method_name} has changed at position "
            f"{self.position}: history has {self.recorded}, the code now asks for "
            f"{self.attempted}; restore the code (or register the new one as a new version), then "
            "retry the workflow task"
        )


@attrs.define(eq=False)
class UnknownWorkflowVersion(UsageError):
    """A workflow runs with a version that is not registered in this executor.

    Attributes:
        workflow_name: The workflow.
        version: The version it started with.
        registered: The versions that this executor has.
    """

    workflow_name: str
    version: int
    registered: tuple[int, ...] = ()

    def __str__(self) -> str:
        known = ", ".join(map(str, self.registered)) or "none"
        return (
            f"workflow {self.workflow_name} started with version {self.version}, which is not "
            f"registered here (registered: {known}): register it again, then retry the workflow "
            "task"
        )
