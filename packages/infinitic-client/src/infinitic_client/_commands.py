"""What a client asks of running workflows, and what it learns about them."""

from collections.abc import Callable
from typing import cast

import attrs

from infinitic_client._core import ClientCore, refuse_in_workflow
from infinitic_common.contracts import Contract, attribute_codec, contract_of
from infinitic_common.deferred import DeferredStatus
from infinitic_common.exceptions import InvalidStub, UsageError
from infinitic_common.ids import new_id
from infinitic_common.messages import (
    CancelWorkflow,
    CompleteTimers,
    GetWorkflowIdsByTag,
    QueryAnswered,
    QueryWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    WorkflowIdsByTag,
)
from infinitic_common.serialization import decode_untyped
from infinitic_common.stubs import WorkflowById, WorkflowByTag, target_of


async def cancel(core: ClientCore, stub: object) -> None:
    """Cancel every method run of a workflow."""
    target = _by_id(stub, "cancel")
    await core.post(
        CancelWorkflow(
            message_id=new_id(),
            workflow_name=target.contract.name,
            workflow_id=target.workflow_id,
            method_id=None,
            requester=core.requester,
            emitted_at=core.transport.now(),
        )
    )


async def complete_timers(core: ClientCore, stub: object, method_id: str | None) -> None:
    """End now the running timers of a method run, or of all."""
    target = _by_id(stub, "complete_timers")
    await core.post(
        CompleteTimers(
            message_id=new_id(),
            workflow_name=target.contract.name,
            workflow_id=target.workflow_id,
            method_id=method_id,
            requester=core.requester,
            emitted_at=core.transport.now(),
        )
    )


async def retry_workflow_task(core: ClientCore, stub: object) -> None:
    """Run again the code of a workflow, where it is stalled."""
    target = _by_id(stub, "retry_workflow_task")
    await core.post(
        RetryWorkflowTask(
            message_id=new_id(),
            workflow_name=target.contract.name,
            workflow_id=target.workflow_id,
            requester=core.requester,
            emitted_at=core.transport.now(),
        )
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
        if self.service is None or isinstance(self.service, str):
            return self.service
        return contract_of(self.service).name


async def retry_tasks(
    core: ClientCore, stub: object, filters: TaskFilters, *, all_tasks: bool
) -> None:
    """Run again the tasks of a workflow that match every filter."""
    target = _by_id(stub, "retry_tasks")
    if not all_tasks and filters == TaskFilters(None, None, None):
        msg = "retry_tasks: give task_id, status or service; all_tasks=True retries every task"
        raise UsageError(msg)
    await core.post(
        RetryTasks(
            message_id=new_id(),
            workflow_name=target.contract.name,
            workflow_id=target.workflow_id,
            task_id=filters.task_id,
            task_status=None if filters.status is None else filters.status.value,
            service_name=filters.service_name,
            requester=core.requester,
            emitted_at=core.transport.now(),
        )
    )


async def get_ids(core: ClientCore, stub: object) -> frozenset[str]:
    """Ids of the running workflows that have the tag of the stub."""
    refuse_in_workflow()
    target = target_of(stub)
    if not isinstance(target, WorkflowByTag):
        msg = f"get_ids: {target} is not by tag: make the stub with get_workflow_by_tag"
        raise InvalidStub(msg)
    request_id = new_id()
    question = GetWorkflowIdsByTag(
        request_id, target.contract.name, target.tag, request_id, core.requester
    )
    answer = await core.ask(request_id, question)
    return frozenset(answer.workflow_ids) if isinstance(answer, WorkflowIdsByTag) else frozenset()


async def get_status(core: ClientCore, stub: object) -> str | None:
    """What a workflow does, in one word."""
    answer = await _query(core, _by_id(stub, "get_status"), "status", None)
    return None if answer is None else str(decode_untyped(answer))


async def get_state(core: ClientCore, stub: object) -> dict[str, object] | None:
    """All that is known about a workflow, as plain data."""
    answer = await _query(core, _by_id(stub, "get_state"), "state", None)
    return None if answer is None else cast("dict[str, object]", decode_untyped(answer))


async def get_property(core: ClientCore, stub: object, name: str) -> object:
    """The value of a property of a workflow, by the type that the contract gives it."""
    target = _by_id(stub, "get_property")
    answer = await _query(core, target, "property", name)
    return None if answer is None else _decode_property(target.contract, name, answer)


def _decode_property(contract: Contract, name: str, data: bytes) -> object:
    codec = attribute_codec(contract, name)
    return decode_untyped(data) if codec is None else codec.decode(data)


async def _query(
    core: ClientCore, target: WorkflowById, query: str, argument: str | None
) -> bytes | None:
    request_id = new_id()
    question = QueryWorkflow(
        message_id=request_id,
        workflow_name=target.contract.name,
        workflow_id=target.workflow_id,
        request_id=request_id,
        query=query,
        argument=argument,
        requester=core.requester,
        emitted_at=core.transport.now(),
    )
    answer = await core.ask(request_id, question)
    return answer.answer if isinstance(answer, QueryAnswered) else None


def _by_id(stub: object, what: str) -> WorkflowById:
    refuse_in_workflow()
    target = target_of(stub)
    if not isinstance(target, WorkflowById):
        remedy = (
            "use get_ids, then a stub by id for each"
            if isinstance(target, WorkflowByTag)
            else "make the stub with get_workflow_by_id"
        )
        msg = f"{what}: {target} is not one running workflow: {remedy}"
        raise InvalidStub(msg)
    return target
