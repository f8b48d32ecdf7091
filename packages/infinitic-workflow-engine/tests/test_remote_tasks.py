"""Workflow tasks that leave as messages: the outbox refers to them, it does not copy them."""

from pathlib import Path
from typing import Any

import pytest

from infinitic_common.codec import encode
from infinitic_common.history import CommandIssued, TaskCommand, TimerCommand
from infinitic_common.messages import CompleteTimers, ExecuteWorkflowTask, WorkflowTaskCompleted
from infinitic_common.requesters import ClientRequester
from infinitic_common.workflow_tasks import StepAwaited, WorkflowTaskResult
from infinitic_workflow_engine._storage.format import head_from_bytes
from infinitic_workflow_engine._storage.restoring import from_head

ID = "w1"
TASK = TaskCommand("Util", "reverse", ())
STORED = Path(__file__).parent / "stored_states" / "remote.hex"


@pytest.fixture
def away(drive: Any, start: Any) -> Any:
    """A workflow that waits for the first of its two tasks."""
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, 0))
    drive.remote = True
    return drive


def _answered(asked: ExecuteWorkflowTask) -> WorkflowTaskCompleted:
    result = encode(WorkflowTaskResult(asked.workflow_task_id, 0, value=b"v"))
    return WorkflowTaskCompleted("answer", "Flow", ID, ID, asked.workflow_task_id, result, 1)


def test_a_task_in_progress_is_sent_again_the_same_though_the_history_has_grown(
    away: Any, completed: Any
) -> None:
    sent = away.send(completed(0))
    assert [type(message).__name__ for message in sent] == [
        "ExecuteWorkflowTask",
        "WorkflowTaskTimedOut",
    ]
    away.send(completed(1))
    away.now += 5
    away.reload()
    assert away.send(completed(0)) == sent


def test_a_task_that_was_answered_is_not_sent_again(away: Any, completed: Any) -> None:
    asked, _ = away.send(completed(0))
    away.send(_answered(asked))
    assert away.send(completed(0)) == []


def test_the_entry_of_an_answered_task_goes_though_nobody_saw_it_arrive(
    away: Any, completed: Any
) -> None:
    asked, _ = away.send(completed(0))
    sent = away.state.outbox.entries[-1]
    away.send(_answered(asked))
    assert sent not in away.state.outbox.entries


def test_what_is_remembered_of_a_task_does_not_grow_with_its_history(
    away: Any, completed: Any
) -> None:
    away.send(completed(0, b"x" * 10_000))
    assert len(encode(away.state.outbox.entries[-1])) < 100


@pytest.mark.parametrize("method_id", [None, ID])
def test_timers_that_were_to_end_while_code_ran_elsewhere_end_when_it_has_run(
    drive: Any, start: Any, method_id: str | None
) -> None:
    drive.remote = True
    asked, deadline = drive.send(start())
    drive.send(CompleteTimers("ct", "Flow", ID, method_id, ClientRequester("c"), 1))
    drive.now = deadline.emitted_at
    drive.send(deadline)
    drive.reload()
    timer, step = CommandIssued(0, TimerCommand(5000, 4000)), StepAwaited(1, 0)
    result = encode(WorkflowTaskResult(asked.workflow_task_id, 0, (timer,), step))
    sent = drive.send(
        WorkflowTaskCompleted("answer", "Flow", ID, ID, asked.workflow_task_id, result, 1)
    )
    assert (0, 0) in drive.state.methods[ID].outcomes
    assert "ExecuteWorkflowTask" in [type(message).__name__ for message in sent]


def test_a_state_of_an_earlier_release_sends_its_copy_of_the_task_again(
    drive: Any, completed: Any
) -> None:
    state = from_head(head_from_bytes(bytes.fromhex(STORED.read_text())), {}, 1)
    running, drive.state = state.running, state
    assert running is not None
    asked, deadline = drive.send(completed(0))
    assert asked.workflow_task_id == deadline.workflow_task_id == running.task_id
    ended = [type(message).__name__ for message in drive.send(_answered(asked))]
    assert "MethodCompleted" in ended
