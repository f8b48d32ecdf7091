"""How events leave, and what becomes of those that cannot."""

import asyncio
import logging
import time
from collections.abc import Sequence

import attrs
import pytest

from infinitic_common._events import publishing
from infinitic_common.codec import encode, to_plain
from infinitic_common.events import (
    Event,
    EventPublisher,
    EventType,
    TaskEvent,
    WorkflowEvent,
    batch_in,
    service_events,
    task_event,
    workflow_event,
    workflow_events,
)
from infinitic_common.exceptions import (
    TransportError,
    TransportUnavailable,
    UndecodableMessage,
)
from infinitic_common.messages import DispatchWorkflow, ExecuteTask, TaskCompleted
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_common.transport import (
    Backlog,
    Consumption,
    Handler,
    OutgoingMessage,
    Subscription,
    Topic,
)

ORDER, STOCK = workflow_events("Order"), service_events("Stock")
REQUESTER = WorkflowRequester("Order", "w", "process", "m", 0, 2)
ASKED = ExecuteTask("t", "Stock", "t", "count", (b"\x01",), frozenset("a"), {}, REQUESTER, 1, 2)

LARGE = encode(TaskCompleted("e", "Order", "w", "m", 0, "t", bytes(200_000), {}, 9))


@attrs.define(eq=False)
class Broker:
    """Takes events, or not."""

    published: list[tuple[Topic, OutgoingMessage]] = attrs.field(
        factory=list[tuple[Topic, OutgoingMessage]]
    )
    failures: list[Exception] = attrs.field(factory=list[Exception])
    stuck: bool = False
    max_message_bytes: int = 100_000
    name: str = "process"

    def now(self) -> int:
        return 0

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self.failures:
            raise self.failures.pop(0)
        self.published += [(topic, message) for message in messages]

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to close."""

    def told(self) -> list[Event]:
        return [e for topic, one in self.published for e in batch_in(one.body, topic).events]


def completed(event_id: str, body: bytes = b"") -> Sequence[object]:
    return workflow_event(EventType.COMPLETED, event_id, 1, "w", body)


async def test_events_of_a_topic_are_one_message() -> None:
    broker = Broker()
    publisher = EventPublisher(broker, "worker")
    events = [completed(each) for each in "abc"]
    await publisher.finish(publisher.begin({ORDER: events, STOCK: [encode(ASKED)]}))
    assert [topic for topic, _ in broker.published] == [ORDER, STOCK]
    batch = batch_in(broker.published[0][1].body, ORDER)
    assert batch.worker_name == "worker"
    assert [event.id for event in batch.events] == ["a", "b", "c"]


async def test_nothing_to_tell_is_no_publication() -> None:
    publisher = EventPublisher(Broker(), "worker")
    assert publisher.begin({}) is None
    await publisher.finish(None)


async def test_the_same_events_are_the_same_message() -> None:
    broker = Broker()
    publisher = EventPublisher(broker, "worker")
    for _ in range(2):
        await publisher.finish(publisher.begin({ORDER: [completed("a")]}))
    await publisher.finish(publisher.begin({ORDER: [completed("b")]}))
    first, again, other = (message.id for _, message in broker.published)
    assert first == again != other


async def test_many_events_are_several_messages_that_the_broker_takes() -> None:
    broker = Broker()
    publisher = EventPublisher(broker, "worker")
    events = [completed(str(n), bytes(30_000)) for n in range(10)]
    await publisher.finish(publisher.begin({ORDER: events}))
    assert all(len(one.body) <= broker.max_message_bytes for _, one in broker.published)
    assert [event.id for event in broker.told()] == [str(n) for n in range(10)]


async def test_what_is_too_large_is_told_without_it() -> None:
    broker = Broker()
    publisher = EventPublisher(broker, "worker")
    large = encode(attrs.evolve(ASKED, arguments=(bytes(200_000),)))
    await publisher.finish(publisher.begin({STOCK: [large], ORDER: [completed("a", large)]}))
    task, workflow = broker.told()
    assert isinstance(task, TaskEvent)
    assert (task.type, task.task_id, task.body) == ("task.dispatch", "t", b"")
    assert task.names == {"omittedBytes": len(large)}
    assert workflow.names == {"omittedBytes": len(large)}


@pytest.mark.parametrize(
    ("topic", "event"),
    [
        (
            STOCK,
            task_event(
                "task.completed", "e", 1, ("t", "S", "m"), (0, 0), to_plain(REQUESTER), body=LARGE
            ),
        ),
        (ORDER, (245, LARGE, "Stock", "count", "process", 2)),
    ],
)
async def test_whatever_tells_of_something_too_large_is_told_without_it(
    topic: Topic, event: Sequence[object]
) -> None:
    (told,) = await _whole(topic, event)
    assert told.body == b""
    assert told.names["omittedBytes"] == len(LARGE)


async def test_a_broker_that_is_away_is_waited_for() -> None:
    broker = Broker(failures=[TransportUnavailable("away")])
    publisher = EventPublisher(broker, "worker")
    await publisher.finish(publisher.begin({ORDER: [completed("a")]}))
    assert [event.id for event in broker.told()] == ["a"]


async def test_events_that_are_refused_are_given_up(caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker(failures=[TransportError("no right")])
    publisher = EventPublisher(broker, "worker")
    with caplog.at_level(logging.ERROR):
        await publisher.finish(publisher.begin({ORDER: [completed("a")]}))
    assert "nobody is told" in caplog.text
    await publisher.finish(publisher.begin({ORDER: [completed("b")]}))
    assert [event.id for event in broker.told()] == ["b"]


async def test_workflows_do_not_wait_for_a_topic_that_is_stuck(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publishing, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(publishing, "_PATIENCE_WHEN_STUCK_SECONDS", 0.01)
    broker = Broker(stuck=True)
    publisher = EventPublisher(broker, "worker")
    with caplog.at_level(logging.WARNING):
        await publisher.finish(publisher.begin({ORDER: [completed("a")]}))
        await publisher.finish(publisher.begin({ORDER: [completed("b")]}))
    assert caplog.text.count("given up") == 2
    broker.stuck = False
    await publisher.finish(publisher.begin({ORDER: [completed("c")]}))
    assert [event.id for event in broker.told()] == ["c"]


async def test_events_survive_a_process_that_was_suspended_for_long(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publishing, "_PATIENCE_SECONDS", 0.5)
    broker = Broker(failures=[TransportUnavailable("not confirmed in time")] * 2)
    publisher = EventPublisher(broker, "worker")
    publication = publisher.begin({ORDER: [completed("a")]})
    # As SIGSTOP does: nothing runs, and then everything is due at once.
    asyncio.get_running_loop().call_later(0.01, time.sleep, 0.6)
    await publisher.finish(publication)
    assert [event.id for event in broker.told()] == ["a"]
    assert "given up" not in caplog.text


class AwayBroker(Broker):
    """One that tells that it is away, until it has been asked often enough."""

    asked: int = 0

    def full_name(self, topic: Topic) -> str:
        return str(topic)

    async def backlogs(self) -> Sequence[Backlog]:
        return []

    async def problems(self) -> Sequence[str]:
        self.asked += 1
        if self.asked == 3:
            self.failures.clear()
        return ["no connection"] if self.asked < 20 else []


async def test_events_wait_as_long_as_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publishing, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(publishing, "_FIRST_PAUSE", 0.04)
    broker = AwayBroker(failures=[TransportUnavailable("away")] * 1000)
    publisher = EventPublisher(broker, "worker")
    await publisher.finish(publisher.begin({ORDER: [completed("a")]}))
    assert [event.id for event in broker.told()] == ["a"]
    assert "given up" not in caplog.text


# --- short forms ---------------------------------------------------------------------------------


async def _whole(topic: Topic, *told: Sequence[object] | bytes) -> list[Event]:
    broker = Broker()
    publisher = EventPublisher(broker, "worker")
    await publisher.finish(publisher.begin({topic: told}))
    return broker.told()


async def test_a_task_that_leaves_is_told_of_the_task_and_of_the_workflow() -> None:
    body = encode(ASKED)
    (task,) = await _whole(STOCK, body)
    (workflow,) = await _whole(ORDER, body)
    assert isinstance(task, TaskEvent)
    assert (task.type, task.id, task.retry_sequence, task.retry_index) == (
        "task.dispatch",
        "t",
        1,
        2,
    )
    assert isinstance(workflow, WorkflowEvent)
    assert (workflow.type, workflow.workflow_id) == ("workflow.taskDispatched", "w")
    assert (workflow.method_name, workflow.workflow_version) == ("process", 2)


async def test_a_start_is_that_of_its_main_run_too() -> None:
    start = DispatchWorkflow(
        "w",
        "Order",
        "w",
        "process",
        (),
        frozenset(),
        {},
        ClientRequester("c"),
        client_waiting=False,
        emitted_at=7,
    )
    first, second = await _whole(ORDER, encode(start))
    assert (first.type, first.id, first.at) == ("workflow.dispatch", "w", 7)
    assert (second.type, second.id) == ("workflow.dispatchMethod", "w/dispatchMethod")


async def test_the_value_of_a_task_is_told_with_names_it_lacks() -> None:
    done = TaskCompleted("e", "Order", "w", "m", 0, "t", b"\x01", {}, 9)
    (event,) = await _whole(ORDER, (245, encode(done), "Stock", "count", "process", 2))
    assert (event.type, event.id, event.at) == ("workflow.taskCompleted", "e", 9)
    assert event.names == {"serviceName": "Stock", "taskName": "count"}


async def test_code_that_ran_in_place_began_and_ended() -> None:
    events = await _whole(ORDER, (246, "x", 5, "w", "m", "process", 2, 0))
    assert [(event.type, event.id) for event in events] == [
        ("workflow.executorDispatched", "x/executorDispatched"),
        ("workflow.executorCompleted", "x/executorCompleted"),
    ]


async def test_a_short_attempt_is_told_once_and_heard_twice() -> None:
    plain = task_event(
        EventType.TASK_COMPLETED,
        "e",
        20,
        ("t", "Stock", "count"),
        (0, 0),
        to_plain(REQUESTER),
        duration_ms=10.0,
        started=(10, "e/started"),
    )
    first, second = await _whole(STOCK, plain)
    assert (first.type, first.id, first.at, first.duration_ms) == (
        "task.started",
        "e/started",
        10,
        None,
    )
    assert (second.type, second.id, second.at, second.duration_ms) == (
        "task.completed",
        "e",
        20,
        10.0,
    )


def test_what_is_no_batch_of_events_cannot_be_read() -> None:
    with pytest.raises(UndecodableMessage, match="no batch of events"):
        batch_in(encode(ASKED), STOCK)
