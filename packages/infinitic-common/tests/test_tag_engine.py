"""The shell of tag engines, with an engine that notes what it is asked."""

from collections.abc import Sequence

import attrs
import pytest

from infinitic_common.codec import decode, encode
from infinitic_common.configuration import StorageConfiguration
from infinitic_common.exceptions import InvalidSetting, StorageUnavailable, UndecodableMessage
from infinitic_common.messages import AddTagToWorkflow
from infinitic_common.requesters import ClientRequester
from infinitic_common.tag_engine import Surroundings, TagEngine
from infinitic_common.testing.tag_engine import TagEngineHost, received
from infinitic_common.transport import Counts, ReceivedMessage, Topic, TopicKind


class NotingEngine(TagEngine[AddTagToWorkflow]):
    label = "NotingEngine"
    kind = TopicKind.WORKFLOW_TAG_ENGINE

    def __init__(
        self, concurrency: int = 2, batch: int = 7, storage: StorageConfiguration | None = None
    ) -> None:
        super().__init__("Name", concurrency=concurrency, max_batch_messages=batch, storage=storage)
        self.turns = list[list[str]]()

    def read(self, received: ReceivedMessage) -> AddTagToWorkflow:
        message = decode(received.body)
        if not isinstance(message, AddTagToWorkflow):
            msg = "something else"
            raise UndecodableMessage(msg)
        return message

    async def turn(self, asked: Sequence[AddTagToWorkflow], surroundings: Surroundings) -> None:
        await surroundings.sets.get(["foo"])
        self.turns.append([one.workflow_id for one in asked])


def add(value: str) -> AddTagToWorkflow:
    return AddTagToWorkflow(f"add {value}", "Name", value, "foo")


async def started(engine: NotingEngine) -> TagEngineHost:
    host = TagEngineHost()
    await engine.start(host)
    return host


async def test_a_batch_is_one_turn_and_nothing_is_given_back() -> None:
    engine = NotingEngine()
    host = await started(engine)
    assert await host.deliver(add("a"), add("b")) == []
    assert engine.turns == [["a", "b"]]


@pytest.mark.parametrize("body", [b"\xff", encode(ClientRequester("not about tags"))])
async def test_a_message_that_cannot_be_read_is_given_back_alone(
    body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    engine = NotingEngine()
    host = await started(engine)
    broken = attrs.evolve(received(add("broken")), body=body)
    assert await host.deliver(broken, add("x")) == [broken]
    assert engine.turns == [["x"]]
    assert "message add broken cannot be read" in caplog.text


async def test_a_batch_of_nothing_readable_is_no_turn() -> None:
    engine = NotingEngine()
    host = await started(engine)
    broken = attrs.evolve(received(add("broken")), body=b"\xff")
    assert await host.deliver(broken) == [broken]
    assert engine.turns == []


async def test_what_a_turn_raises_reaches_the_transport() -> None:
    host = await started(NotingEngine())
    host.journal.failures["read"] = StorageUnavailable("away")
    with pytest.raises(StorageUnavailable):
        await host.deliver(add("a"))


async def test_it_reads_its_topic_in_order_by_tag() -> None:
    subscription = (await started(NotingEngine())).transport.subscription
    assert subscription is not None
    assert subscription.topics == (Topic(TopicKind.WORKFLOW_TAG_ENGINE, "Name"),)
    assert subscription.name == "workflow-tag-engine"
    assert subscription.ordered
    assert subscription.max_batch_messages == 7
    assert subscription.max_in_flight_batches == 2
    assert subscription.max_in_flight_messages == 14


async def test_it_asks_for_the_storage_that_it_was_given() -> None:
    storage = StorageConfiguration("inMemory")
    assert (await started(NotingEngine(storage=storage))).asked_for == [storage]


@pytest.mark.parametrize(
    ("concurrency", "batch", "what"), [(0, 1, "concurrency=0"), (1, 0, "max_batch_messages=0")]
)
def test_a_number_less_than_one_is_refused(concurrency: int, batch: int, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        NotingEngine(concurrency, batch)


def test_a_storage_that_is_no_configuration_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="storage='postgres': give StorageConfiguration"):
        NotingEngine(storage="postgres")  # type: ignore[arg-type]  # what is refused


async def test_it_counts_and_stops_what_it_consumes() -> None:
    engine, host = NotingEngine(), TagEngineHost()
    assert engine.counts == Counts()
    await engine.stop(1)
    await engine.start(host)
    assert engine.counts == Counts(3, 1)
    await engine.stop(2)
    assert host.transport.consumption.stopped_within == [2]


def test_it_says_its_settings_in_one_line() -> None:
    assert str(NotingEngine()) == "NotingEngine Name (concurrency 2, batches of 7)"
