"""Tags of tasks find them as long as they run, and no longer."""

from typing import Any

from infinitic_common.command_ids import command_id
from infinitic_common.history import TaskCommand
from infinitic_common.messages import (
    AddTagToTask,
    CancelWorkflow,
    RemoveTagFromTask,
    RetryTasks,
    TaskTimedOut,
)
from infinitic_common.requesters import ClientRequester
from infinitic_workflow_engine._core.outbox import short_hash

ID = "w1"
CLIENT = ClientRequester("client-1")
TAGGED = TaskCommand("Util", "reverse", (), frozenset({"a", "b"}), timeout_ms=100)
PLAIN = TaskCommand("Util", "reverse", ())
TASK_ID = command_id(ID, ID, 0)
TIMED_OUT = TaskTimedOut("to", "Flow", ID, ID, 0, TASK_ID, 1100)


def removed(published: list[Any]) -> list[tuple[str, str]]:
    return [(m.task_id, m.tag) for m in published if isinstance(m, RemoveTagFromTask)]


BOTH = [(TASK_ID, "a"), (TASK_ID, "b")]


def running(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer([(0, TAGGED), (1, PLAIN)], waits=(2, ["all", 0, 1]))


def retry(identifier: str = "r") -> RetryTasks:
    return RetryTasks(identifier, "Flow", ID, TASK_ID, None, None, CLIENT, 1)


def test_a_task_that_completed_loses_its_tags_and_an_untagged_one_has_none(
    drive: Any, start: Any, completed: Any
) -> None:
    running(drive, start)
    assert removed(drive.send(completed(0))) == BOTH
    assert removed(drive.send(completed(1))) == []


def test_a_task_that_failed_loses_its_tags_once(drive: Any, start: Any, failed: Any) -> None:
    running(drive, start)
    assert removed(drive.send(failed(0))) == BOTH
    drive.answer([], waits=(3, 1))
    assert removed(drive.send(TIMED_OUT)) == []


def test_a_task_that_timed_out_loses_its_tags_and_its_late_value_removes_nothing(
    drive: Any, start: Any, completed: Any
) -> None:
    running(drive, start)
    assert removed(drive.send(TIMED_OUT)) == BOTH
    drive.answer([], waits=(3, 1))
    assert removed(drive.send(completed(0))) == []


def test_a_retry_by_hand_tags_again_and_its_end_removes_again(
    drive: Any, start: Any, completed: Any, failed: Any
) -> None:
    running(drive, start)
    first = drive.send(failed(0))
    drive.answer([], waits=(3, 1))
    again = drive.send(retry())
    assert [m.tag for m in again if isinstance(m, AddTagToTask)] == ["a", "b"]
    second = drive.send(completed(0))
    assert removed(second) == BOTH
    assert not {m.message_id for m in first} & {m.message_id for m in second}


def test_the_time_limit_of_a_contract_is_over_with_the_attempts_that_it_was_for(
    drive: Any, start: Any, failed: Any
) -> None:
    running(drive, start)
    drive.send(failed(0))
    drive.answer([], waits=(3, 1))
    drive.send(retry())
    assert drive.send(TIMED_OUT) == []
    assert (0, 0) not in drive.state.methods[ID].outcomes


def test_cancelling_removes_the_tags_of_tasks_that_run(drive: Any, start: Any) -> None:
    running(drive, start)
    assert removed(drive.send(CancelWorkflow("c", "Flow", ID, None, CLIENT, 1))) == BOTH
    assert removed(drive.answer(value=b"")) == []


def test_a_run_that_ends_without_cleaning_up_removes_them_too(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer([(0, TAGGED)], value=b"v")
    assert removed(drive.send(CancelWorkflow("c", "Flow", ID, None, CLIENT, 1))) == BOTH
    assert drive.state.ended_at is not None
    assert drive.state.outcomes[ID].value == b"v"


def test_what_is_published_again_does_not_tag_a_task_that_has_ended(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.state.outbox.entries.clear()
    drive.answer([(0, TAGGED), (1, TAGGED)], waits=(2, ["all", 0, 1]))
    entry = drive.state.outbox.entries[-1]
    drive.state.outbox.entries[-1] = type(entry)(short_hash("start"), entry.effects)
    drive.send(completed(0))
    again = drive.send(start())
    assert {m.task_id for m in again} == {command_id(ID, ID, 1)}
