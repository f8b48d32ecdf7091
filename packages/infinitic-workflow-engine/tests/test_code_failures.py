"""Code that raised: run again by the executor's policy, stalled, resumed by hand."""

from typing import Any

import attrs
import pytest

from infinitic_common.codec import decode, encode
from infinitic_common.failures import (
    ExceptionDetail,
    TaskFailedError,
    TaskFailure,
    WorkflowExecutorFailedError,
    WorkflowFailedError,
)
from infinitic_common.history import ChildWorkflowCommand, RemoteMethodCommand, TaskCommand
from infinitic_common.messages import (
    CancelWorkflow,
    ExecuteWorkflowTask,
    MethodCompleted,
    MethodFailed,
    QueryAnswered,
    QueryWorkflow,
    RemoteMethodCompleted,
    RemoteMethodFailed,
    RetryTasks,
    RetryWorkflowTask,
    WaitWorkflow,
    WorkflowTaskCompleted,
    WorkflowTaskRetryDue,
    WorkflowTaskTimedOut,
)
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_common.serialization import decode_untyped
from infinitic_common.workflow_tasks import RemoteWorkflowTask, WorkflowTaskResult
from infinitic_workflow_engine._core.remote_tasks import send_workflow_task
from infinitic_workflow_engine._core.turn import Turn

ID = "w1"
CLIENT = ClientRequester("client-1")
TASK = TaskCommand("Util", "reverse", (b"x",))
FAILURE = TaskFailure("w", 0, 0, 3.0, "trace", ExceptionDetail("RuntimeError", "a bug"))
BUG = WorkflowExecutorFailedError("Flow", ID, "t", FAILURE)
UNKNOWN = attrs.evolve(
    BUG,
    failure=attrs.evolve(
        FAILURE,
        exception=ExceptionDetail("infinitic_common.exceptions.UnknownWorkflowVersion", "no 3"),
    ),
)
PARENT = WorkflowRequester("Echo", "parent", "run", "parent", 3)


def status(drive: Any) -> object:
    [answer] = drive.send(QueryWorkflow("q", "Flow", ID, "r", "status", None, CLIENT, 1))
    assert isinstance(answer, QueryAnswered)
    assert answer.answer is not None
    return decode_untyped(answer.answer)


def failing(drive: Any, start: Any, completed: Any) -> WorkflowTaskRetryDue:
    """The code waits for a task, goes on, raises, and is to run again in 3 s."""
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(completed(0))
    published = drive.answer(error=BUG, retry_after_ms=3000)
    [due] = published
    assert isinstance(due, WorkflowTaskRetryDue)
    return due


def test_a_retry_is_a_delayed_message_and_nobody_is_told(
    drive: Any, start: Any, completed: Any
) -> None:
    due = failing(drive, start, completed)
    assert (due.retry_index, due.emitted_at) == (0, 4000)
    assert drive.delays[due.message_id] == 4000
    assert status(drive) == "RUNNING"
    assert drive.send(WaitWorkflow("wait", "Flow", ID, ID, ClientRequester("c2"), 1)) == []


def test_each_retry_is_told_how_often_the_code_ran_before_and_a_success_begins_anew(
    drive: Any, start: Any, completed: Any
) -> None:
    due = failing(drive, start, completed)
    drive.reload()
    drive.send(due)
    assert drive.task.retry_index == 1
    [second] = drive.answer(error=BUG, retry_after_ms=6000)
    assert second.retry_index == 1
    assert second.message_id != due.message_id
    drive.send(second)
    assert drive.task.retry_index == 2
    drive.answer([(2, TASK)], waits=(3, 2))
    drive.send(completed(2))
    assert drive.task.retry_index == 0


def test_after_the_last_retry_who_waits_is_told(drive: Any, start: Any, completed: Any) -> None:
    drive.send(failing(drive, start, completed))
    [told] = drive.answer(error=BUG)
    assert isinstance(told, MethodFailed)
    assert isinstance(told.error, WorkflowFailedError)
    assert told.error.error == BUG
    assert status(drive) == "HAS_FAILED_EXECUTOR"


def test_an_older_due_message_does_nothing(drive: Any, start: Any, completed: Any) -> None:
    due = failing(drive, start, completed)
    drive.send(RetryWorkflowTask("now", "Flow", ID, CLIENT, 1))
    assert drive.task.retry_index == 0
    [later] = drive.answer(error=BUG, retry_after_ms=3000)
    assert drive.send(due) == []
    assert not drive.task
    drive.send(later)
    assert drive.task is not None
    drive.answer(value=b"v")
    assert drive.send(attrs.evolve(later, message_id="twice")) == []


def test_a_first_workflow_task_is_retried_with_the_properties_as_they_are_then(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    [due] = drive.answer(error=BUG, retry_after_ms=3000)
    assert drive.state.workflow_version is None
    drive.now = 4000
    drive.reload()
    drive.send(due)
    first = drive.task.history[drive.task.visible - 1]
    assert first.at == 4000
    drive.answer(value=b"v")
    assert drive.state.workflow_version == 0


def test_a_cancelled_run_is_not_run_again_from_where_it_failed(
    drive: Any, start: Any, completed: Any
) -> None:
    due = failing(drive, start, completed)
    drive.send(CancelWorkflow("c", "Flow", ID, None, CLIENT, 1))
    drive.answer(value=b"")
    assert drive.state.ended_at is not None
    assert drive.send(due) == []


def test_a_remote_workflow_task_carries_its_retries_and_only_its_own_result_counts(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    first = _sent(drive)
    due = _answer(drive, first, error=BUG, retry_after_ms=3000)[-1]
    assert isinstance(due, WorkflowTaskRetryDue)
    drive.send(due)
    second = _sent(drive)
    assert second.retry_index == 1
    remote = decode(second.task)
    assert isinstance(remote, RemoteWorkflowTask)
    assert remote.retry_index == 1
    assert second.workflow_task_id != first.workflow_task_id
    assert _answer(drive, first, error=BUG) == []
    assert drive.state.running is not None


def _sent(drive: Any) -> ExecuteWorkflowTask:
    turn = Turn(ID, 99, drive.now, 5_000_000, drive.state)
    turn.task = drive.task
    send_workflow_task(turn)
    drive.task = None
    message = decode(turn.emissions[0].message.body)
    assert isinstance(message, ExecuteWorkflowTask)
    return message


def _answer(drive: Any, asked: ExecuteWorkflowTask, **result: Any) -> list[Any]:
    encoded = encode(WorkflowTaskResult(asked.workflow_task_id, 0, **result))
    message = WorkflowTaskCompleted(
        f"r-{asked.message_id}-{len(encoded)}", "Flow", ID, ID, asked.workflow_task_id, encoded, 1
    )
    answered: list[Any] = drive.send(message)
    return answered


def test_versioning_a_run_without_executor_says_what_it_waits_for_and_goes_on_by_hand(
    drive: Any, start: Any, completed: Any
) -> None:
    words = "waiting for an executor of Flow version 3"
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.state.workflow_version = 3
    drive.send(completed(0))
    drive.answer(error=UNKNOWN)
    assert status(drive) == words
    assert words in drive.notes[0]
    drive.reload()
    assert status(drive) == words
    drive.send(RetryWorkflowTask("r", "Flow", ID, CLIENT, 1))
    drive.answer(value=b"v")
    assert status(drive) == "COMPLETED"


def test_versioning_a_run_that_came_to_a_worker_without_its_version_goes_on_by_itself(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start(waiting=False))
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.state.workflow_version = 3
    drive.send(completed(0))
    [due] = drive.answer(error=UNKNOWN)
    assert isinstance(due, WorkflowTaskRetryDue)
    assert due.emitted_at == drive.now + 1000
    assert status(drive) == "waiting for an executor of Flow version 3"
    drive.reload()
    drive.send(due)
    [later] = drive.answer(error=UNKNOWN)
    assert later.emitted_at == drive.now + 2000
    assert len(drive.notes) == 1
    drive.send(later)
    drive.answer(value=b"v")
    assert status(drive) == "COMPLETED"


def test_versioning_clients_are_told_at_once_that_no_worker_has_the_version(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(WaitWorkflow("wait", "Flow", ID, ID, CLIENT, 1))
    drive.state.workflow_version = 3
    drive.send(completed(0))
    told, due = drive.answer(error=UNKNOWN)
    assert isinstance(due, WorkflowTaskRetryDue)
    assert isinstance(told, MethodFailed)
    drive.reload()
    [again] = drive.send(WaitWorkflow("wait again", "Flow", ID, ID, CLIENT, 1))
    assert isinstance(again, MethodFailed)


def test_versioning_workflows_that_wait_are_told_when_no_worker_with_the_version_comes(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(attrs.evolve(start(waiting=False), requester=PARENT))
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.state.workflow_version = 3
    drive.send(completed(0))
    waited = 0
    [message] = drive.answer(error=UNKNOWN)
    while isinstance(message, WorkflowTaskRetryDue):
        waited += message.emitted_at - drive.now
        drive.send(message)
        [message] = drive.answer(error=UNKNOWN)
    assert waited == 603_000
    assert isinstance(message, RemoteMethodFailed)


def test_versioning_a_workflow_task_that_nobody_answers_in_time_says_so_and_is_sent_again(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    asked = _sent(drive)
    assert status(drive) == "RUNNING"
    drive.now += drive.limits.workflow_task_timeout_ms
    late = WorkflowTaskTimedOut("t", "Flow", ID, ID, asked.workflow_task_id, drive.now)
    again = drive.send(late)
    assert isinstance(again[0], ExecuteWorkflowTask)
    assert status(drive) == "waiting for an executor of Flow"
    assert "waiting for an executor of Flow" in drive.notes[0]
    _answer(drive, again[0], value=b"v")
    assert status(drive) == "COMPLETED"


# --- stalled runs -------------------------------------------------------------------------------


def child_failed(identifier: str) -> RemoteMethodFailed:
    error = WorkflowFailedError("Echo", "child", "run", "child", BUG)
    return RemoteMethodFailed(identifier, "Flow", ID, ID, 0, error, 1)


CALLS = [
    ChildWorkflowCommand("Echo", "concat", ()),
    RemoteMethodCommand("Echo", "other", None, "plus", ()),
]


@pytest.mark.parametrize("command", CALLS, ids=["child", "method"])
def test_a_child_that_fails_again_is_told_again_to_everyone_above(
    drive: Any, start: Any, command: Any
) -> None:
    message = attrs.evolve(start(waiting=False), requester=PARENT)
    drive.send(message)
    drive.answer([(0, command)], waits=(1, 0))
    drive.send(WaitWorkflow("wait", "Flow", ID, ID, CLIENT, 1))
    told: list[str] = []
    for number in range(2):
        drive.send(child_failed(f"f{number}"))
        published = drive.answer(error=child_failed("x").error)
        assert {type(m) for m in published} == {MethodFailed, RemoteMethodFailed}
        told += [m.message_id for m in published]
        drive.reload()
    assert len(set(told)) == 4
    drive.send(RemoteMethodCompleted("done", "Flow", ID, ID, 0, b"v", 1))
    published = drive.answer(value=b"v")
    assert {type(m) for m in published} >= {RemoteMethodCompleted, MethodCompleted}


def test_a_failure_that_was_caught_stays_caught_when_the_child_fails_again(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([(0, CALLS[0])], waits=(1, 0))
    drive.send(child_failed("f1"))
    drive.answer([(2, TASK)], waits=(3, 2))
    assert drive.send(child_failed("f2")) == []
    assert drive.task is None


def test_a_workflow_that_caught_a_failure_ends(drive: Any, start: Any, failed: Any) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(failed(0))
    drive.answer(value=b"caught")
    assert drive.state.ended_at is not None
    assert status(drive) == "COMPLETED"


def test_only_the_run_that_failed_is_stalled(drive: Any, start: Any, completed: Any) -> None:
    drive.send(start())
    drive.answer([(0, RemoteMethodCommand("Flow", ID, None, "plus", ())), (1, TASK)], waits=(2, 1))
    assert drive.answer(error=BUG) == []
    drive.send(completed(1))
    assert drive.task.method_id == ID


@pytest.mark.parametrize("remedy", ["task", "workflow task"])
def test_a_stalled_run_goes_on_by_either_retry(
    drive: Any, start: Any, completed: Any, failed: Any, remedy: str
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(failed(0))
    error = TaskFailedError("Util", "reverse", "t", FAILURE)
    drive.answer(error=error)
    assert status(drive) == "HAS_FAILED_TASK"
    if remedy == "task":
        drive.send(RetryTasks("r", "Flow", ID, None, "FAILED", "Util", CLIENT, 1))
        assert status(drive) == "WAITING"
        drive.send(completed(0))
    else:
        drive.send(RetryWorkflowTask("r", "Flow", ID, CLIENT, 1))
    told = drive.answer(value=b"v")
    assert type(told[0]).__name__ == "MethodCompleted"


def test_a_late_wait_of_a_parent_for_a_failed_run_is_answered_at_once(
    drive: Any, start: Any
) -> None:
    drive.send(start(waiting=False))
    drive.answer(error=BUG)
    [told] = drive.send(WaitWorkflow("wait", "Flow", ID, ID, PARENT, 1))
    assert isinstance(told, RemoteMethodFailed)
    assert (told.workflow_id, told.position) == ("parent", 3)
