"""Children with a custom id, and tags that leave no trace."""

from typing import Any

import attrs
import pytest

from infinitic_common.codec import decode
from infinitic_common.command_ids import command_id
from infinitic_common.history import ChildWorkflowCommand, TaskCommand
from infinitic_common.messages import (
    CancelWorkflow,
    CommandByTag,
    DispatchWorkflow,
    ExecuteTask,
    RemoteMethodCompleted,
    RemoteMethodFailed,
    RemoveTagFromWorkflow,
    StartByCustomId,
    WaitWorkflow,
)
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_workflow_engine._core.outbox import short_hash

ID = "w1"
CHILD = command_id(ID, ID, 0)
PARENT = WorkflowRequester("Echo", "parent", "run", "parent", 3)
UNIQUE = ChildWorkflowCommand(
    "Echo", "concat", (b"\x01",), frozenset({"foo", "customId:bar"}), {"m": b"1"}, 700
)


def started_by(requester: WorkflowRequester | ClientRequester, start: Any) -> DispatchWorkflow:
    message: DispatchWorkflow = start(waiting=False)
    tags = frozenset({"foo", "customId:bar"})
    return attrs.evolve(message, requester=requester, tags=tags)


def waits(requester: WorkflowRequester | ClientRequester, identifier: str = "w") -> WaitWorkflow:
    return WaitWorkflow(identifier, "Flow", ID, ID, requester, 1)


def test_a_child_with_a_custom_id_is_started_by_the_tag_engine(drive: Any, start: Any) -> None:
    drive.send(start())
    [unique, timeout] = drive.answer([(0, UNIQUE)], waits=(1, 0))
    assert isinstance(unique, StartByCustomId)
    assert (unique.message_id, unique.tag, unique.request_id) == (CHILD, "customId:bar", None)
    child = decode(unique.start)
    assert isinstance(child, DispatchWorkflow)
    assert (child.message_id, child.workflow_id) == (CHILD, CHILD)
    assert (child.tags, child.meta, child.arguments) == (UNIQUE.tags, UNIQUE.meta, UNIQUE.arguments)
    assert child.requester == unique.requester == WorkflowRequester("Flow", ID, "run", ID, 0)
    assert isinstance(timeout, RemoteMethodFailed)
    assert drive.delays[timeout.message_id] == 1700


def test_the_cancellation_of_such_a_child_cannot_overtake_its_start_nor_hit_another_one(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([(0, UNIQUE)], waits=(1, 0))
    cancel = CancelWorkflow("c", "Flow", ID, None, ClientRequester("client-1"), 1)
    [by_tag] = [m for m in drive.send(cancel) if isinstance(m, CommandByTag)]
    command = decode(by_tag.command)
    assert isinstance(command, CancelWorkflow)
    assert (by_tag.tag, command.method_id) == ("customId:bar", CHILD)


def test_a_parent_that_names_the_main_run_cancels_the_whole_workflow(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([], waits=(0, [7, 1]))
    drive.send(CancelWorkflow("other", "Flow", ID, "somebody else", PARENT, 1))
    assert drive.state.outcomes == {}
    drive.send(CancelWorkflow("c", "Flow", ID, ID, PARENT, 1))
    assert drive.state.outcomes.keys() == {ID}


def test_a_parent_whose_start_lost_is_told_the_outcome_of_the_holder(
    drive: Any, start: Any
) -> None:
    drive.send(started_by(ClientRequester("client-1"), start))
    drive.answer([], waits=(0, [7, 1]))
    assert drive.send(waits(PARENT), waits(PARENT, "again")) == []
    drive.reload()
    drive.state.ready = [ID]
    drive.send(waits(ClientRequester("c2"), "another"))
    answers = [m for m in drive.answer(value=b"v") if isinstance(m, RemoteMethodCompleted)]
    [answer] = answers
    assert (answer.workflow_id, answer.position, answer.value) == ("parent", 3, b"v")


def test_a_parent_that_waits_for_an_ended_holder_is_answered_at_once(
    drive: Any, start: Any
) -> None:
    drive.send(started_by(ClientRequester("client-1"), start))
    drive.answer(value=b"v")
    [answer] = drive.send(waits(PARENT))
    assert isinstance(answer, RemoteMethodCompleted)


def test_the_end_removes_every_tag_and_frees_the_custom_id(drive: Any, start: Any) -> None:
    drive.send(started_by(ClientRequester("client-1"), start))
    removed = [m for m in drive.answer(value=b"v") if isinstance(m, RemoveTagFromWorkflow)]
    assert {m.tag for m in removed} == {"foo", "customId:bar"}


def test_a_start_that_comes_again_after_the_end_has_its_tags_removed_again(
    drive: Any, start: Any
) -> None:
    first = started_by(ClientRequester("client-1"), start)
    drive.send(first)
    drive.answer(value=b"v")
    drive.confirm()
    drive.state.outbox.drop_confirmed()
    again = attrs.evolve(first, message_id="another message")
    for message in (first, again):
        assert drive.told(message) == ["RemoveTagFromWorkflow"] * 2
    assert drive.state.outbox.entries == []


def test_child_04_task_and_child_carry_their_names_tags_meta_and_arguments(
    drive: Any, start: Any
) -> None:

    tags, meta = frozenset({"foo", "bar"}), {"foo": b"bar"}
    task = TaskCommand("Util", "log", (b"\x18\x64",), tags, meta)
    child = ChildWorkflowCommand("Echo", "log", (b"\x18\x64",), tags, meta)
    drive.send(start())
    published = drive.answer([(0, task), (1, child)], waits=(2, ["all", 0, 1]))
    [asked] = [m for m in published if isinstance(m, ExecuteTask)]
    [started] = [m for m in published if isinstance(m, DispatchWorkflow)]
    assert (asked.service_name, started.workflow_name) == ("Util", "Echo")
    for message in (asked, started):
        assert message.method_name == "log"
        assert message.arguments == (b"\x18\x64",)
        assert (message.tags, message.meta) == (tags, meta)


@pytest.mark.parametrize("cleans_up", [False, True])
def test_the_tags_of_a_child_whose_start_never_left_are_taken_back(
    drive: Any, start: Any, *, cleans_up: bool
) -> None:
    child = ChildWorkflowCommand("Echo", "concat", (), frozenset({"foo"}))
    drive.send(start())
    if cleans_up:
        drive.answer([(0, child)], waits=(1, 0))
    else:
        drive.answer([(0, child)], value=b"v")
    entry = drive.state.outbox.entries[-1]
    drive.state.outbox.entries[-1] = type(entry)(short_hash("start"), entry.effects)
    drive.send(CancelWorkflow("c", "Flow", ID, None, ClientRequester("client-1"), 1))
    again = [m for m in drive.send(start()) if getattr(m, "workflow_id", "") == CHILD]
    assert [(type(m), m.tag) for m in again] == [(RemoveTagFromWorkflow, "foo")]
