"""What goes to every running workflow that has a tag: one message, to the tag engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_common import Channel, DeferredStatus, channel
from infinitic_common.codec import decode
from infinitic_common.exceptions import InvalidStub, NotForTags
from infinitic_common.messages import (
    CancelWorkflow,
    CommandByTag,
    CompleteTimers,
    DispatchMethod,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.serialization import value_codec
from infinitic_common.transport import TopicKind

if TYPE_CHECKING:
    from conftest import RecordingTransport

    from infinitic_client import AsyncInfiniticClient, InfiniticClient

BOOLEAN = value_codec(bool, place="a boolean")


class Order(Protocol):
    approvals: Channel[bool] = channel()

    def process(self, order_id: str) -> str: ...

    async def aprocess(self, order_id: str) -> str: ...


def command(transport: RecordingTransport) -> object:
    """The command in the only message, which goes to the tag engine."""
    [(topic, message)] = transport.published
    assert topic.kind is TopicKind.WORKFLOW_TAG_ENGINE
    assert isinstance(message, CommandByTag)
    assert (message.workflow_name, message.tag) == ("Order", "vip")
    assert message.requester == ClientRequester("client-1")
    assert message.cursor is None
    inner = decode(message.command)
    assert getattr(inner, "workflow_id", None) == ""
    assert getattr(inner, "message_id", None) == message.message_id
    return inner


async def test_client_12_a_signal_by_tag_is_one_message(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.send(client.get_workflow_by_tag(Order, "vip").approvals, True)  # noqa: FBT003 - a signal
    sent = command(transport)
    assert isinstance(sent, SendSignal)
    assert (sent.channel_name, sent.value) == ("approvals", BOOLEAN.encode(value=True))
    assert sent.value_types == ("bool", "int")


def test_client_12_a_blocking_signal_by_tag_is_the_same(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    blocking.get_workflow_by_tag(Order, "vip").approvals.send(True)  # noqa: FBT003 - a signal
    assert isinstance(command(transport), SendSignal)


async def test_client_12_a_dispatched_signal_by_tag_has_its_signal_id(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.get_workflow_by_tag(Order, "vip")
    deferred = await client.dispatch(stub.approvals.send, True)  # noqa: FBT003 - a signal
    sent = command(transport)
    assert isinstance(sent, SendSignal)
    assert deferred.id == sent.signal_id
    await deferred


async def test_client_16_a_method_by_tag_is_one_message(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    _ = await client.dispatch(client.get_workflow_by_tag(Order, "vip").process, "a")
    sent = command(transport)
    assert isinstance(sent, DispatchMethod)
    assert (sent.method_name, sent.client_waiting) == ("process", False)
    assert sent.method_id == sent.message_id


async def test_client_17_cancel_by_tag_is_one_message(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.cancel(client.get_workflow_by_tag(Order, "vip"))
    sent = command(transport)
    assert isinstance(sent, CancelWorkflow)
    assert sent.method_id is None


def test_client_17_a_blocking_cancel_by_tag_is_the_same(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    blocking.cancel(blocking.get_workflow_by_tag(Order, "vip"))
    assert isinstance(command(transport), CancelWorkflow)


async def test_client_15_timers_by_tag_are_one_message(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.complete_timers(client.get_workflow_by_tag(Order, "vip"))
    assert isinstance(command(transport), CompleteTimers)


async def test_client_14_a_retry_of_tasks_by_tag_is_one_message(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.get_workflow_by_tag(Order, "vip")
    await client.retry_tasks(stub, status=DeferredStatus.FAILED)
    sent = command(transport)
    assert isinstance(sent, RetryTasks)
    assert (sent.task_id, sent.task_status, sent.service_name) == (None, "FAILED", None)


async def test_a_retry_of_code_by_tag_is_one_message(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.retry_workflow_task(client.get_workflow_by_tag(Order, "vip"))
    assert isinstance(command(transport), RetryWorkflowTask)


async def test_method_04_a_call_by_tag_is_refused_and_sends_nothing(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.get_workflow_by_tag(Order, "vip")
    with pytest.raises(NotImplementedError, match="use get_ids"):
        await client.call(stub.process, "a")
    with pytest.raises(NotForTags):
        await stub.aprocess("a")
    assert transport.messages == []


def test_method_04_a_blocking_call_by_tag_is_refused_and_sends_nothing(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    stub = blocking.get_workflow_by_tag(Order, "vip")
    with pytest.raises(NotImplementedError, match="use get_ids"):
        stub.process("a")
    with pytest.raises(InvalidStub):
        blocking.call(stub.aprocess, "a")
    assert transport.messages == []


async def test_a_deferred_by_tag_has_no_id_no_result_and_no_actions(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.get_workflow_by_tag(Order, "vip").process, "a")
    with pytest.raises(NotImplementedError, match="the id of"):
        _ = deferred.id
    with pytest.raises(NotImplementedError):
        _ = deferred.workflow_id
    for action in (deferred.result, deferred.cancel, deferred.retry, deferred.status):
        with pytest.raises(NotForTags):
            await action()
    assert deferred.name == "Order"
    assert "tag 'vip'" in repr(deferred)
