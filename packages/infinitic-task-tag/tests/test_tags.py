"""Ids of tasks by tag: changes and questions."""

import pytest

from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.messages import (
    AddTagToTask,
    GetTaskIdsByTag,
    RemoveTagFromTask,
    TaskIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.testing.tag_engine import TagEngineHost
from infinitic_task_tag import ServiceTagEngine

FOO, BAR = "task:Name|tag:foo|setIds", "task:Name|tag:bar|setIds"


def add(value: str, tag: str = "foo") -> AddTagToTask:
    return AddTagToTask(f"add {value} {tag}", "Name", value, tag)


def remove(value: str, tag: str = "foo") -> RemoveTagFromTask:
    return RemoveTagFromTask(f"remove {value} {tag}", "Name", value, tag)


def question(tag: str = "foo", client: str = "client") -> GetTaskIdsByTag:
    return GetTaskIdsByTag(f"{client} asks", "Name", tag, "request", ClientRequester(client))


def answers(host: TagEngineHost) -> list[TaskIdsByTag]:
    return [message for message in host.messages if isinstance(message, TaskIdsByTag)]


@pytest.fixture
async def host() -> TagEngineHost:
    host = TagEngineHost()
    await ServiceTagEngine("Name").start(host)
    return host


async def test_tags_17_an_id_is_added_under_its_service_and_tag(host: TagEngineHost) -> None:
    await host.deliver(add("x"), add("y", "bar"))
    assert host.lines == ["update"]
    assert host.sets.sets == {FOO: {"x"}, BAR: {"y"}}


async def test_tags_17_an_id_is_removed_from_under_its_service_and_tag(
    host: TagEngineHost,
) -> None:
    host.sets.sets = {FOO: {"x", "z"}, BAR: {"x"}}
    await host.deliver(remove("x"))
    assert host.sets.sets == {FOO: {"z"}, BAR: {"x"}}


async def test_tags_17_the_full_set_is_read_once_and_told_to_the_client_that_asked(
    host: TagEngineHost,
) -> None:
    host.sets.sets[FOO] = {"b", "a"}
    assert await host.deliver(question()) == []
    assert host.lines == [f"read {FOO}", "publish client-response:client"]
    [answer] = answers(host)
    assert (answer.client_name, answer.request_id) == ("client", "request")
    assert answer.task_ids == ("a", "b")
    assert (answer.part, answer.parts, answer.question_id) == (0, 1, "client asks")


async def test_a_batch_is_one_read_then_one_update_then_the_answers(host: TagEngineHost) -> None:
    host.sets.sets[FOO] = {"old", *(f"gone{n}" for n in range(100))}
    adds, removes = [add(f"new{n}") for n in range(100)], [remove(f"gone{n}") for n in range(100)]
    await host.deliver(*adds, question(), *removes)
    assert host.lines == [f"read {FOO}", "update", "publish client-response:client"]
    [answer] = answers(host)
    assert set(answer.task_ids) == {"old", *(f"new{n}" for n in range(100))}
    assert host.sets.sets[FOO] == set(answer.task_ids)


async def test_each_client_is_answered_on_its_own_topic(host: TagEngineHost) -> None:
    await host.deliver(question(client="a"), question(client="b"))
    assert host.lines[0] == f"read {FOO}"
    assert host.topics == ["client-response:a", "client-response:b"]


async def test_an_answer_given_again_has_the_same_id(host: TagEngineHost) -> None:
    await host.deliver(question())
    await host.deliver(question())
    first, second = answers(host)
    assert first == second


async def test_an_answer_larger_than_a_message_comes_in_parts_that_fit(
    host: TagEngineHost,
) -> None:
    ids = {f"{number:036}" for number in range(1000)}
    host.sets.sets[FOO] = ids
    await host.deliver(question())
    parts = answers(host)
    bodies = [message.body for _, burst in host.transport.published for message in burst]
    assert max(map(len, bodies)) <= host.transport.max_message_bytes
    assert [part.part for part in parts] == list(range(len(parts)))
    assert {part.parts for part in parts} == {len(parts)}
    told = [task_id for part in parts for task_id in part.task_ids]
    assert told == sorted(ids)


async def test_a_store_that_is_away_lets_the_whole_batch_wait(host: TagEngineHost) -> None:
    host.journal.failures["update"] = StorageUnavailable("away")
    with pytest.raises(StorageUnavailable):
        await host.deliver(add("x"), question())
    assert answers(host) == []
