"""What a workflow asks of others by tag goes through the tag engine."""

from typing import Any

import attrs
import pytest

from infinitic_common.codec import decode
from infinitic_common.command_ids import command_id
from infinitic_common.failures import TaskFailedError, WorkflowTimedOutError, WorkflowUnknownError
from infinitic_common.history import RemoteMethodCommand, SendSignalCommand
from infinitic_common.messages import (
    CancelWorkflow,
    CommandByTag,
    DispatchMethod,
    RemoteMethodCompleted,
    RemoteMethodFailed,
    SendSignal,
)
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_workflow_engine._core.dispatches import cancellation

ID = "w1"
CALL = RemoteMethodCommand("Echo", None, "foo", "plus", (b"\x01",), 500)
OWN = RemoteMethodCommand("Flow", None, "tag", "plus", ())
METHOD = command_id(ID, ID, 0)
SELF = WorkflowRequester("Flow", ID, "run", ID, 0, 0)


def cancel(method_id: str | None = None) -> CancelWorkflow:
    return CancelWorkflow("c", "Flow", ID, method_id, ClientRequester("client-1"), 1)


def answered(value: bytes, identifier: str) -> RemoteMethodCompleted:
    return RemoteMethodCompleted(identifier, "Flow", ID, ID, 0, value, 1)


def calling(drive: Any, start: Any, command: RemoteMethodCommand = CALL) -> list[Any]:
    drive.send(start())
    published: list[Any] = drive.answer([(0, command)], waits=(1, 0))
    return published


def test_a_method_is_dispatched_to_the_tag_engine_with_an_id_that_stays_the_same(
    drive: Any, start: Any
) -> None:
    [by_tag, _] = calling(drive, start)
    assert isinstance(by_tag, CommandByTag)
    assert (by_tag.message_id, by_tag.tag, by_tag.requester) == (METHOD, "foo", SELF)
    assert decode(by_tag.command) == DispatchMethod(
        METHOD, "Echo", "", METHOD, "plus", (b"\x01",), SELF, client_waiting=False, emitted_at=1000
    )


def test_the_timeout_of_a_method_by_tag_ends_its_wait(drive: Any, start: Any) -> None:
    [_, timeout] = calling(drive, start)
    assert isinstance(timeout, RemoteMethodFailed)
    assert timeout.error == WorkflowTimedOutError("Echo", "tag foo", "plus", METHOD)
    assert drive.delays[timeout.message_id] == 1500
    drive.send(timeout)
    assert drive.task is not None


def test_the_first_answer_counts_and_later_ones_are_ignored(drive: Any, start: Any) -> None:
    calling(drive, start)
    drive.send(answered(b"first", "a1"))
    drive.answer([], waits=(2, ["all", 0, [9, 9]]))
    entries = len(drive.state.methods[ID].log.entries)
    assert drive.send(answered(b"second", "a2")) == []
    assert len(drive.state.methods[ID].log.entries) == entries


def test_a_tag_that_nothing_has_lets_the_code_go_on(drive: Any, start: Any) -> None:
    calling(drive, start)
    error = WorkflowUnknownError("Echo", "tag foo", "plus", None)
    drive.send(RemoteMethodFailed("u", "Flow", ID, ID, 0, error, 1))
    assert drive.task is not None


def test_a_cancellation_follows_the_method_by_tag(drive: Any, start: Any) -> None:
    calling(drive, start)
    [by_tag] = [m for m in drive.send(cancel()) if isinstance(m, CommandByTag)]
    command = decode(by_tag.command)
    assert isinstance(command, CancelWorkflow)
    assert (by_tag.tag, command.method_id, command.workflow_id) == ("foo", METHOD, "")
    assert command.requester == SELF


def test_instances_that_run_one_method_by_tag_cancel_what_it_called_each_for_itself(
    drive: Any, start: Any
) -> None:
    calling(drive, start, attrs.evolve(CALL, workflow_id="called", workflow_tag=None))
    other = attrs.evolve(drive.state, workflow_id="w2")
    run = drive.state.methods[ID]
    mine, its = (cancellation(state, run, 0, 1) for state in (drive.state, other))
    assert mine is not None
    assert its is not None
    assert mine.message_id != its.message_id


def test_a_call_by_tag_that_reaches_the_workflow_itself_runs_there_and_answers(
    drive: Any, start: Any
) -> None:
    [by_tag] = calling(drive, start, OWN)
    dispatch = decode(by_tag.command)
    assert isinstance(dispatch, DispatchMethod)
    here = DispatchMethod(
        "derived", "Flow", ID, METHOD, "plus", (), SELF, client_waiting=False, emitted_at=1
    )
    drive.send(here)
    assert drive.task.method_name == "plus"
    drive.answer(value=b"p")
    assert drive.task.method_id == ID


def test_a_call_by_tag_that_reaches_the_workflow_after_its_cancellation_starts_nothing(
    drive: Any, start: Any
) -> None:
    calling(drive, start, OWN)
    drive.send(cancel(ID))
    here = DispatchMethod(
        "derived", "Flow", ID, METHOD, "plus", (), SELF, client_waiting=False, emitted_at=1
    )
    drive.send(here)
    assert METHOD not in drive.state.methods


@pytest.mark.parametrize("by_tag", [False, True])
def test_cancelling_a_run_cancels_the_methods_it_runs_on_its_own_workflow(
    drive: Any, start: Any, *, by_tag: bool
) -> None:
    own = OWN if by_tag else RemoteMethodCommand("Flow", ID, None, "plus", ())
    other = DispatchMethod(
        "m", "Flow", ID, "other", "plus", (), ClientRequester("c"), client_waiting=False,
        emitted_at=1,
    )  # fmt: skip
    drive.send(start())
    drive.answer([(0, own)], waits=(1, 0))
    if by_tag:
        drive.send(
            DispatchMethod(
                "d", "Flow", ID, METHOD, "plus", (), SELF, client_waiting=False, emitted_at=1
            )
        )
    drive.answer([(0, CALL)], waits=(1, 0))
    drive.send(other)
    drive.answer([(0, CALL)], waits=(1, 0))
    drive.send(cancel(ID))
    assert drive.state.outcomes.keys() == {ID, METHOD}


def test_a_signal_is_sent_by_tag_and_needs_no_answer(drive: Any, start: Any) -> None:
    drive.send(start())
    send = SendSignalCommand("Echo", None, "foo", "approvals", b"\x01", ("Text",))
    [by_tag] = drive.answer([(0, send)], waits=(1, 0))
    assert isinstance(by_tag, CommandByTag)
    signal = decode(by_tag.command)
    assert isinstance(signal, SendSignal)
    assert (signal.signal_id, signal.message_id) == (METHOD, METHOD)
    assert (signal.channel_name, signal.value, signal.value_types) == (
        "approvals", b"\x01", ("Text",),
    )  # fmt: skip
    assert drive.task is not None


def test_answers_of_several_workflows_have_ids_of_their_own(drive: Any, start: Any) -> None:
    requester = WorkflowRequester("Echo", "parent", "run", "parent", 3)
    dispatch = DispatchMethod(
        "m", "Flow", ID, "m1", "plus", (), requester, client_waiting=False, emitted_at=1
    )
    ids: set[str] = set()
    for workflow_id in ("w1", "w2"):
        drive.state = drive.task = None
        drive.send(start())
        drive.answer([(0, CALL)], waits=(1, 0))
        drive.state.workflow_id = workflow_id
        drive.send(dispatch)
        [answer] = [
            m for m in drive.answer(value=b"v") if isinstance(m, RemoteMethodCompleted)
        ]  # fmt: skip
        ids.add(answer.message_id)
    assert len(ids) == 2


def test_a_second_failure_by_tag_is_told_again_and_a_success_lets_the_code_go_on(
    drive: Any, start: Any
) -> None:
    calling(drive, start)
    error = WorkflowUnknownError("Echo", "e1", "plus", METHOD)
    drive.send(RemoteMethodFailed("f1", "Flow", ID, ID, 0, error, 1))
    [first] = drive.answer(error=error)
    drive.send(RemoteMethodFailed("f2", "Flow", ID, ID, 0, error, 1))
    [second] = drive.answer(error=error)
    assert first.message_id != second.message_id
    drive.reload()
    drive.send(answered(b"v", "a"))
    assert drive.task is not None
    assert not isinstance(drive.state.methods[ID].stalled, TaskFailedError)
