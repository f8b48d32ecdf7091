"""Ids by tag: changes and questions."""

import pytest

from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.messages import (
    AddTagToWorkflow,
    GetWorkflowIdsByTag,
    RemoveTagFromWorkflow,
    WorkflowIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.testing.tag_engine import TagEngineHost
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


async def test_the_last_change_of_an_id_holds(host: TagEngineHost) -> None:
    host.sets.sets[FOO] = {"x"}
    await host.deliver(add("x"), remove("x"), remove("y"), add("y"))
    assert host.sets.sets[FOO] == {"y"}


async def test_a_question_is_about_the_set_after_its_whole_batch(host: TagEngineHost) -> None:
    host.sets.sets[FOO] = {"old", "gone"}
    await host.deliver(add("new"), question(), remove("gone"), add("newer"))
    assert host.lines == [f"read {FOO}", "update", "publish client-response:client"]
    assert answers(host)[0].workflow_ids == ("new", "newer", "old")


async def test_an_unknown_tag_has_no_ids(host: TagEngineHost) -> None:
    await host.deliver(question("never used"))
    assert answers(host)[0].workflow_ids == ()


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
    assert {part.question_id for part in parts} == {"client asks"}
    assert len({part.message_id for part in parts}) == len(parts) > 1
    told = [workflow_id for part in parts for workflow_id in part.workflow_ids]
    assert told == sorted(ids)


async def test_a_store_that_is_away_lets_the_whole_batch_wait(host: TagEngineHost) -> None:
    host.journal.failures["update"] = StorageUnavailable("away")
    with pytest.raises(StorageUnavailable):
        await host.deliver(add("x"), question())
    assert answers(host) == []


async def test_a_tag_longer_than_any_key_is_kept_by_its_digest(host: TagEngineHost) -> None:
    await host.deliver(add("x", "long" * 100), question("long" * 100))
    [key] = host.sets.sets
    assert len(key) < 255
    assert answers(host)[0].workflow_ids == ("x",)
