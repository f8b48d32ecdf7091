"""How workflows and method runs stand."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_common import DeferredStatus, DeferredTimeout
from infinitic_common.failures import (
    DeferredError,
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowFailedError,
    WorkflowUnknownError,
)
from infinitic_common.messages import (
    ClientMessage,
    MethodCompleted,
    MethodFailed,
    QueryAnswered,
    QueryWorkflow,
    WaitWorkflow,
)
from infinitic_common.serialization import encode_untyped

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RecordingTransport

    from infinitic_client import AsyncInfiniticClient, InfiniticClient


class Order(Protocol):
    def process(self) -> str: ...


STATE: dict[str, object] = {
    "workflow_id": "o1",
    "meta": {"key": b"\x00\xff"},
    "properties": {"total": 3},
    "methods": [{"method_id": "o1", "stalled": None, "arguments": [1, "a"], "tasks": []}],
}


def stating(state: object) -> Callable[[object], ClientMessage | None]:
    data = None if state is None else encode_untyped(state)

    def reply(message: object) -> ClientMessage | None:
        if not isinstance(message, QueryWorkflow):
            return None
        return QueryAnswered("a", "client-1", message.request_id, data)

    return reply


async def test_client_23_a_state_is_json_with_meta_in_base64(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = stating(STATE)
    text = await client.get_state_json(client.get_workflow_by_id(Order, "o1"))
    assert text is not None
    assert json.loads(text) == {**STATE, "meta": {"key": "AP8="}}


def test_client_23_the_blocking_form_is_the_same(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = stating(STATE)
    text = blocking.get_state_json(blocking.get_workflow_by_id(Order, "o1"))
    assert json.loads(text or "null")["properties"] == {"total": 3}


async def test_client_23_an_unknown_workflow_has_no_state(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = stating(None)
    assert await client.get_state_json(client.get_workflow_by_id(Order, "o1")) is None


async def test_a_question_has_a_limit(client: AsyncInfiniticClient) -> None:
    stub = client.get_workflow_by_id(Order, "o1")
    with pytest.raises(
        DeferredTimeout, match=r"the status of workflow Order with id 'o1'.*0\.01 s"
    ):
        await client.get_status(stub, timeout=timedelta(seconds=0.01))


def ended(state: object, error: DeferredError | None) -> Callable[[object], ClientMessage | None]:
    """A workflow whose run is not among the running ones: a wait is answered at once."""

    def reply(message: object) -> ClientMessage | None:
        if not isinstance(message, WaitWorkflow):
            return stating(state)(message)
        run = (message.workflow_id, message.method_id)
        if error is not None:
            return MethodFailed("a", "client-1", *run, error)
        return MethodCompleted("a", "client-1", *run, encode_untyped("done"))

    return reply


FAILED = WorkflowFailedError("Order", "o1", "process", "o1", TaskTimedOutError("s", "m", "t"))
STATUSES = [
    (None, DeferredStatus.COMPLETED),
    (FAILED, DeferredStatus.FAILED),
    (WorkflowCanceledError("Order", "o1", None, None), DeferredStatus.CANCELED),
    (WorkflowUnknownError("Order", "o1", None, None), DeferredStatus.UNKNOWN),
]


@pytest.mark.parametrize(("error", "status"), STATUSES)
async def test_a_deferred_tells_how_its_run_ended(
    client: AsyncInfiniticClient,
    transport: RecordingTransport,
    error: DeferredError | None,
    status: DeferredStatus,
) -> None:
    transport.reply = ended({"methods": []}, error)
    deferred = await client.dispatch(client.new_workflow(Order).process)
    assert await deferred.status() is status


async def test_a_deferred_of_a_run_that_waits_for_a_retry_has_failed(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).process)
    stalled = {"methods": [{"method_id": deferred.id, "stalled": "TaskFailedError"}]}
    transport.reply = ended(stalled, FAILED)
    assert await deferred.status() is DeferredStatus.FAILED


def test_a_blocking_deferred_of_a_run_that_goes_on_is_ongoing(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    deferred = blocking.dispatch(blocking.new_workflow(Order).process)
    transport.reply = stating({"methods": [{"method_id": deferred.id, "stalled": None}]})
    assert deferred.status() is DeferredStatus.ONGOING


async def test_a_known_result_is_completed_without_asking(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = ended({"methods": []}, None)
    deferred = await client.dispatch(client.new_workflow(Order).process)
    assert await deferred == "done"
    count = len(transport.messages)
    assert await deferred.status() is DeferredStatus.COMPLETED
    assert len(transport.messages) == count
