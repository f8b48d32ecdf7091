"""Commands on running workflows, signals and questions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_client import AsyncInfiniticClient
from infinitic_common import Channel, DeferredStatus, channel, name
from infinitic_common.exceptions import (
    InvalidChannelUsage,
    InvalidIdTagSelection,
    InvalidStub,
    UsageError,
)
from infinitic_common.messages import (
    CancelWorkflow,
    ClientMessage,
    CompleteTimers,
    GetWorkflowIdsByTag,
    QueryAnswered,
    QueryWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    WorkflowIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.serialization import encode_untyped, value_codec

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RecordingTransport

    from infinitic_client import InfiniticClient

ME = ClientRequester("client-1")
BOOLEAN = value_codec(bool, place="a boolean")


@name("payments")
class Payments(Protocol):
    def charge(self) -> None: ...


class Order(Protocol):
    total: int
    approvals: Channel[bool] = channel()

    def process(self) -> str: ...


def signal(transport: RecordingTransport) -> SendSignal:
    (message,) = transport.messages
    assert isinstance(message, SendSignal)
    return message


async def test_client_11_a_signal_is_one_command(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.send(client.get_workflow_by_id(Order, "order-1").approvals, True)  # noqa: FBT003 - a signal
    sent = signal(transport)
    assert (sent.workflow_name, sent.workflow_id) == ("Order", "order-1")
    assert (sent.channel_name, sent.value) == ("approvals", BOOLEAN.encode(value=True))
    assert sent.value_types == ("bool", "int")
    assert sent.signal_id == sent.message_id
    assert sent.requester == ME


def test_client_11_a_blocking_signal_is_the_same(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    blocking.get_workflow_by_id(Order, "order-1").approvals.send(False)  # noqa: FBT003 - a signal
    assert signal(transport).value == BOOLEAN.encode(value=False)


def test_a_blocking_client_sends_with_the_same_name(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    blocking.send(blocking.get_workflow_by_id(Order, "order-1").approvals, False)  # noqa: FBT003 - a signal
    assert signal(transport).workflow_id == "order-1"


async def test_a_dispatched_signal_has_the_signal_id(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.get_workflow_by_id(Order, "order-1")
    deferred = await client.dispatch(stub.approvals.send, True)  # noqa: FBT003 - a signal
    assert deferred.id == signal(transport).signal_id
    await deferred
    with pytest.raises(UsageError, match="nothing to cancel"):
        await deferred.cancel()
    assert client.last_deferred is None


async def test_a_called_signal_is_sent_and_waits_for_no_answer(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.get_workflow_by_id(Order, "order-1")
    async with asyncio.timeout(30):
        await client.call(stub.approvals.send, True)  # noqa: FBT003 - a signal
    assert signal(transport).value == BOOLEAN.encode(value=True)


async def test_client_10_a_new_workflow_has_no_channel_yet(client: AsyncInfiniticClient) -> None:
    with pytest.raises(InvalidChannelUsage, match="running workflows"):
        await client.send(client.new_workflow(Order).approvals, True)  # noqa: FBT003 - a signal


async def test_a_direct_send_names_the_awaited_one(client: AsyncInfiniticClient) -> None:
    with pytest.raises(InvalidChannelUsage, match=r"await client\.send\(stub\.approvals"):
        client.get_workflow_by_id(Order, "order-1").approvals.send(True)  # noqa: FBT003 - a signal


async def test_a_channel_of_no_stub_is_refused(client: AsyncInfiniticClient) -> None:
    with pytest.raises(InvalidStub):
        await client.send(Order.approvals, True)  # noqa: FBT003 - a signal


async def test_client_17_cancel_is_one_command(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.cancel(client.get_workflow_by_id(Order, "order-1"))
    (sent,) = transport.messages
    assert isinstance(sent, CancelWorkflow)
    assert (sent.workflow_id, sent.method_id) == ("order-1", None)


async def test_a_deferred_cancels_its_workflow_or_its_method(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    started = await client.dispatch(client.new_workflow(Order).process)
    method = await client.dispatch(client.get_workflow_by_id(Order, "order-1").process)
    await started.cancel()
    await method.cancel()
    cancelled = [
        (message.workflow_id, message.method_id)
        for message in transport.messages
        if isinstance(message, CancelWorkflow)
    ]
    assert cancelled == [(started.id, None), ("order-1", method.id)]


async def test_a_deferred_retries_its_workflow(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).process)
    await deferred.retry()
    sent = transport.messages[1]
    assert isinstance(sent, RetryWorkflowTask)
    assert sent.workflow_id == deferred.id


def test_a_blocking_deferred_cancels_and_retries(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    deferred = blocking.dispatch(blocking.new_workflow(Order).process)
    deferred.cancel()
    deferred.retry()
    kinds = [type(message) for message in transport.messages[1:]]
    assert kinds == [CancelWorkflow, RetryWorkflowTask]


async def test_client_15_timers_are_completed_for_one_run_or_all(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.get_workflow_by_id(Order, "order-1")
    await client.complete_timers(stub)
    await client.complete_timers(stub, "run")
    methods = [
        message.method_id for message in transport.messages if isinstance(message, CompleteTimers)
    ]
    assert methods == [None, "run"]


async def test_client_14_tasks_are_retried_by_filters(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.get_workflow_by_id(Order, "order-1")
    await client.retry_tasks(stub, "task-1")
    await client.retry_tasks(stub, status=DeferredStatus.FAILED, service=Payments)
    await client.retry_tasks(stub, service="payments")
    await client.retry_tasks(stub, all=True)
    filters = [
        (message.task_id, message.task_status, message.service_name)
        for message in transport.messages
        if isinstance(message, RetryTasks)
    ]
    assert filters == [
        ("task-1", None, None),
        (None, "FAILED", "payments"),
        (None, None, "payments"),
        (None, None, None),
    ]


async def test_a_retry_of_every_task_is_said_in_words(client: AsyncInfiniticClient) -> None:
    with pytest.raises(UsageError, match="all=True"):
        await client.retry_tasks(client.get_workflow_by_id(Order, "order-1"))


async def test_an_unknown_status_of_tasks_is_refused(client: AsyncInfiniticClient) -> None:
    stub = client.get_workflow_by_id(Order, "order-1")
    with pytest.raises(UsageError, match="status='BROKEN' must be one of ONGOING, COMPLETED"):
        await client.retry_tasks(stub, status="BROKEN")  # type: ignore[arg-type]  # what is refused


async def test_the_code_of_a_workflow_is_retried(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.retry_workflow_task(client.get_workflow_by_id(Order, "order-1"))
    assert isinstance(transport.messages[0], RetryWorkflowTask)


def test_client_14_15_17_every_blocking_command_is_sent(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    stub = blocking.get_workflow_by_id(Order, "order-1")
    blocking.cancel(stub)
    blocking.complete_timers(stub)
    blocking.retry_tasks(stub, "task-1")
    blocking.retry_workflow_task(stub)
    kinds = [type(message) for message in transport.messages]
    assert kinds == [CancelWorkflow, CompleteTimers, RetryTasks, RetryWorkflowTask]


@pytest.mark.parametrize("wrong", [5, ""])
async def test_an_id_that_is_no_text_is_refused(
    client: AsyncInfiniticClient, transport: RecordingTransport, wrong: str
) -> None:
    stub = client.get_workflow_by_id(Order, "order-1")
    for command in (client.cancel, client.complete_timers, client.retry_tasks):
        with pytest.raises(InvalidStub, match="must be a text"):
            await command(stub, wrong)
    assert transport.messages == []


@pytest.mark.parametrize("make", [AsyncInfiniticClient.new_workflow, lambda *_: object()])
async def test_a_command_needs_a_stub_of_running_workflows(
    client: AsyncInfiniticClient,
    make: Callable[[AsyncInfiniticClient, type[Order]], object],
) -> None:
    stub = make(client, Order)  # type: ignore[type-abstract]  # contracts are
    with pytest.raises(InvalidStub):
        await client.cancel(stub)
    with pytest.raises(InvalidStub):
        await client.complete_timers(stub)
    with pytest.raises(InvalidStub):
        await client.get_status(stub)
    with pytest.raises(InvalidStub):
        await client.get_ids(stub)


async def test_a_question_about_workflows_by_tag_names_the_mistake(
    client: AsyncInfiniticClient,
) -> None:
    with pytest.raises(InvalidIdTagSelection, match="use get_ids"):
        await client.get_state(client.get_workflow_by_tag(Order, "vip"))


async def test_one_method_run_is_cancelled(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.cancel(client.get_workflow_by_id(Order, "order-1"), "run")
    (sent,) = transport.messages
    assert isinstance(sent, CancelWorkflow)
    assert sent.method_id == "run"


def answer(message: object) -> ClientMessage | None:
    match message:
        case QueryWorkflow(workflow_id="unknown"):
            return QueryAnswered("a", "client-1", message.request_id, None)
        case QueryWorkflow(query="status"):
            return QueryAnswered("a", "client-1", message.request_id, encode_untyped("WAITING"))
        case QueryWorkflow(query="state"):
            state = {"status": "WAITING", "tags": ["vip"]}
            return QueryAnswered("a", "client-1", message.request_id, encode_untyped(state))
        case QueryWorkflow(query="property"):
            return QueryAnswered("a", "client-1", message.request_id, encode_untyped(42))
        case GetWorkflowIdsByTag():
            return WorkflowIdsByTag("a", "client-1", message.request_id, ("one", "two"))
        case _:
            return None


async def test_questions_are_answered(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = answer
    stub = client.get_workflow_by_id(Order, "order-1")
    assert await client.get_status(stub) == "WAITING"
    assert await client.get_state(stub) == {"status": "WAITING", "tags": ["vip"]}
    assert await client.get_property(stub, "total") == 42
    assert await client.get_property(stub, "other") == 42


async def test_an_unknown_workflow_gives_none(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = answer
    stub = client.get_workflow_by_id(Order, "unknown")
    assert await client.get_status(stub) is None
    assert await client.get_state(stub) is None
    assert await client.get_property(stub, "total") is None


def test_blocking_questions_are_answered(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = answer
    stub = blocking.get_workflow_by_id(Order, "order-1")
    assert blocking.get_status(stub) == "WAITING"
    assert blocking.get_state(stub) == {"status": "WAITING", "tags": ["vip"]}
    assert blocking.get_property(stub, "total") == 42
    assert blocking.get_ids(blocking.get_workflow_by_tag(Order, "vip")) == {"one", "two"}


async def test_client_19_ids_by_tag_are_one_question(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = answer
    assert await client.get_ids(client.get_workflow_by_tag(Order, "vip")) == {"one", "two"}
    (question,) = transport.messages
    assert isinstance(question, GetWorkflowIdsByTag)
    assert (question.workflow_name, question.tag, question.requester) == ("Order", "vip", ME)


async def test_ids_need_a_stub_by_tag(client: AsyncInfiniticClient) -> None:
    with pytest.raises(InvalidIdTagSelection, match="get_workflow_by_tag"):
        await client.get_ids(client.get_workflow_by_id(Order, "order-1"))


async def test_a_method_is_no_channel_to_send_to(client: AsyncInfiniticClient) -> None:
    with pytest.raises(InvalidStub, match=r"is no channel.* dispatch or call"):
        await client.send(client.get_workflow_by_id(Order, "order-1").process, True)  # type: ignore[arg-type]  # noqa: FBT003 - what is refused


def test_a_blocking_client_sends_to_channels_too(blocking: InfiniticClient) -> None:
    with pytest.raises(InvalidStub, match=r"is no channel.* dispatch or call"):
        blocking.send(blocking.get_workflow_by_id(Order, "order-1").process, True)  # type: ignore[arg-type]  # noqa: FBT003 - what is refused
