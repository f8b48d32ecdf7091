"""Duplicates, races, and long histories."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from infinitic_common.command_ids import command_id
from infinitic_common.failures import TaskTimedOutError, WorkflowCanceledError
from infinitic_common.history import (
    ChildWorkflowCommand,
    ReceiveCommand,
    RemoteMethodCommand,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.messages import (
    CancelWorkflow,
    MethodCompleted,
    MethodFailed,
    RemoteMethodCompleted,
    RemoveTagFromWorkflow,
    RetryTasks,
    TaskTimedOut,
    WaitWorkflow,
)
from infinitic_common.requesters import ClientRequester
from infinitic_workflow_engine._core.turn import Limits
from infinitic_workflow_engine._storage.format import to_bytes

ID = "w1"
CLIENT = ClientRequester("client-1")
TASK = TaskCommand("Util", "reverse", (b"x",))
CANCEL = CancelWorkflow("c", "Flow", ID, None, CLIENT, 1)


def timed_out(position: int) -> TaskTimedOut:
    return TaskTimedOut("to", "Flow", ID, ID, position, command_id(ID, ID, position), 1)


def test_rel_07_a_late_failure_and_a_late_timeout_do_not_replace_a_value(
    drive: Any, start: Any, completed: Any, failed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, ["all", 0, 1]))
    drive.send(completed(0))
    assert drive.send(failed(0)) == drive.send(timed_out(0)) == []
    assert drive.state.methods[ID].outcomes[0, 0].error is None


def test_a_value_that_comes_after_the_timeout_resumes_the_stalled_run(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(timed_out(0))
    drive.answer(error=TaskTimedOutError("Util", "reverse", "t"))
    drive.send(completed(0))
    assert drive.task is not None


def test_rel_08_what_arrives_during_a_workflow_task_is_applied_after_it_in_order(
    drive: Any, start: Any, completed: Any, signal: Any
) -> None:
    drive.send(signal("early"))
    drive.send(start())
    drive.answer([(0, TASK), (1, ReceiveCommand("approvals"))], waits=(2, ["all", 0, [1, 1]]))
    drive.send(completed(0), signal("s2"))
    entries = [type(e).__name__ for e in drive.state.methods[ID].log.entries]
    assert entries[-4:] == ["StepStarted", "CommandCompleted", "SignalReceived", "StepEnded"]


def test_rel_11_a_message_that_is_known_publishes_nothing_once_all_has_arrived(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.confirm()
    version = drive.state.version
    assert drive.send(start()) == []
    drive.send(completed(0))
    drive.answer([(2, TASK)], waits=(3, 2))
    drive.confirm()
    assert drive.send(completed(0)) == []
    assert drive.state.version == version + 2


def test_rel_23_a_step_of_a_long_history_writes_what_it_adds(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    sizes: list[int] = []
    for n in range(1000):
        drive.answer([(2 * n, TASK)], waits=(2 * n + 1, 2 * n), properties={"p": bytes(500)})
        drive.send(completed(2 * n))
        drive.confirm()
        drive.state.methods[ID].log.seal(ID, drive.state.version)
        drive.state.methods[ID].log.unwritten.clear()
        sizes.append(len(to_bytes(drive.state)))
    # References to segments are all that grows: some seventy bytes for each 128 entries.
    assert max(sizes[500:]) < 2 * max(sizes[:500])
    assert len(drive.state.methods[ID].known_values) == 1


def test_rel_23_ten_thousand_signals_are_taken_one_by_one_or_kept(
    drive: Any, start: Any, signal: Any
) -> None:
    drive.send(start())
    drive.answer([(0, ReceiveCommand("approvals"))], waits=(1, [0, 9_999]))
    drive.send(*(signal(f"s{n}") for n in range(9_999)))
    assert drive.task is None
    drive.send(signal("s3"), signal("last"))
    assert drive.task is not None


@pytest.mark.parametrize("cancel_first", [False, True])
def test_rel_24_a_cancellation_that_races_with_the_end_gives_one_outcome(
    drive: Any, start: Any, completed: Any, *, cancel_first: bool
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    published: list[Any] = []
    if cancel_first:
        published += drive.send(CANCEL, completed(0))
        published += drive.answer(value=b"")
    else:
        drive.send(completed(0))
        published += drive.answer(value=b"v")
        published += drive.send(CANCEL)
    told = [m for m in published if isinstance(m, MethodCompleted | MethodFailed)]
    assert len(told) == 1
    assert isinstance(told[0], MethodFailed) == cancel_first
    [late] = drive.send(WaitWorkflow("w", "Flow", ID, ID, ClientRequester("c2"), 1))
    assert type(late) is type(told[0])
    assert len([m for m in published if isinstance(m, RemoveTagFromWorkflow)]) == 1
    assert drive.state.ended_at is not None


def test_rel_24_a_run_that_returned_keeps_its_outcome_when_it_is_cancelled_after_that(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, ChildWorkflowCommand("Echo", "concat", ()))], value=b"v")
    published = drive.send(CANCEL)
    assert [type(m) for m in published] == [CancelWorkflow, RemoveTagFromWorkflow]
    [late] = drive.send(WaitWorkflow("w", "Flow", ID, ID, CLIENT, 1))
    assert isinstance(late, MethodCompleted)


def test_rel_26_a_child_that_completes_after_its_parent_was_cancelled_changes_nothing(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([(0, ChildWorkflowCommand("Echo", "concat", ()))], waits=(1, 0))
    drive.send(CANCEL)
    drive.answer(value=b"")
    version = drive.state.version
    assert drive.send(RemoteMethodCompleted("late", "Flow", ID, ID, 0, b"v", 1)) == []
    assert drive.state.version == version
    assert isinstance(drive.state.outcomes[ID].error, WorkflowCanceledError)


def test_rel_32_delayed_messages_of_an_ended_workflow_do_nothing(drive: Any, start: Any) -> None:
    task = attrs.evolve(TASK, timeout_ms=5000)
    child = ChildWorkflowCommand("Echo", "concat", (), timeout_ms=5000)
    drive.send(start())
    published = drive.answer(
        [(0, task), (1, child), (2, TimerCommand(9000, 8000))], waits=(3, ["any", 0, 1, 2])
    )
    late = [m for m in published if drive.delays[m.message_id]]
    assert len(late) == 3
    drive.send(CANCEL)
    drive.answer(value=b"")
    ended = to_bytes(drive.state)
    for message in late:
        assert drive.send(message) == []
    assert to_bytes(drive.state) == ended
    drive.state = None
    for message in late:
        assert drive.send(message) == []
    assert drive.state is None


def test_an_outcome_is_forgotten_after_its_retention_and_a_repeated_start_is_not(
    drive: Any, start: Any
) -> None:
    drive.limits = Limits(retention_ms=1000)
    wait = WaitWorkflow("w1", "Flow", ID, ID, CLIENT, 1)
    drive.send(start())
    drive.answer(value=b"v")
    [told] = drive.send(wait)
    assert isinstance(told, MethodCompleted)
    drive.now += 1000
    [unknown] = drive.send(attrs.evolve(wait, message_id="w2"))
    assert isinstance(unknown, MethodFailed)
    assert drive.told(start()) == ["RemoveTagFromWorkflow"]


def _recursion(drive: Any, depth: int, end: Callable[[int], Any]) -> None:
    method_id = ID
    for number in range(depth):
        call = RemoteMethodCommand("Flow", ID, None, "again", ())
        drive.answer([(0, call)], **end(number))
        drive.confirm()
        method_id = command_id(ID, method_id, 0)
        assert drive.task.method_id == method_id


def test_a_run_that_dispatches_itself_and_returns_leaves_two_runs_and_a_bounded_record(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    sizes: list[int] = []

    def end(number: int) -> Any:
        assert len(drive.state.methods) <= 2
        sizes.append(len(to_bytes(drive.state)))
        return {"value": bytes([number % 256])}

    _recursion(drive, 200, end)
    assert max(sizes[100:]) <= max(sizes[:100])
    assert len(drive.state.outcomes) < 40


def test_a_recursion_that_waits_grows_by_a_run_each_and_shrinks_to_nothing(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    _recursion(drive, 50, lambda _: {"waits": (1, 0)})
    assert len(drive.state.methods) == 51
    assert all(len(run.log.entries) <= 4 for run in drive.state.methods.values())
    for _ in range(51):
        drive.answer(value=b"v")
    assert drive.state.methods == {}
    assert drive.state.ended_at is not None


def test_a_retry_without_filter_leaves_tasks_that_completed_alone(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, ["all", 0, 1]))
    drive.send(completed(0))
    assert drive.send(RetryTasks("r", "Flow", ID, None, None, None, CLIENT, 1)) == []
