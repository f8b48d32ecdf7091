import attrs
import pytest
from workflow_tag_doubles import Host, received

from infinitic_common.codec import encode
from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    StorageConfiguration,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
    WorkflowTagEngineConfiguration,
)
from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.messages import (
    AddTagToWorkflow,
    GetWorkflowIdsByTag,
    RemoveTagFromWorkflow,
    WorkflowIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.transport import Counts, Topic, TopicKind
from infinitic_workflow_tag import WorkflowTagEngine

FOO, BAR = "workflow:Name|tag:foo|setIds", "workflow:Name|tag:bar|setIds"


def add(value: str, tag: str = "foo") -> AddTagToWorkflow:
    return AddTagToWorkflow(f"add {value} {tag}", "Name", value, tag)


def remove(value: str, tag: str = "foo") -> RemoveTagFromWorkflow:
    return RemoveTagFromWorkflow(f"remove {value} {tag}", "Name", value, tag)


def question(tag: str = "foo", client: str = "client") -> GetWorkflowIdsByTag:
    return GetWorkflowIdsByTag(f"{client} asks", "Name", tag, "request", ClientRequester(client))


@pytest.fixture
async def host() -> Host:
    host = Host()
    await WorkflowTagEngine("Name").start(host)
    return host


# --- TAGS-08, TAGS-11, TAGS-14 ------------------------------------------------------------------ ---


async def test_the_full_set_is_read_once_and_told_to_the_client_that_asked(host: Host) -> None:
    host.sets.sets[FOO] = {"b", "a"}
    assert await host.deliver(question()) == []
    assert host.journal == [f"read {FOO}", "publish"]
    [(topic, _)], [answer] = host.transport.published, host.answers
    assert topic == Topic(TopicKind.CLIENT_RESPONSE, "client")
    assert isinstance(answer, WorkflowIdsByTag)
    assert answer.client_name == "client"
    assert answer.request_id == "request"
    assert answer.workflow_ids == ("a", "b")


async def test_a_batch_is_one_read_then_one_update_then_the_answers(host: Host) -> None:
    host.sets.sets[FOO] = {"old", *(f"gone{n}" for n in range(100))}
    adds, removes = [add(f"new{n}") for n in range(100)], [remove(f"gone{n}") for n in range(100)]
    await host.deliver(*adds, question(), *removes)
    assert host.journal == [f"read {FOO}", "update", "publish"]
    [answer] = host.answers
    assert isinstance(answer, WorkflowIdsByTag)
    assert set(answer.workflow_ids) == {"old", *(f"new{n}" for n in range(100))}
    assert host.sets.sets[FOO] == set(answer.workflow_ids)


async def test_changes_alone_read_nothing(host: Host) -> None:
    await host.deliver(add("x"), add("y", "bar"))
    assert host.journal == ["update"]
    assert host.sets.sets == {FOO: {"x"}, BAR: {"y"}}


async def test_the_last_change_of_an_id_holds(host: Host) -> None:
    host.sets.sets[FOO] = {"x"}
    await host.deliver(add("x"), remove("x"), remove("y"), add("y"))
    assert host.sets.sets[FOO] == {"y"}


async def test_an_unknown_tag_has_no_ids(host: Host) -> None:
    await host.deliver(question("never used"))
    [answer] = host.answers
    assert isinstance(answer, WorkflowIdsByTag)
    assert answer.workflow_ids == ()


async def test_each_client_is_answered_on_its_own_topic(host: Host) -> None:
    await host.deliver(question(client="a"), question(client="b"))
    assert host.journal == [f"read {FOO}", "publish", "publish"]
    assert [topic.entity for topic, _ in host.transport.published] == ["a", "b"]


async def test_an_answer_given_again_has_the_same_id(host: Host) -> None:
    await host.deliver(question())
    await host.deliver(question())
    first, second = (message.id for _, [message] in host.transport.published)
    assert first == second


async def test_a_store_that_is_away_lets_the_whole_batch_wait(host: Host) -> None:
    host.sets.failure = StorageUnavailable("away")
    with pytest.raises(StorageUnavailable):
        await host.deliver(add("x"), question())
    assert host.answers == []


@pytest.mark.parametrize("body", [b"\xff", encode(ClientRequester("not about tags"))])
async def test_a_message_that_cannot_be_read_is_given_back_alone(host: Host, body: bytes) -> None:
    broken = attrs.evolve(received(add("broken")), body=body)
    assert await host.deliver(broken, add("x")) == [broken]
    assert host.sets.sets[FOO] == {"x"}


async def test_a_tag_longer_than_any_key_is_kept_by_its_digest(host: Host) -> None:
    await host.deliver(add("x", "long" * 100), question("long" * 100))
    [key] = host.sets.sets
    assert len(key) < 255
    [answer] = host.answers
    assert isinstance(answer, WorkflowIdsByTag)
    assert answer.workflow_ids == ("x",)


# --- the component --------------------------------------------------------------------------------


async def test_it_reads_its_topic_in_order_by_tag(host: Host) -> None:
    subscription = host.transport.subscription
    assert subscription is not None
    assert subscription.topics == (Topic(TopicKind.WORKFLOW_TAG_ENGINE, "Name"),)
    assert subscription.ordered


async def test_a_configuration_says_how_it_works() -> None:
    storage = StorageConfiguration("inMemory")
    settings = WorkflowTagEngineConfiguration(
        concurrency=5, batch=BatchConfiguration(max_messages=7), storage=storage
    )
    engine = WorkflowTagEngine.from_configuration(
        WorkflowConfiguration(name="Name", tag_engine=settings)
    )
    host = Host()
    await engine.start(host)
    assert host.asked_for == [storage]
    assert host.transport.subscription is not None
    assert host.transport.subscription.max_batch_messages == 7
    assert host.transport.subscription.max_in_flight_batches == 5
    assert str(engine) == "WorkflowTagEngine Name (concurrency 5, batches of 7)"


def test_a_configuration_without_a_tag_engine_is_refused() -> None:
    executor = WorkflowExecutorConfiguration(class_names=("shop.Impl",))
    entry = WorkflowConfiguration(name="Name", executor=executor)
    with pytest.raises(ConfigurationError, match="no tag engine; add `tagEngine:`"):
        WorkflowTagEngine.from_configuration(entry)


def test_no_concurrency_is_refused() -> None:
    with pytest.raises(ValueError, match="concurrency=0"):
        WorkflowTagEngine("Name", concurrency=0)


async def test_it_counts_and_stops_what_it_consumes() -> None:
    engine, host = WorkflowTagEngine("Name"), Host()
    assert engine.counts == Counts()
    await engine.stop(1)
    await engine.start(host)
    assert engine.counts == Counts(3, 1)
    await engine.stop(2)
    assert host.transport.consumption.stopped_within == [2]
