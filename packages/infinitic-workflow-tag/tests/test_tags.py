"""Ids by tag: changes and questions."""

import pytest

from infinitic_common.messages import (
    AddTagToWorkflow,
    GetWorkflowIdsByTag,
    Message,
    RemoveTagFromWorkflow,
    WorkflowIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.testing.tag_engine import TagEngineHost
from infinitic_common.testing.tags import TagsContract
from infinitic_workflow_tag import WorkflowTagEngine

FOO, BAR = "workflow:Name|tag:foo|setIds", "workflow:Name|tag:bar|setIds"


def add(value: str, tag: str = "foo") -> AddTagToWorkflow:
    return AddTagToWorkflow(f"add {value} {tag}", "Name", value, tag)


def remove(value: str, tag: str = "foo") -> RemoveTagFromWorkflow:
    return RemoveTagFromWorkflow(f"remove {value} {tag}", "Name", value, tag)


def question(tag: str = "foo", client: str = "client") -> GetWorkflowIdsByTag:
    return GetWorkflowIdsByTag(f"{client} asks", "Name", tag, "request", ClientRequester(client))


def answers(host: TagEngineHost) -> list[WorkflowIdsByTag]:
    return [message for message in host.messages if isinstance(message, WorkflowIdsByTag)]


@pytest.fixture
async def host() -> TagEngineHost:
    host = TagEngineHost()
    await WorkflowTagEngine("Name").start(host)
    return host


async def test_tags_08_the_full_set_is_read_once_and_told_to_the_client_that_asked(
    host: TagEngineHost,
) -> None:
    host.sets.sets[FOO] = {"b", "a"}
    assert await host.deliver(question()) == []
    assert host.lines == [f"read {FOO}", "publish client-response:client"]
    [answer] = answers(host)
    assert (answer.client_name, answer.request_id) == ("client", "request")
    assert answer.workflow_ids == ("a", "b")
    assert (answer.part, answer.parts, answer.question_id) == (0, 1, "client asks")


async def test_tags_14_ids_rest_under_the_key_of_their_workflow_and_tag(
    host: TagEngineHost,
) -> None:
    await host.deliver(add("x"), add("y", "bar"))
    assert host.lines == ["update"]
    assert host.sets.sets == {FOO: {"x"}, BAR: {"y"}}


class TestTagsOfWorkflows(TagsContract):
    kind = "workflow"

    def add(self, value: str, tag: str = "foo") -> Message:
        return add(value, tag)

    def remove(self, value: str, tag: str = "foo") -> Message:
        return remove(value, tag)

    def question(self, tag: str = "foo", client: str = "client") -> Message:
        return question(tag, client)
