"""Waiting for results: which messages ask for them, and what comes of the answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_client import AsyncInfiniticClient
from infinitic_common import (
    DeferredTimeout,
    TaskTimedOut,
    WorkflowCanceled,
    WorkflowFailed,
    WorkflowTimedOut,
    timeout,
)
from infinitic_common.exceptions import TransportError, UsageError
from infinitic_common.failures import (
    DeferredError,
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowFailedError,
)
from infinitic_common.messages import (
    ClientMessage,
    DispatchMethod,
    DispatchWorkflow,
    MethodCompleted,
    MethodFailed,
    WaitWorkflow,
)
from infinitic_common.serialization import encode_untyped, value_codec
from infinitic_common.transport import Topic, TopicKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RecordingTransport

    from infinitic_client import InfiniticClient

TEXT = value_codec(str, place="a text")


class Order(Protocol):
    def process(self, order_id: str) -> str: ...

    async def aprocess(self, order_id: str) -> str: ...

    @timeout(timedelta(milliseconds=20))
    def limited(self) -> str: ...


def completed(workflow_id: str, method_id: str, value: str) -> MethodCompleted:
    return MethodCompleted("answer", "client-1", workflow_id, method_id, TEXT.encode(value))


def complete(message: object) -> ClientMessage | None:
    match message:
        case DispatchWorkflow(client_waiting=True):
            return completed(message.workflow_id, message.workflow_id, "done")
        case DispatchMethod(client_waiting=True):
            return completed(message.workflow_id, message.method_id, "done")
        case WaitWorkflow():
            return completed(message.workflow_id, message.method_id, "waited")
        case _:
            return None


def fail(error: DeferredError) -> Callable[[object], ClientMessage | None]:
    def reply(message: object) -> ClientMessage | None:
        if isinstance(message, DispatchWorkflow):
            run = message.workflow_id
            return MethodFailed("answer", "client-1", run, run, error)
        return None

    return reply


async def test_a_call_asks_for_the_answer_when_it_starts(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    assert await client.call(client.new_workflow(Order).process, "a") == "done"
    (message,) = transport.messages
    assert isinstance(message, DispatchWorkflow)
    assert message.client_waiting


def test_a_blocking_call_by_the_stub(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    assert blocking.new_workflow(Order).process("a") == "done"
    assert blocking.call(blocking.new_workflow(Order).aprocess, "a") == "done"
    assert blocking.get_workflow_by_id(Order, "order-1").process("a") == "done"


async def test_an_awaited_call_by_the_stub(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    assert await client.new_workflow(Order).aprocess("a") == "done"
    assert await client.get_workflow_by_id(Order, "order-1").aprocess("a") == "done"


async def test_a_stub_of_the_other_colour_names_call(client: AsyncInfiniticClient) -> None:
    with pytest.raises(UsageError, match=r"client\.call\(stub\.process"):
        client.new_workflow(Order).process("a")


def test_a_blocking_stub_of_the_other_colour_names_call(blocking: InfiniticClient) -> None:
    with pytest.raises(UsageError, match=r"client\.call\(stub\.aprocess"):
        _ = blocking.new_workflow(Order).aprocess("a")


async def test_a_later_wait_is_a_message(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    deferred = await client.dispatch(client.new_workflow(Order).process, "a")
    assert await deferred == "waited"
    wait = transport.messages[1]
    assert isinstance(wait, WaitWorkflow)
    assert (wait.workflow_id, wait.method_id) == (deferred.id, deferred.id)


def test_a_blocking_wait_is_a_message(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    deferred = blocking.dispatch(blocking.new_workflow(Order).process, "a")
    assert deferred.result() == "waited"
    assert isinstance(transport.messages[1], WaitWorkflow)


async def test_answers_are_consumed_from_the_first_wait_on(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    stub = client.new_workflow(Order)
    await asyncio.gather(*(client.call(stub.process, "a") for _ in range(3)))
    (subscription,) = transport.subscriptions
    assert subscription.topics == (Topic(TopicKind.CLIENT_RESPONSE, "client-1"),)
    assert not subscription.durable


async def test_a_known_result_is_not_asked_for_again(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    deferred = await client.dispatch(client.new_workflow(Order).process, "a")
    assert [await deferred, await deferred] == ["waited", "waited"]
    assert len(transport.messages) == 2


async def test_two_waits_for_one_run_get_one_answer(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).process, "a")
    waits = [asyncio.ensure_future(deferred.result()) for _ in range(2)]
    await transport.has_published(3)
    await transport.answer(completed(deferred.id, deferred.id, "both"))
    assert await asyncio.gather(*waits) == ["both", "both"]


async def test_an_answer_that_nobody_waits_for_is_ignored(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    await client.call(client.new_workflow(Order).process, "a")
    await transport.answer(completed("other", "other", "late"))


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (WorkflowCanceledError("Order", "id", None, None), WorkflowCanceled),
        (
            WorkflowFailedError("Order", "id", "process", "id", TaskTimedOutError("S", "m", "t")),
            WorkflowFailed,
        ),
    ],
)
async def test_a_failure_is_raised(
    client: AsyncInfiniticClient,
    transport: RecordingTransport,
    error: DeferredError,
    raised: type[Exception],
) -> None:
    transport.reply = fail(error)
    with pytest.raises(raised):
        await client.call(client.new_workflow(Order).process, "a")


async def test_a_failure_tells_its_cause(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    error = WorkflowFailedError("Order", "id", "process", "id", TaskTimedOutError("S", "m", "t"))
    transport.reply = fail(error)
    with pytest.raises(WorkflowFailed) as info:
        await client.call(client.new_workflow(Order).process, "a")
    assert isinstance(info.value.cause, TaskTimedOut)


async def test_after_a_failure_a_new_wait_asks_again(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = fail(WorkflowCanceledError("Order", "id", None, None))
    with pytest.raises(WorkflowCanceled):
        await client.call(client.new_workflow(Order).process, "a")
    transport.reply = complete
    deferred = client.last_deferred
    assert deferred is not None
    assert await deferred == "waited"


async def test_a_wait_has_its_own_limit(client: AsyncInfiniticClient) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).process, "a")
    with pytest.raises(DeferredTimeout, match=r"within 0\.01 s"):
        await deferred.result(timeout=timedelta(milliseconds=10))


async def test_the_limit_of_a_wait_is_a_duration(client: AsyncInfiniticClient) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).process, "a")
    with pytest.raises(UsageError, match="timeout=5 must be a duration"):
        await deferred.result(timeout=5)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(UsageError, match="timeout=5 must be a duration"):
        await client.get_status(
            client.get_workflow_by_id(Order, "a"),
            timeout=5,  # type: ignore[arg-type]  # what is refused
        )


def test_a_blocking_wait_has_its_own_limit(blocking: InfiniticClient) -> None:
    deferred = blocking.dispatch(blocking.new_workflow(Order).process, "a")
    with pytest.raises(DeferredTimeout):
        deferred.result(timeout=timedelta(milliseconds=10))


async def test_the_limit_of_the_contract_counts_for_the_client(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).limited)
    with pytest.raises(WorkflowTimedOut) as info:
        await deferred
    assert (info.value.workflow_id, info.value.method_name) == (deferred.id, "limited")


async def test_the_limit_of_the_contract_counts_for_a_call(client: AsyncInfiniticClient) -> None:
    with pytest.raises(WorkflowTimedOut):
        await client.call(client.new_workflow(Order).limited)


async def test_deferred_03_the_last_deferred_is_that_of_the_latest_call(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    before = client.last_deferred
    transport.reply = complete
    await client.call(client.new_workflow(Order).process, "a")
    first = transport.messages[0]
    assert isinstance(first, DispatchWorkflow)
    deferred = client.last_deferred
    assert before is None
    assert deferred is not None
    assert (deferred.id, deferred.name) == (first.workflow_id, "Order")
    assert await deferred == "done"


def test_deferred_03_the_last_deferred_of_a_blocking_call(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = complete
    blocking.new_workflow(Order).process("a")
    first = transport.messages[0]
    assert isinstance(first, DispatchWorkflow)
    deferred = blocking.last_deferred
    assert deferred is not None
    assert deferred.id == first.workflow_id
    assert deferred.result() == "done"


async def test_closing_ends_a_wait(transport: RecordingTransport) -> None:
    client = AsyncInfiniticClient(transport=transport)
    deferred = await client.dispatch(client.new_workflow(Order).process, "a")
    wait = asyncio.ensure_future(deferred.result())
    await transport.has_published(2)
    await client.close()
    with pytest.raises(TransportError, match="is closed"):
        await wait


async def test_a_result_of_another_type_is_an_error(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = lambda message: (
        MethodCompleted(
            "answer", "client-1", message.workflow_id, message.workflow_id, encode_untyped(1)
        )
        if isinstance(message, DispatchWorkflow)
        else None
    )
    with pytest.raises(Exception, match=r"the result of Order\.process"):
        await client.call(client.new_workflow(Order).process, "a")
