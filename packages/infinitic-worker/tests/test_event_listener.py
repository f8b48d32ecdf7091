"""The component: what it hears, how it tells, what comes again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from listener_doubles import (
    Deaf,
    ListenedTransport,
    ListenerHost,
    Many,
    PlainMany,
    PlainSingle,
    Single,
    message,
)

from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    EventListenerConfiguration,
    ListenedConfiguration,
)
from infinitic_common.exceptions import UsageError
from infinitic_common.transport import ReceivedMessage, Topic, TopicKind
from infinitic_worker import EventListener

ORDER = Topic(TopicKind.WORKFLOW_STATE_EVENT, "Order")
AT_ONCE = BatchConfiguration(max_messages=3, max_seconds=0.01)


class Stock(Protocol):
    def count(self, item: str) -> int: ...


@asynccontextmanager
async def started(
    listener: EventListener, transport: ListenedTransport | None = None
) -> AsyncIterator[ListenedTransport]:
    transport = transport or ListenedTransport({TopicKind.WORKFLOW_STATE_CMD: {"Order"}})
    await listener.start(ListenerHost(transport).as_host())
    try:
        yield transport
    finally:
        await listener.stop(1)


async def until(transport: ListenedTransport, *names: str) -> None:
    async with asyncio.timeout(30):
        while not set(names) <= transport.heard:  # noqa: ASYNC110 - nothing calls back
            await asyncio.sleep(0.01)


async def test_a_listener_hears_services_and_workflows_that_have_topics() -> None:
    transport = ListenedTransport(
        {TopicKind.SERVICE_EXECUTOR: {"Stock"}, TopicKind.WORKFLOW_STATE_ENGINE: {"Order"}}
    )
    async with started(EventListener(Many()), transport):
        assert transport.heard == {
            "service-executor-event:Stock",
            "workflow-state-event:Order",
            "workflow-executor-event:Order",
        }
    assert {one.name for one in transport.subscriptions} == {"listener-subscription"}
    assert not any(one.ordered for one in transport.subscriptions)


async def test_names_that_appear_later_are_heard() -> None:
    listener = EventListener(Many(), service_list_refresh_seconds=0)
    async with started(listener) as transport:
        transport.known[TopicKind.SERVICE_EXECUTOR_EVENT] = {"New"}
        await until(transport, "service-executor-event:New")


async def test_allowed_names_need_not_be_found_and_disallowed_ones_are_not_heard() -> None:
    listener = EventListener(
        Many(), allow_services=[Stock], disallow_workflows=["Order"], subscription_name="mine"
    )
    async with started(listener) as transport:
        assert transport.heard == {"service-executor-event:Stock"}
        assert transport.subscriptions[0].name == "mine"


async def test_a_broker_that_is_away_is_asked_again() -> None:
    transport = ListenedTransport({TopicKind.SERVICE_EXECUTOR: {"Stock"}}, away=True)
    async with started(EventListener(Many(), service_list_refresh_seconds=0), transport):
        assert not transport.heard
        transport.away = False
        await until(transport, "service-executor-event:Stock")


async def test_events_of_several_messages_are_told_together() -> None:
    many = Many()
    async with started(EventListener(many, batch=AT_ONCE)) as transport:
        again = await transport.deliver(ORDER, message(ORDER, "a", "b"), message(ORDER, "c"))
    assert not again
    assert many.calls == [["a", "b", "c"]]


async def test_a_message_with_more_events_than_a_batch_is_split() -> None:
    many = Many()
    async with started(EventListener(many, batch=AT_ONCE)) as transport:
        assert not await transport.deliver(ORDER, message(ORDER, *"abcde"))
    assert many.calls == [["a", "b", "c"], ["d", "e"]]


async def test_a_batch_that_does_not_fill_waits_no_longer_than_it_may() -> None:
    many = Many()
    batch = BatchConfiguration(max_messages=100, max_seconds=0.05)
    async with started(EventListener(many, batch=batch)) as transport:
        assert not await transport.deliver(ORDER, message(ORDER, "a"))
    assert many.calls == [["a"]]


async def test_what_a_listener_raised_for_is_given_back_and_then_told_alone() -> None:
    many = Many()
    many.failures = 1
    async with started(EventListener(many, batch=AT_ONCE)) as transport:
        first, second = message(ORDER, "a"), message(ORDER, "b")
        again = await transport.deliver(ORDER, first, second)
        assert again == [first, second]
        repeated = [message(ORDER, each, deliveries=2) for each in "ab"]
        assert not await transport.deliver(ORDER, *repeated)
    assert many.calls == [["a", "b"], ["a"], ["b"]]


async def test_what_cannot_be_read_is_given_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    async with started(EventListener(Many(), batch=AT_ONCE)) as transport:
        wrong = ReceivedMessage("id", ORDER, b"\xff\xff", None, {}, 1, 0)
        assert await transport.deliver(ORDER, wrong) == [wrong]


async def test_no_more_calls_at_once_than_allowed() -> None:
    many = Many()
    many.gate = asyncio.Event()
    listener = EventListener(many, concurrency=2, batch=BatchConfiguration(max_messages=1))
    async with started(listener) as transport:
        delivery = asyncio.ensure_future(transport.deliver(ORDER, message(ORDER, *"abc")))
        async with asyncio.timeout(30):
            while len(many.calls) < 2:  # noqa: ASYNC110 - nothing calls back
                await asyncio.sleep(0)
        assert len(many.calls) == 2
        many.gate.set()
        assert not await delivery
    assert many.calls == [["a"], ["b"], ["c"]]


async def test_a_listener_of_single_events_is_told_one_by_one_and_at_once() -> None:
    single = Single()
    patient = BatchConfiguration(max_messages=100, max_seconds=1000)
    async with started(EventListener(single, batch=patient)) as transport:
        assert not await transport.deliver(ORDER, message(ORDER, "a", "b"), message(ORDER, "c"))
    assert single.ids == ["a", "b", "c"]


async def test_plain_methods_are_called_on_a_thread() -> None:
    single, many = PlainSingle(), PlainMany()
    async with started(EventListener(single)) as transport:
        assert not await transport.deliver(ORDER, message(ORDER, "a", "b"))
    async with started(EventListener(many, batch=AT_ONCE)) as transport:
        assert not await transport.deliver(ORDER, message(ORDER, "a", "b"))
    assert single.ids == ["a", "b"]
    assert many.calls == [["a", "b"]]


async def test_stopping_waits_for_no_batch_to_fill() -> None:
    many = Many()
    listener = EventListener(many, batch=BatchConfiguration(max_messages=2, max_seconds=1000))
    async with asyncio.timeout(30):
        async with started(listener) as transport:
            delivery = asyncio.ensure_future(transport.deliver(ORDER, message(ORDER, *"abc")))
            while not many.calls:  # noqa: ASYNC110 - nothing calls back
                await asyncio.sleep(0)
        assert not await delivery
    assert many.calls == [["a", "b"], ["c"]]


def test_config_21_an_object_that_is_no_listener_is_refused_naming_the_contract() -> None:
    with pytest.raises(UsageError, match="Deaf is no CloudEventListener: give it a method"):
        EventListener(Deaf())  # type: ignore[arg-type]  # what is refused


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("listener_doubles.Deaf", "Deaf is no CloudEventListener"),
        ("listener_doubles.Missing", "class 'listener_doubles.Missing' not found"),
        ("nowhere.Listener", "the module 'nowhere' of 'nowhere.Listener' is not found"),
        ("listener_doubles.Needy", "raised RuntimeError"),
    ],
)
def test_config_21_a_class_that_is_no_listener_is_refused(name: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        EventListener.from_configuration(EventListenerConfiguration(class_name=name))
    assert "eventListener.class" in str(caught.value)


async def test_config_20_a_configuration_says_what_is_heard_and_how() -> None:
    configuration = EventListenerConfiguration(
        class_name="listener_doubles.Many",
        concurrency=10,
        subscription_name="mine",
        batch=AT_ONCE,
        services=ListenedConfiguration(list_refresh_seconds=10, allow=("A", "B"), disallow=("B",)),
        workflows=ListenedConfiguration(list_refresh_seconds=20, disallow=("Order",)),
    )
    listener = EventListener.from_configuration(configuration)
    async with started(listener) as transport:
        assert transport.heard == {"service-executor-event:A"}
    assert str(listener) == "EventListener Many (concurrency 10, subscription mine)"


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"subscription_name": " "}])
def test_values_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"concurrency=0|blank"):
        EventListener(Many(), **wrong)  # type: ignore[arg-type]  # what is refused
