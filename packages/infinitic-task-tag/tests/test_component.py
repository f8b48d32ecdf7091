from typing import Any

from infinitic_common.messages import (
    AddTagToTask,
    GetTaskIdsByTag,
    RemoveTagFromTask,
    TaskIdsByTag,
    Message,
    from_received,
    to_outgoing,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.transport import OutgoingMessage, ReceivedMessage, Topic, TopicKind
from infinitic_task_tag import ServiceTagEngine, set_key

TOPIC = Topic(TopicKind.SERVICE_TAG_ENGINE, "Flow")


class Sets:
    def __init__(self) -> None:
        self.sets: dict[str, set[str]] = {set_key("Flow", "foo"): {"old"}}
        self.reads: list[Any] = []
        self.updates = 0

    async def get(self, keys: Any) -> dict[str, frozenset[str]]:
        self.reads.append(list(keys))
        return {key: frozenset(self.sets.get(key, set())) for key in keys}

    async def update(self, add: Any, remove: Any) -> None:
        self.updates += 1
        for key, values in remove.items():
            self.sets.setdefault(key, set()).difference_update(values)
        for key, values in add.items():
            self.sets.setdefault(key, set()).update(values)


class Host:
    """Records what is published; has one store of sets; the handler is called by hand."""

    worker_name = "w"
    client = None

    def __init__(self) -> None:
        self.key_sets = Sets()
        self.published: list[OutgoingMessage] = []
        self.transport = self
        self.handler: Any = None

    def storage(self, configuration: Any = None) -> Any:
        return self

    async def publish(self, topic: Topic, messages: Any) -> None:
        self.published += messages

    async def consume(self, subscription: Any, handler: Any) -> Any:
        self.handler = handler


def received(message: Message) -> ReceivedMessage:
    out = to_outgoing(message)
    return ReceivedMessage(out.id, TOPIC, out.body, out.key, {}, 1, 0)


def answer_of(host: Host) -> Any:
    [out] = host.published
    return from_received(ReceivedMessage(out.id, TOPIC, out.body, None, {}, 1, 0))


def test_tags_14_the_key_of_the_ids_of_a_tag() -> None:
    assert set_key("Flow", "foo") == "task:Flow|tag:foo|setIds"


async def test_tags_08_the_full_set_is_read_once_and_told_to_the_client() -> None:
    host = Host()
    await ServiceTagEngine("Flow").start(host)
    question = GetTaskIdsByTag("q", "Flow", "foo", "r1", ClientRequester("c"))
    assert await host.handler([received(question)]) == []
    assert host.key_sets.reads == [[set_key("Flow", "foo")]]
    answer = answer_of(host)
    assert isinstance(answer, TaskIdsByTag)
    assert (answer.client_name, answer.request_id) == ("c", "r1")
    assert answer.task_ids == ("old",)


async def test_tags_11_a_batch_is_one_read_and_one_update() -> None:
    host = Host()
    await ServiceTagEngine("Flow").start(host)
    adds = [AddTagToTask(f"a{n}", "Flow", f"id{n}", "foo") for n in range(100)]
    removes = [RemoveTagFromTask(f"r{n}", "Flow", f"id{n}", "foo") for n in range(50)]
    question = GetTaskIdsByTag("q", "Flow", "foo", "r1", ClientRequester("c"))
    await host.handler([received(m) for m in [*adds, *removes, question]])
    assert len(host.key_sets.reads) == 1
    assert host.key_sets.updates == 1
    assert set(answer_of(host).task_ids) == {"old", *(f"id{n}" for n in range(50, 100))}


async def test_a_message_that_cannot_be_read_is_given_back_alone() -> None:
    host = Host()
    await ServiceTagEngine("Flow").start(host)
    broken = ReceivedMessage("x", TOPIC, b"\xff", "foo", {}, 1, 0)
    good = received(AddTagToTask("a", "Flow", "id", "foo"))
    assert await host.handler([broken, good]) == [broken]
    assert "id" in host.key_sets.sets[set_key("Flow", "foo")]
