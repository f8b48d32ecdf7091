"""What a client learns about workflows."""

import json
from datetime import timedelta
from typing import cast

from infinitic_client._core import ClientCore, refuse_in_workflow, within
from infinitic_common.contracts import Contract, attribute_codec
from infinitic_common.exceptions import InvalidIdTagSelection, InvalidStub
from infinitic_common.ids import new_id
from infinitic_common.messages import (
    GetWorkflowIdsByTag,
    QueryAnswered,
    QueryWorkflow,
    WorkflowIdsByTag,
)
from infinitic_common.serialization import decode_untyped, to_json
from infinitic_common.stubs import WorkflowById, WorkflowByTag, target_of


async def get_ids(core: ClientCore, stub: object, limit: timedelta | None) -> frozenset[str]:
    """Ids of the running workflows that have the tag of the stub."""
    target = _by_tag(stub, "get_ids")
    request_id, name = new_id(), target.contract.name

    def question(message_id: str) -> GetWorkflowIdsByTag:
        return GetWorkflowIdsByTag(message_id, name, target.tag, request_id, core.requester)

    async with within(limit, f"the ids of the {target}"):
        answer = await core.ask(request_id, question, f"tag engine of workflow {name}")
    return frozenset(answer.workflow_ids) if isinstance(answer, WorkflowIdsByTag) else frozenset()


async def get_status(core: ClientCore, stub: object, limit: timedelta | None) -> str | None:
    """What a workflow does, in one word."""
    answer = await _asked(core, stub, ("status", None), limit)
    return None if answer is None else str(decode_untyped(answer))


async def get_state(
    core: ClientCore, stub: object, limit: timedelta | None
) -> dict[str, object] | None:
    """All that is known about a workflow, as plain data."""
    answer = await _asked(core, stub, ("state", None), limit)
    return _as_data(answer)


async def get_state_json(core: ClientCore, stub: object, limit: timedelta | None) -> str | None:
    """All that is known about a workflow, as JSON; bytes, as those of meta, in Base64."""
    answer = await _asked(core, stub, ("state", None), limit)
    return None if answer is None else json.dumps(to_json(answer), indent=2, ensure_ascii=False)


async def get_property(
    core: ClientCore, stub: object, name: str, limit: timedelta | None
) -> object:
    """The value of a property of a workflow, by the type that the contract gives it."""
    contract = _by_id(stub, "get_property").contract
    answer = await _asked(core, stub, ("property", name), limit)
    return None if answer is None else _decode_property(contract, name, answer)


async def state_of(
    core: ClientCore, workflow_name: str, workflow_id: str
) -> dict[str, object] | None:
    """All that is known about the workflow of a name and an id, as plain data."""
    answer = await _query(core, (workflow_name, workflow_id), ("state", None))
    return _as_data(answer)


def _as_data(answer: bytes | None) -> dict[str, object] | None:
    return None if answer is None else cast("dict[str, object]", decode_untyped(answer))


def _decode_property(contract: Contract, name: str, data: bytes) -> object:
    codec = attribute_codec(contract, name)
    return decode_untyped(data) if codec is None else codec.decode(data)


async def _asked(
    core: ClientCore, stub: object, query: tuple[str, str | None], limit: timedelta | None
) -> bytes | None:
    target = _by_id(stub, f"get_{query[0]}")
    async with within(limit, f"the {query[0]} of {target}"):
        return await _query(core, (target.contract.name, target.workflow_id), query)


async def _query(
    core: ClientCore, workflow: tuple[str, str], query: tuple[str, str | None]
) -> bytes | None:
    request_id, (name, workflow_id) = new_id(), workflow

    def question(message_id: str) -> QueryWorkflow:
        return QueryWorkflow(
            message_id=message_id,
            workflow_name=name,
            workflow_id=workflow_id,
            request_id=request_id,
            query=query[0],
            argument=query[1],
            requester=core.requester,
            emitted_at=core.transport.now(),
        )

    answer = await core.ask(request_id, question, f"state engine of workflow {name}")
    return answer.answer if isinstance(answer, QueryAnswered) else None


def _by_id(stub: object, what: str) -> WorkflowById:
    refuse_in_workflow()
    target = target_of(stub)
    if isinstance(target, WorkflowById):
        return target
    if isinstance(target, WorkflowByTag):
        msg = f"{what}: {target} are not one workflow: use get_ids, then a stub by id for each"
        raise InvalidIdTagSelection(msg)
    msg = f"{what}: {target} is no running workflow: make the stub with get_workflow_by_id"
    raise InvalidStub(msg)


def _by_tag(stub: object, what: str) -> WorkflowByTag:
    refuse_in_workflow()
    target = target_of(stub)
    if isinstance(target, WorkflowByTag):
        return target
    msg = f"{what}: {target} is not by tag: make the stub with get_workflow_by_tag"
    raise InvalidIdTagSelection(msg) if isinstance(target, WorkflowById) else InvalidStub(msg)
