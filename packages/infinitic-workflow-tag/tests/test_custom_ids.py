"""Unique starts: who wins a custom id, who loses it, and when it is free again."""

import logging
from collections.abc import Mapping

import attrs
import pytest

from infinitic_common.codec import encode
from infinitic_common.exceptions import StorageUnavailable, TransportUnavailable
from infinitic_common.messages import (
    AddTagToWorkflow,
    CancelWorkflow,
    CommandByTag,
    CustomIdClaimed,
    DispatchWorkflow,
    RemoveTagFromWorkflow,
    StartByCustomId,
    WaitWorkflow,
)
from infinitic_common.requesters import ClientRequester, Requester, WorkflowRequester
from infinitic_common.storage import VersionedValue, Write
from infinitic_common.testing.tag_engine import TagEngineHost, received
from infinitic_workflow_tag import WorkflowTagEngine

TAG = "customId:bar"
CLAIM, SET = "custom-id|Name|bar", f"workflow:Name|tag:{TAG}|setIds"
CLIENT = ClientRequester("client")
PARENT = WorkflowRequester("Parent", "parent", "run", "parent-run", 3)


def start_of(value: str, requester: Requester = CLIENT, tag: str = TAG) -> DispatchWorkflow:
    return DispatchWorkflow(
        message_id=f"dispatch {value}",
        workflow_name="Name",
        workflow_id=value,
        method_name="run",
        arguments=(b"1",),
        tags=frozenset({"foo", "baz", tag}),
        meta={},
        requester=requester,
        client_waiting=True,
        emitted_at=5,
    )


def start(value: str, requester: Requester = CLIENT, tag: str = TAG) -> StartByCustomId:
    request_id = f"request {value}" if isinstance(requester, ClientRequester) else None
    body = encode(start_of(value, requester, tag))
    return StartByCustomId(f"start {value}", "Name", tag, body, requester, request_id)


def end(value: str) -> RemoveTagFromWorkflow:
    return RemoveTagFromWorkflow(f"end {value}", "Name", value, TAG)


def claims(host: TagEngineHost) -> Mapping[str, bytes | None]:
    return {key: found.value for key, found in host.records.values.items()}


def started(host: TagEngineHost) -> list[str]:
    return [one.workflow_id for one in host.messages if isinstance(one, DispatchWorkflow)]


def answered(host: TagEngineHost) -> list[tuple[str, str]]:
    answers = [one for one in host.messages if isinstance(one, CustomIdClaimed)]
    return [(answer.request_id, answer.workflow_id) for answer in answers]


@pytest.fixture
async def host() -> TagEngineHost:
    host = TagEngineHost()
    await WorkflowTagEngine("Name").start(host)
    return host


# --- winners --------------------------------------------------------------------------------------


async def test_customid_01_the_winner_is_claimed_tagged_started_and_told_in_this_order(
    host: TagEngineHost,
) -> None:
    assert await host.deliver(start("a")) == []
    assert host.lines == [
        f"get {CLAIM}",
        f"put {CLAIM}",
        "update",
        "publish workflow-tag-engine:Name",
        "publish workflow-state-cmd:Name",
        "publish client-response:client",
    ]
    assert claims(host) == {CLAIM: b"a"}
    assert host.sets.sets == {SET: {"a"}}
    *tags, began, told = host.messages
    assert [tag.tag for tag in tags if isinstance(tag, AddTagToWorkflow)] == ["baz", "foo"]
    assert began == start_of("a")
    assert isinstance(told, CustomIdClaimed)
    assert (told.client_name, told.request_id, told.workflow_id) == ("client", "request a", "a")


async def test_customid_01_a_workflow_that_wins_starts_its_child(host: TagEngineHost) -> None:
    await host.deliver(start("a", PARENT))
    assert started(host) == ["a"]
    assert host.topics == ["workflow-tag-engine:Name", "workflow-state-cmd:Name"]


async def test_customid_01_the_winner_delivered_again_says_the_same_again(
    host: TagEngineHost,
) -> None:
    await host.deliver(start("a"))
    once = host.messages
    host.clear()
    await host.deliver(start("a"))
    assert host.messages == once
    assert f"put {CLAIM}" not in host.lines


@pytest.mark.parametrize("step", ["put", "update", "publish"])
async def test_customid_01_a_winner_interrupted_wins_when_delivered_again(
    host: TagEngineHost, step: str
) -> None:
    interruption = TransportUnavailable if step == "publish" else StorageUnavailable
    host.journal.failures[step] = interruption("away")
    with pytest.raises(interruption):
        await host.deliver(start("a"))
    await host.deliver(start("a"))
    assert started(host) == ["a"]
    assert answered(host) == [("request a", "a")]


# --- losers ---------------------------------------------------------------------------------------


async def test_customid_01_a_client_that_loses_is_told_who_won_and_nothing_starts(
    host: TagEngineHost, caplog: pytest.LogCaptureFixture
) -> None:
    await host.deliver(start("a"))
    host.clear()
    with caplog.at_level(logging.INFO):
        await host.deliver(start("b"))
    assert host.lines == [f"get {CLAIM}", f"put {CLAIM}", "publish client-response:client"]
    assert answered(host) == [("request b", "a")]
    assert claims(host) == {CLAIM: b"a"}
    assert host.sets.sets == {SET: {"a"}}
    assert "Name b is not started: a has its custom id customId:bar" in caplog.text


async def test_customid_01_a_workflow_that_loses_waits_for_who_won(host: TagEngineHost) -> None:
    await host.deliver(start("a"))
    host.clear()
    await host.deliver(start("b", PARENT))
    await host.deliver(start("b", PARENT))
    wait, again = host.messages
    assert wait == again
    assert isinstance(wait, WaitWorkflow)
    assert (wait.workflow_name, wait.workflow_id, wait.method_id) == ("Name", "a", "a")
    assert wait.requester == PARENT


async def test_customid_01_of_several_starts_in_a_batch_the_first_wins(
    host: TagEngineHost,
) -> None:
    await host.deliver(start("a"), start("b"), start("c", PARENT), start("a"))
    assert host.lines.count(f"get {CLAIM}") == host.lines.count(f"put {CLAIM}") == 1
    assert started(host) == ["a", "a"]
    assert answered(host) == [("request a", "a"), ("request b", "a"), ("request a", "a")]
    [wait] = [one for one in host.messages if isinstance(one, WaitWorkflow)]
    assert wait.workflow_id == "a"


async def test_custom_ids_of_a_batch_are_claimed_in_bulk(host: TagEngineHost) -> None:
    starts = [start(f"w{n}", tag=f"customId:{n}") for n in range(5)]
    await host.deliver(*starts)
    keys = " ".join(f"custom-id|Name|{n}" for n in range(5))
    assert host.lines[:3] == [f"get {keys}", f"put {keys}", "update"]
    assert started(host) == [f"w{n}" for n in range(5)]


async def test_a_claim_lost_to_somebody_else_is_read_again(host: TagEngineHost) -> None:
    other = "custom-id|Name|other"

    def somebody() -> None:
        host.records.write(CLAIM, Write(b"z", 0))

    host.journal.before["put"] = somebody
    await host.deliver(start("a"), start("b", tag="customId:other"))
    assert host.lines[:3] == [f"get {CLAIM} {other}", f"put {CLAIM} {other}", f"get {CLAIM}"]
    assert started(host) == ["b"]
    assert answered(host) == [("request a", "z"), ("request b", "b")]


async def test_a_claim_freed_meanwhile_is_tried_again(host: TagEngineHost) -> None:
    host.records.values[CLAIM] = VersionedValue(b"old", 4)

    def somebody() -> None:
        host.records.write(CLAIM, Write(None, 4))

    host.journal.before["put"] = somebody
    await host.deliver(end("old"), start("a"))
    assert started(host) == ["a"]
    assert claims(host) == {CLAIM: b"a"}


async def test_a_start_does_not_lose_to_a_claim_that_only_a_cache_still_has(
    host: TagEngineHost,
) -> None:
    host.records.values[CLAIM] = VersionedValue(b"long ended", 1)

    def somebody() -> None:
        host.records.values.pop(CLAIM)

    host.journal.before["put"] = somebody
    await host.deliver(start("a"))
    assert started(host) == ["a"]
    assert claims(host) == {CLAIM: b"a"}


# --- free again -----------------------------------------------------------------------------------


async def test_customid_04_after_the_end_of_its_holder_a_custom_id_starts_anew(
    host: TagEngineHost,
) -> None:
    await host.deliver(start("a"))
    await host.deliver(end("a"))
    assert claims(host) == {}
    assert host.sets.sets == {SET: set()}
    host.clear()
    await host.deliver(start("b"))
    assert started(host) == ["b"]
    assert answered(host) == [("request b", "b")]


async def test_customid_04_end_and_start_in_one_batch_are_one_write(host: TagEngineHost) -> None:
    host.records.values[CLAIM] = VersionedValue(b"a", 1)
    host.sets.sets[SET] = {"a"}
    await host.deliver(end("a"), start("b"))
    assert host.lines[:3] == [f"get {CLAIM}", f"put {CLAIM}", "update"]
    assert host.records.values[CLAIM] == VersionedValue(b"b", 2)
    assert host.sets.sets == {SET: {"b"}}
    assert started(host) == ["b"]


async def test_customid_04_the_end_of_another_leaves_the_claim(host: TagEngineHost) -> None:
    await host.deliver(start("b"))
    await host.deliver(end("a"))
    assert claims(host) == {CLAIM: b"b"}


async def test_an_end_frees_a_claim_that_a_cache_has_as_that_of_another(
    host: TagEngineHost,
) -> None:
    host.records.values[CLAIM] = VersionedValue(b"long ended", 1)

    def somebody() -> None:
        host.records.values[CLAIM] = VersionedValue(b"a", 3)

    host.journal.before["put"] = somebody
    await host.deliver(end("a"))
    assert claims(host) == {}


async def test_the_end_of_a_workflow_without_custom_id_looks_for_no_claim(
    host: TagEngineHost,
) -> None:
    await host.deliver(RemoveTagFromWorkflow("end", "Name", "a", "foo"))
    assert host.lines == ["update"]


# --- beside it ------------------------------------------------------------------------------------


async def test_a_command_by_custom_id_reaches_a_start_of_the_same_batch_after_it(
    host: TagEngineHost,
) -> None:
    cancel = CancelWorkflow("cancel", "Name", "", None, CLIENT, 5)
    await host.deliver(start("a"), CommandByTag("by tag", "Name", TAG, encode(cancel), CLIENT))
    commands = [one for one in host.messages if isinstance(one, DispatchWorkflow | CancelWorkflow)]
    assert [type(one) for one in commands] == [DispatchWorkflow, CancelWorkflow]
    assert [one.workflow_id for one in commands] == ["a", "a"]


async def test_a_custom_id_that_no_key_can_hold_is_claimed_by_its_digest(
    host: TagEngineHost,
) -> None:
    tag = f"customId:{'long' * 100}"
    await host.deliver(start("a", tag=tag), start("b", tag=tag))
    [key] = claims(host)
    assert len(key) < 255
    assert started(host) == ["a"]


async def test_a_client_that_asks_nothing_is_told_nothing(host: TagEngineHost) -> None:
    await host.deliver(attrs.evolve(start("a"), request_id=None))
    assert started(host) == ["a"]
    assert answered(host) == []


@pytest.mark.parametrize("body", [b"\xff", encode(CLIENT)])
async def test_a_start_that_cannot_be_read_is_given_back_alone(
    host: TagEngineHost, body: bytes
) -> None:
    broken = received(attrs.evolve(start("a"), start=body))
    assert await host.deliver(broken, start("b")) == [broken]
    assert started(host) == ["b"]
