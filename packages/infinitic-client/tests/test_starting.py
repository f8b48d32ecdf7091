"""Starting workflows and methods: what is sent, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_common import Channel, Workflow, channel, name, new_service
from infinitic_common.exceptions import (
    InvalidArguments,
    InvalidStub,
    PayloadTooLarge,
    TransportUnavailable,
    UsageError,
)
from infinitic_common.messages import AddTagToWorkflow, DispatchMethod, DispatchWorkflow
from infinitic_common.requesters import ClientRequester
from infinitic_common.serialization import value_codec
from infinitic_common.testing.workflow_run import FakeWorkflowRun
from infinitic_common.transport import TopicKind

if TYPE_CHECKING:
    from conftest import RecordingTransport

    from infinitic_client import AsyncInfiniticClient, InfiniticClient

ME = ClientRequester("client-1")


class Parent(Protocol):
    def parent(self) -> str: ...


class Order(Parent, Protocol):
    approvals: Channel[bool] = channel()

    def process(self) -> str: ...

    def count(self, number: int, text: str = "x") -> str: ...


@name("foo")
class Named(Protocol):
    @name("bar")
    def method(self) -> str: ...


class OrderImpl(Workflow, Order):
    def parent(self) -> str:
        return "ok"

    def process(self) -> str:
        return "ok"

    def count(self, number: int, text: str = "x") -> str:
        return text * number


def dispatched(transport: RecordingTransport) -> DispatchWorkflow:
    message = transport.messages[-1]
    assert isinstance(message, DispatchWorkflow)
    return message


async def test_client_01_a_dispatch_is_one_command(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).process)
    expected = DispatchWorkflow(
        message_id=deferred.id,
        workflow_name="Order",
        workflow_id=deferred.id,
        method_name="process",
        arguments=(),
        tags=frozenset(),
        meta={},
        requester=ME,
        client_waiting=False,
        emitted_at=1000,
    )
    assert transport.messages == [expected]
    assert transport.published[0][0].kind is TopicKind.WORKFLOW_STATE_CMD
    assert transport.subscriptions == []


def test_a_blocking_client_sends_the_same(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    deferred = blocking.dispatch(blocking.new_workflow(Order).process)
    message = dispatched(transport)
    assert (message.workflow_id, message.client_waiting) == (deferred.id, False)
    assert (deferred.name, deferred.workflow_id) == ("Order", deferred.id)
    assert transport.subscriptions == []


async def test_client_02_a_method_of_a_parent_is_a_method_of_the_contract(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    _ = await client.dispatch(client.new_workflow(Order).parent)
    message = dispatched(transport)
    assert (message.workflow_name, message.method_name) == ("Order", "parent")


async def test_naming_05_marked_names_travel(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    _ = await client.dispatch(client.new_workflow(Named).method)
    message = dispatched(transport)
    assert (message.workflow_name, message.method_name) == ("foo", "bar")


async def test_client_03_meta_travel(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    _ = await client.dispatch(client.new_workflow(Order, meta={"foo": b"bar"}).process)
    assert dispatched(transport).meta == {"foo": b"bar"}


async def test_client_04_tags_are_added_before_the_start(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.new_workflow(Order, tags={"foo", "bar"})
    deferred = await client.dispatch(stub.process)
    *tags, start = transport.messages
    added = [
        (tag.tag, tag.workflow_id, tag.workflow_name)
        for tag in tags
        if isinstance(tag, AddTagToWorkflow)
    ]
    assert added == [("bar", deferred.id, "Order"), ("foo", deferred.id, "Order")]
    assert isinstance(start, DispatchWorkflow)
    assert start.tags == {"foo", "bar"}
    kinds = [topic.kind for topic in transport.calls]
    assert kinds == [TopicKind.WORKFLOW_TAG_ENGINE, TopicKind.WORKFLOW_STATE_CMD]


async def test_client_05_arguments_are_encoded_in_order(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    number = value_codec(int, place="a number").encode(3)
    text = value_codec(str, place="a text")
    stub = client.new_workflow(Order)
    _ = await client.dispatch(stub.count, 3)
    assert dispatched(transport).arguments == (number, text.encode("x"))
    _ = await client.dispatch(stub.count, text="y", number=3)
    assert dispatched(transport).arguments == (number, text.encode("y"))


async def test_client_07_dispatches_of_one_moment_are_published_together(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.new_workflow(Order)
    deferreds = await asyncio.gather(*(client.dispatch(stub.process) for _ in range(100)))
    assert len(transport.calls) == 1
    sent = [
        message.workflow_id
        for message in transport.messages
        if isinstance(message, DispatchWorkflow)
    ]
    assert sent == [deferred.id for deferred in deferreds]
    assert len(set(sent)) == 100


async def test_client_16_a_method_on_a_running_workflow_has_an_id_of_its_own(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    deferred = await client.dispatch(client.get_workflow_by_id(Order, "order-1").process)
    expected = DispatchMethod(
        message_id=deferred.id,
        workflow_name="Order",
        workflow_id="order-1",
        method_id=deferred.id,
        method_name="process",
        arguments=(),
        requester=ME,
        client_waiting=False,
        emitted_at=1000,
    )
    assert transport.messages == [expected]
    assert deferred.workflow_id == "order-1"


async def test_client_21_a_real_instance_is_no_stub(client: AsyncInfiniticClient) -> None:
    with pytest.raises(InvalidStub, match="no method of a stub"):
        _ = await client.dispatch(OrderImpl().process)


async def test_a_client_calls_no_service(client: AsyncInfiniticClient) -> None:
    with pytest.raises(InvalidStub, match="called by a workflow"):
        _ = await client.dispatch(new_service(Named).method)


async def test_arguments_that_do_not_fit_send_nothing(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    with pytest.raises(InvalidArguments, match=r"Order\.process"):
        await client.dispatch(client.new_workflow(Order).process, 1)  # type: ignore[call-overload]  # what is refused
    assert transport.messages == []


async def test_arguments_too_large_for_the_broker_are_refused(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    with pytest.raises(PayloadTooLarge, match="the limit is 10000"):
        _ = await client.dispatch(client.new_workflow(Order).count, 1, "x" * 10_000)
    assert transport.messages == []


async def test_a_broker_that_is_away_fails_the_dispatch(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.failure = TransportUnavailable("no broker")
    with pytest.raises(TransportUnavailable, match="no broker"):
        _ = await client.dispatch(client.new_workflow(Order).process)


async def test_workflow_code_uses_no_client(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    stub = client.new_workflow(Order)
    with FakeWorkflowRun().active(), pytest.raises(UsageError, match="uses a client"):
        _ = await client.dispatch(stub.process)
    assert transport.messages == []
