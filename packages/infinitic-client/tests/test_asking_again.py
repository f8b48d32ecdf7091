"""Answers that a broker lost are asked for again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_client import _reminding
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.messages import (
    ClientMessage,
    DispatchWorkflow,
    GetWorkflowIdsByTag,
    MethodCompleted,
    QueryAnswered,
    QueryWorkflow,
    WaitWorkflow,
    WorkflowIdsByTag,
)
from infinitic_common.serialization import encode_untyped

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RecordingTransport

    from infinitic_client import AsyncInfiniticClient


class Order(Protocol):
    def process(self) -> str: ...


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reminding, "FIRST_SECONDS", 0.005)
    monkeypatch.setattr(_reminding, "LONGEST_SECONDS", 0.02)


def done(message: object) -> ClientMessage | None:
    match message:
        case WaitWorkflow():
            value = encode_untyped("done")
            return MethodCompleted("a", "client-1", message.workflow_id, message.method_id, value)
        case QueryWorkflow():
            return QueryAnswered("a", "client-1", message.request_id, encode_untyped("WAITING"))
        case _:
            return None


async def test_a_call_asks_again_with_a_wait(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    calling = asyncio.create_task(client.call(client.new_workflow(Order).process))
    await transport.has_published(3)
    transport.reply = done
    assert await calling == "done"
    start, *waits = transport.messages
    assert isinstance(start, DispatchWorkflow)
    assert all(isinstance(wait, WaitWorkflow) for wait in waits)
    ids = [wait.message_id for wait in waits if isinstance(wait, WaitWorkflow)]
    assert len(set(ids)) == len(waits)


async def test_a_wait_survives_a_broker_that_goes_away(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    deferred = await client.dispatch(client.new_workflow(Order).process)
    waiting = asyncio.create_task(deferred.result())
    await transport.has_published(2)
    transport.failure = TransportUnavailable("the broker restarts")
    await transport.has_failed(2)
    transport.reply, transport.failure = done, None
    assert await waiting == "done"


async def test_a_wait_begins_while_the_broker_is_away(
    client: AsyncInfiniticClient, transport: RecordingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infinitic_client._results._AGAIN_SECONDS", 0.01)
    deferred = await client.dispatch(client.new_workflow(Order).process)
    transport.failure = TransportUnavailable("the broker restarts")
    waiting = asyncio.create_task(deferred.result())
    await transport.has_failed(3)
    transport.reply, transport.failure = done, None
    assert await waiting == "done"


async def test_a_question_is_asked_again_and_the_log_says_who_should_answer(
    client: AsyncInfiniticClient, transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        asking = asyncio.create_task(client.get_status(client.get_workflow_by_id(Order, "o1")))
        await transport.has_published(3)
        transport.reply = done
        assert await asking == "WAITING"
    assert "state engine of workflow Order" in caplog.text
    assert len(caplog.records) == 1


async def test_of_many_questions_one_says_who_should_answer_and_again_after_an_answer(
    client: AsyncInfiniticClient, transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    def ask(number: int) -> asyncio.Task[object]:
        stub = client.get_workflow_by_id(Order, f"o{number}")
        return asyncio.create_task(client.get_status(stub))

    with caplog.at_level(logging.WARNING):
        asking = [ask(number) for number in range(5)]
        await transport.has_published(15)
        transport.reply = done
        await asyncio.gather(*asking)
        assert len(caplog.records) == 1
        transport.reply = lambda _: None
        again = ask(6)
        await transport.has_published(len(transport.messages) + 2)
        transport.reply = done
        await again
    assert len(caplog.records) == 2


async def test_of_a_question_given_up_or_asked_for_long_it_is_not_said_again(
    client: AsyncInfiniticClient, transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    def ask(number: int) -> asyncio.Task[object]:
        stub = client.get_workflow_by_id(Order, f"o{number}")
        return asyncio.create_task(client.get_status(stub))

    def answer_the_second(message: object) -> ClientMessage | None:
        asked = isinstance(message, QueryWorkflow) and message.workflow_id == "o2"
        return done(message) if asked else None

    with caplog.at_level(logging.WARNING):
        first, given_up = ask(1), ask(0)
        await transport.has_published(6)
        given_up.cancel()
        second = ask(2)
        await transport.has_published(len(transport.messages) + 6)
        assert len(caplog.records) == 1
        transport.reply = answer_the_second
        await second
        await transport.has_published(len(transport.messages) + 3)
        assert len(caplog.records) == 1
        transport.reply = done
        await first


async def test_it_is_asked_ever_more_rarely(
    client: AsyncInfiniticClient, transport: RecordingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    loop = asyncio.get_running_loop()
    later = loop.call_later

    def at_once(pause: float, remind: Callable[[], None]) -> asyncio.TimerHandle:
        pauses.append(pause)
        return later(0, remind)

    monkeypatch.setattr(loop, "call_later", at_once)
    asking = asyncio.create_task(client.get_status(client.get_workflow_by_id(Order, "o1")))
    await transport.has_published(5)
    transport.reply = done
    await asking
    assert pauses[:4] == [0.005, 0.01, 0.02, 0.02]


async def test_nothing_is_asked_again_after_the_answer(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    transport.reply = done
    deferred = await client.dispatch(client.new_workflow(Order).process)
    assert await deferred == "done"
    assert [one for one in scheduled() if "Reminder" in repr(one)] == []


def scheduled() -> list[asyncio.TimerHandle]:
    """What the loop is going to call later and was not cancelled."""
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = getattr(loop, "_scheduled", [])
    return [one for one in timers if not one.cancelled()]


async def test_an_answer_in_parts_is_put_together(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    asking = asyncio.create_task(client.get_ids(client.get_workflow_by_tag(Order, "vip")))
    await transport.has_published(1)
    (question,) = transport.messages[:1]
    assert isinstance(question, GetWorkflowIdsByTag)

    def part(number: int, ids: tuple[str, ...], asked: str = "first") -> WorkflowIdsByTag:
        request = question.request_id
        return WorkflowIdsByTag(f"{asked}-{number}", "client-1", request, ids, number, 2, asked)

    await transport.answer(part(1, ("c",)))
    await transport.answer(part(0, ("x",), "second"))
    await transport.answer(part(1, ("c",)))
    await transport.answer(part(0, ("a", "b")))
    assert await asking == {"a", "b", "c"}
