"""Ids of tasks by tag: changes and questions."""

import pytest

from infinitic_common.messages import (
    AddTagToTask,
    GetTaskIdsByTag,
    Message,
    RemoveTagFromTask,
    TaskIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.testing.tag_engine import TagEngineHost
from infinitic_common.testing.tags import TagsContract
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


class TestTagsOfTasks(TagsContract):
    kind = "task"

    def add(self, value: str, tag: str = "foo") -> Message:
        return add(value, tag)

    def remove(self, value: str, tag: str = "foo") -> Message:
        return remove(value, tag)

    def question(self, tag: str = "foo", client: str = "client") -> Message:
        return question(tag, client)
