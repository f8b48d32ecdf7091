"""Starts that only one running workflow can win."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_client import _reminding
from infinitic_common import WorkflowTimedOut, timeout
from infinitic_common.codec import decode
from infinitic_common.exceptions import MultipleCustomId
from infinitic_common.messages import (
    ClientMessage,
    CustomIdClaimed,
    DispatchWorkflow,
    MethodCompleted,
    StartByCustomId,
    WaitWorkflow,
)
from infinitic_common.serialization import value_codec
from infinitic_common.transport import TopicKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RecordingTransport

    from infinitic_client import AsyncInfiniticClient, InfiniticClient

TEXT = value_codec(str, place="a text")
TAGS = frozenset({"vip", "customId:one"})


class Order(Protocol):
    def process(self, order_id: str) -> str: ...

    @timeout(timedelta(milliseconds=20))
    def limited(self) -> str: ...


def held_by(holder: str | None) -> Callable[[object], ClientMessage | None]:
    """Answers as engines do; None: whoever asks wins."""

    def reply(message: object) -> ClientMessage | None:
        match message:
            case StartByCustomId(request_id=str(request_id)):
                workflow_id = holder or start_of(message).workflow_id
                return CustomIdClaimed("answer", "client-1", request_id, workflow_id)
            case WaitWorkflow():
                value = TEXT.encode(f"from {message.workflow_id}")
                return MethodCompleted(
                    "answer", "client-1", message.workflow_id, message.method_id, value
                )
            case _:
                return None

    return reply


def start_of(message: object) -> DispatchWorkflow:
    assert isinstance(message, StartByCustomId)
    start = decode(message.start)
    assert isinstance(start, DispatchWorkflow)
    return start


async def test_customid_01_a_start_with_a_custom_id_is_one_message_to_the_tag_engine(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = held_by(None)
    deferred = await client.dispatch(client.new_workflow(Order, tags=TAGS).process, "a")
    [(topic, message)] = transport.published
    assert topic.kind is TopicKind.WORKFLOW_TAG_ENGINE
    assert isinstance(message, StartByCustomId)
    assert message.tag == "customId:one"
    start = start_of(message)
    assert (start.workflow_id, start.tags, start.method_name) == (deferred.id, TAGS, "process")
    assert not start.client_waiting


async def test_customid_01_who_loses_has_the_id_and_the_result_of_the_winner(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = held_by("winner")
    deferred = await client.dispatch(client.new_workflow(Order, tags=TAGS).process, "a")
    assert deferred.id == deferred.workflow_id == "winner"
    assert await deferred == "from winner"
    last = client.last_deferred
    assert last is not None
    assert last.id == "winner"


@pytest.mark.parametrize("holder", [None, "winner"])
def test_customid_01_a_blocking_call_waits_for_whoever_has_the_custom_id(
    blocking: InfiniticClient, transport: RecordingTransport, holder: str | None
) -> None:
    transport.reply = held_by(holder)
    result = blocking.new_workflow(Order, tags=TAGS).process("a")
    start = start_of(transport.messages[0])
    assert result == f"from {holder or start.workflow_id}"


def test_customid_03_two_custom_ids_are_refused(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    with pytest.raises(MultipleCustomId):
        blocking.new_workflow(Order, tags={"customId:a", "customId:b"})
    assert transport.messages == []


async def test_the_limit_of_the_contract_counts_for_a_custom_id_too(
    client: AsyncInfiniticClient,
) -> None:
    with pytest.raises(WorkflowTimedOut):
        await client.call(client.new_workflow(Order, tags=TAGS).limited)


async def test_a_claim_without_an_answer_is_the_same_start_again(
    client: AsyncInfiniticClient,
    transport: RecordingTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_reminding, "FIRST_SECONDS", 0.01)
    starting = asyncio.create_task(
        client.dispatch(client.new_workflow(Order, tags=TAGS).process, "a")
    )
    await transport.has_published(2)
    assert transport.messages[0] == transport.messages[1]
    transport.reply = held_by(None)
    deferred = await starting
    assert deferred.id == start_of(transport.messages[0]).workflow_id
