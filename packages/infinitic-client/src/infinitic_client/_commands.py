"""What a client asks of running workflows, by id or by tag, and of what it started."""

from collections.abc import Callable
from typing import cast

import attrs

from infinitic_client._core import ClientCore, refuse_in_workflow
from infinitic_client._sending import Handle, RunningCommand, by_tag
from infinitic_common.contracts import contract_of
from infinitic_common.deferred import DeferredStatus
from infinitic_common.exceptions import InvalidStub, UsageError
from infinitic_common.ids import new_id
from infinitic_common.messages import (
    CancelWorkflow,
    CompleteTimers,
    RetryTasks,
    RetryWorkflowTask,
)
from infinitic_common.stub_options import checked_text
from infinitic_common.stubs import WorkflowById, WorkflowByTag, target_of

_Make = Callable[[str, str], RunningCommand]
"""Makes a command to the workflow of a name and an id."""


async def cancel(core: ClientCore, stub: object, method_id: str | None) -> None:
    """Cancel a method run of the workflows of a stub, or all of them."""
    run = _one(method_id, "cancel: the id of a method run")
    await _command(
        core, stub, "cancel", lambda name, workflow_id: _cancel(core, name, workflow_id, run)
    )


async def complete_timers(core: ClientCore, stub: object, method_id: str | None) -> None:
    """End now the running timers of a method run, or of all."""
    run = _one(method_id, "complete_timers: the id of a method run")
    await _command(
        core,
        stub,
        "complete_timers",
        lambda name, workflow_id: CompleteTimers(
            message_id=new_id(),
            workflow_name=name,
            workflow_id=workflow_id,
            method_id=run,
            requester=core.requester,
            emitted_at=core.transport.now(),
        ),
    )


async def retry_workflow_task(core: ClientCore, stub: object) -> None:
    """Run again the code of the workflows of a stub, where it is stalled."""
    await _command(
        core, stub, "retry_workflow_task", lambda name, workflow_id: _retry(core, name, workflow_id)
    )


@attrs.frozen
class TaskFilters:
    """Which tasks: those that match every filter; None matches all."""

    task_id: str | None
    status: DeferredStatus | None
    service: Callable[..., object] | str | None

    @property
    def service_name(self) -> str | None:
        """The name of the service."""
        return None if self.service is None else name_of_service(self.service)


async def retry_tasks(
    core: ClientCore, stub: object, filters: TaskFilters, *, everything: bool
) -> None:
    """Run again the tasks of the workflows of a stub that match every filter."""
    if not everything and filters == TaskFilters(None, None, None):
        msg = "retry_tasks: give task_id, status or service; all=True retries every task"
        raise UsageError(msg)
    service_name, status = filters.service_name, _status(filters.status)
    task_id = _one(filters.task_id, "retry_tasks: the id of a task")
    await _command(
        core,
        stub,
        "retry_tasks",
        lambda name, workflow_id: RetryTasks(
            message_id=new_id(),
            workflow_name=name,
            workflow_id=workflow_id,
            task_id=task_id,
            task_status=status,
            service_name=service_name,
            requester=core.requester,
            emitted_at=core.transport.now(),
        ),
    )


def _one(given: object, what: str) -> str | None:
    """The id of the one that a command is for; None for all."""
    return None if given is None else checked_text(given, what)


def _status(given: object) -> str | None:
    try:
        return None if given is None else DeferredStatus(cast("str", given)).value
    except ValueError:
        msg = f"retry_tasks: status={given!r} must be one of {', '.join(DeferredStatus)}"
        raise UsageError(msg) from None


async def cancel_run(core: ClientCore, handle: Handle) -> None:
    """Cancel the method run of a handle, or the whole workflow when it is the main one.

    Raises:
        UsageError: It is a signal.
        NotForTags: It was a call by tag.
    """
    _refuse_signal(handle, "cancel")
    method_id = None if handle.is_main else handle.id
    await core.post(_cancel(core, handle.workflow_name, handle.workflow_id, method_id))


async def retry_run(core: ClientCore, handle: Handle) -> None:
    """Run again the code of the workflow of a handle, where it is stalled.

    Raises:
        UsageError: It is a signal.
        NotForTags: It was a call by tag.
    """
    _refuse_signal(handle, "retry")
    await core.post(_retry(core, handle.workflow_name, handle.workflow_id))


def name_of_service(service: Callable[..., object] | str) -> str:
    """The name of a service, given by its contract or by its name.

    Raises:
        InvalidContract: It is neither.
    """
    return service if isinstance(service, str) else contract_of(service).name


async def _command(core: ClientCore, stub: object, what: str, make: _Make) -> None:
    refuse_in_workflow()
    match target_of(stub):
        case WorkflowById(contract=contract, workflow_id=workflow_id):
            await core.post(make(contract.name, workflow_id))
        case WorkflowByTag(contract=contract, tag=tag):
            await core.post(by_tag(make(contract.name, ""), tag))
        case target:
            msg = (
                f"{what}: {target} is no running workflow: make the stub with get_workflow_by_id "
                "or get_workflow_by_tag"
            )
            raise InvalidStub(msg)


def _cancel(core: ClientCore, name: str, workflow_id: str, method_id: str | None) -> CancelWorkflow:
    return CancelWorkflow(
        message_id=new_id(),
        workflow_name=name,
        workflow_id=workflow_id,
        method_id=method_id,
        requester=core.requester,
        emitted_at=core.transport.now(),
    )


def _retry(core: ClientCore, name: str, workflow_id: str) -> RetryWorkflowTask:
    return RetryWorkflowTask(
        message_id=new_id(),
        workflow_name=name,
        workflow_id=workflow_id,
        requester=core.requester,
        emitted_at=core.transport.now(),
    )


def _refuse_signal(handle: Handle, what: str) -> None:
    handle.refuse_by_tag(what)
    if handle.method is None:
        msg = f"{what}: signal {handle.id} was sent, there is nothing to {what}"
        raise UsageError(msg)
