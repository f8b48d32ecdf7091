"""Commands by tag: pages, continuations, and who is reached."""

import logging

import attrs
import pytest

from infinitic_common.codec import encode
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.failures import WorkflowUnknownError
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    AddTagToWorkflow,
    CancelWorkflow,
    CommandByTag,
    CompleteTimers,
    DispatchMethod,
    GetWorkflowIdsByTag,
    RemoteMethodFailed,
    RemoveTagFromWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    WorkflowCommandMessage,
    WorkflowIdsByTag,
)
from infinitic_common.requesters import ClientRequester, Requester, WorkflowRequester
from infinitic_common.testing.tag_engine import TagEngineHost, received
from infinitic_workflow_tag import WorkflowTagEngine

FOO = "workflow:Name|tag:foo|setIds"
CLIENT = ClientRequester("client")
PARENT = WorkflowRequester("Parent", "parent", "run", "parent-run", 3)

RETRY = RetryTasks("retry", "Name", "", None, "FAILED", None, CLIENT, 5)
RETRY_CODE = RetryWorkflowTask("retry code", "Name", "", CLIENT, 5)
CANCEL = CancelWorkflow("cancel", "Name", "", None, CLIENT, 5)
TIMERS = CompleteTimers("timers", "Name", "", None, CLIENT, 5)
SIGNAL = SendSignal("signal", "Name", "", "channel", "signal-id", b"v", ("str",), CLIENT, 5)
METHOD = DispatchMethod(
    "method", "Name", "", "run-id", "approve", (b"1",), CLIENT, client_waiting=False, emitted_at=5
)


def by_tag(
    command: WorkflowCommandMessage, cursor: str | None = None, tag: str = "foo"
) -> CommandByTag:
    return CommandByTag(
        f"by tag {command.message_id}", "Name", tag, encode(command), command.requester, cursor
    )


def asked_by(command: WorkflowCommandMessage, requester: Requester) -> CommandByTag:
    return by_tag(attrs.evolve(command, requester=requester))


def to(command: WorkflowCommandMessage, workflow_id: str) -> WorkflowCommandMessage:
    identifier = derived_id(command.message_id, workflow_id)
    return attrs.evolve(command, message_id=identifier, workflow_id=workflow_id)


async def host_of(page_size: int = 5000, **ids: set[str]) -> TagEngineHost:
    host = TagEngineHost()
    host.sets.sets = {f"workflow:Name|tag:{tag}|setIds": set(values) for tag, values in ids.items()}
    await WorkflowTagEngine("Name", fanout_page_size=page_size).start(host)
    return host


def continuations(host: TagEngineHost) -> list[CommandByTag]:
    return [message for message in host.messages if isinstance(message, CommandByTag)]


# --- pages ------------------------------------------------------------------------------------


async def test_tags_04_a_command_reads_one_page_and_reaches_its_ids_at_once() -> None:
    host = await host_of(foo={"a", "b"})
    assert await host.deliver(by_tag(RETRY)) == []
    assert host.lines == [f"page {FOO} 5000 first", "publish workflow-state-cmd:Name"]
    assert host.messages == [to(RETRY, "a"), to(RETRY, "b")]


@pytest.mark.parametrize("command", [CANCEL, RETRY_CODE])
async def test_tags_05_the_last_page_has_no_continuation(
    command: CancelWorkflow | RetryWorkflowTask,
) -> None:
    host = await host_of(page_size=2, foo={"a", "b", "c", "d"})
    await host.deliver(by_tag(command, cursor="b"))
    assert host.lines[0] == f"page {FOO} 2 b"
    assert host.messages == [to(command, "c"), to(command, "d")]


async def test_tags_06_a_page_with_a_cursor_is_continued_from_there() -> None:
    host = await host_of(page_size=1, foo={"a", "b"})
    await host.deliver(by_tag(SIGNAL))
    signal, continuation = host.messages
    assert signal == to(SIGNAL, "a")
    assert isinstance(continuation, CommandByTag)
    assert continuation.cursor == "a"
    assert (continuation.tag, continuation.command) == ("foo", encode(SIGNAL))
    assert host.topics == ["workflow-state-cmd:Name", "workflow-tag-engine:Name"]


async def test_continuations_reach_every_id_once() -> None:
    host = await host_of(page_size=2, foo={"a", "b", "c", "d", "e"})
    first = by_tag(SIGNAL)
    await host.deliver(first)
    await host.deliver(continuations(host)[0])
    await host.deliver(continuations(host)[1])
    assert [one for one in host.messages if isinstance(one, SendSignal)] == [
        to(SIGNAL, value) for value in "abcde"
    ]
    assert len({first.message_id, *(one.message_id for one in continuations(host))}) == 3


async def test_tags_11_a_batch_is_one_read_one_page_and_one_update() -> None:
    old = {"old", *(f"gone{n}" for n in range(100))}
    host = await host_of(foo=old)
    adds = [AddTagToWorkflow(f"add {n}", "Name", f"new{n}", "foo") for n in range(100)]
    removes = [RemoveTagFromWorkflow(f"remove {n}", "Name", f"gone{n}", "foo") for n in range(100)]
    question = GetWorkflowIdsByTag("ask", "Name", "foo", "request", CLIENT)
    await host.deliver(*adds, *removes, by_tag(CANCEL), by_tag(RETRY), question)
    assert host.lines[:3] == [f"read {FOO}", f"page {FOO} 5000 first", "update"]
    assert all(line.startswith("publish") for line in host.lines[3:])
    now = {"old", *(f"new{n}" for n in range(100))}
    assert {one.workflow_id for one in host.messages if isinstance(one, CancelWorkflow)} == now
    assert {one.workflow_id for one in host.messages if isinstance(one, RetryTasks)} == now
    [answer] = [one for one in host.messages if isinstance(one, WorkflowIdsByTag)]
    assert set(answer.workflow_ids) == now == host.sets.sets[FOO]


async def test_tags_12_two_commands_for_a_tag_share_a_page_and_reach_every_id() -> None:
    host = await host_of(foo={"a", "b"})
    await host.deliver(by_tag(RETRY), by_tag(TIMERS))
    assert host.lines == [f"page {FOO} 5000 first", "publish workflow-state-cmd:Name"]
    assert host.messages == [to(RETRY, "a"), to(RETRY, "b"), to(TIMERS, "a"), to(TIMERS, "b")]


async def test_each_tag_has_its_own_page() -> None:
    host = await host_of(foo={"a"}, bar={"b"})
    await host.deliver(by_tag(RETRY), by_tag(CANCEL, tag="bar"))
    assert host.messages == [to(RETRY, "a"), to(CANCEL, "b")]


# --- the changes of the same batch ----------------------------------------------------------------


def add(value: str) -> AddTagToWorkflow:
    return AddTagToWorkflow(f"add {value}", "Name", value, "foo")


def remove(value: str) -> RemoveTagFromWorkflow:
    return RemoveTagFromWorkflow(f"remove {value}", "Name", value, "foo")


async def test_a_command_meets_the_changes_that_came_before_it_and_no_later_ones() -> None:
    host = await host_of(foo={"a", "b"})
    await host.deliver(remove("a"), add("c"), by_tag(CANCEL), add("d"), remove("b"))
    assert host.messages == [to(CANCEL, "b"), to(CANCEL, "c")]


async def test_an_id_that_is_met_again_on_a_later_page_gets_the_same_message() -> None:
    host = await host_of(page_size=2, foo={"a", "b", "c"})
    await host.deliver(add("z"), by_tag(CANCEL))
    [continuation] = continuations(host)
    assert host.messages == [to(CANCEL, "a"), to(CANCEL, "b"), to(CANCEL, "z"), continuation]
    host.clear()
    await host.deliver(continuation)
    assert host.messages == [to(CANCEL, "c"), to(CANCEL, "z")]


async def test_a_first_page_that_the_batch_empties_is_read_again() -> None:
    host = await host_of(page_size=1, foo={"a", "b"})
    await host.deliver(remove("a"), asked_by(METHOD, PARENT))
    [again] = host.messages
    assert isinstance(again, CommandByTag)
    assert again.cursor is None
    await host.deliver(remove("b"), again)
    assert isinstance(host.messages[-1], RemoteMethodFailed)


# --- requesters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [SIGNAL, CANCEL])
async def test_a_workflow_does_not_reach_itself_by_signals_and_cancels(
    command: SendSignal | CancelWorkflow,
) -> None:
    host = await host_of(foo={"a", "parent"})
    await host.deliver(asked_by(command, PARENT))
    assert host.messages == [to(attrs.evolve(command, requester=PARENT), "a")]


async def test_a_workflow_reaches_itself_by_methods() -> None:
    host = await host_of(foo={"a", "parent"})
    await host.deliver(asked_by(METHOD, PARENT))
    runs = [one for one in host.messages if isinstance(one, DispatchMethod)]
    assert [run.workflow_id for run in runs] == ["a", "parent"]
    assert {run.method_id for run in runs} == {"run-id"}
    assert {run.requester for run in runs} == {PARENT}


async def test_a_workflow_is_told_that_nobody_has_the_tag_of_its_method() -> None:
    host = await host_of()
    host.transport.time = 77
    await host.deliver(asked_by(METHOD, PARENT))
    await host.deliver(asked_by(METHOD, PARENT))
    told, again = host.messages
    assert told == again
    assert isinstance(told, RemoteMethodFailed)
    assert (told.workflow_name, told.workflow_id) == ("Parent", "parent")
    assert (told.method_id, told.position, told.emitted_at) == ("parent-run", 3, 77)
    assert told.error == WorkflowUnknownError("Name", "tag foo", "approve", None)
    assert host.topics == ["workflow-state-engine:Parent"] * 2


@pytest.mark.parametrize(
    "asked", [by_tag(SIGNAL), by_tag(METHOD), asked_by(CANCEL, PARENT), asked_by(SIGNAL, PARENT)]
)
async def test_nobody_to_reach_is_a_line_in_the_log(
    asked: CommandByTag, caplog: pytest.LogCaptureFixture
) -> None:
    host = await host_of()
    with caplog.at_level(logging.INFO):
        assert await host.deliver(asked) == []
    assert host.messages == []
    assert "finds no running Name by tag foo" in caplog.text


async def test_an_empty_last_page_is_not_nobody() -> None:
    host = await host_of(foo={"a"})
    await host.deliver(attrs.evolve(asked_by(METHOD, PARENT), cursor="a"))
    assert host.messages == []


# --- delivered again ------------------------------------------------------------------------------


async def test_commands_made_again_have_the_same_ids() -> None:
    host = await host_of(page_size=1, foo={"a", "b"})
    host.journal.failures["publish"] = TransportUnavailable("away")
    with pytest.raises(TransportUnavailable):
        await host.deliver(by_tag(SIGNAL))
    await host.deliver(by_tag(SIGNAL))
    once = host.messages
    host.clear()
    await host.deliver(by_tag(SIGNAL))
    assert host.messages == once


@pytest.mark.parametrize("command", [b"\xff", encode(CLIENT), encode(add("a"))])
async def test_a_command_that_cannot_be_read_is_given_back_alone(command: bytes) -> None:
    host = await host_of(foo={"a"})
    broken = received(attrs.evolve(by_tag(SIGNAL), command=command))
    assert await host.deliver(broken, by_tag(RETRY)) == [broken]
    assert host.messages == [to(RETRY, "a")]
