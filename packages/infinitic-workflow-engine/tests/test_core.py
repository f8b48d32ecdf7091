from collections.abc import Callable
from typing import Any

import attrs
import pytest

from infinitic_common.command_ids import command_id
from infinitic_common.failures import (
    ExceptionDetail,
    TaskFailedError,
    TaskFailure,
    WorkflowCanceledError,
    WorkflowExecutorFailedError,
    WorkflowFailedError,
    WorkflowUnknownError,
)
from infinitic_common.history import (
    ChildWorkflowCommand,
    CommandCompleted,
    CommandIssued,
    MethodStarted,
    ReceiveCommand,
    RemoteMethodCommand,
    RunCanceled,
    SendSignalCommand,
    StepEnded,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.messages import (
    CancelWorkflow,
    CompleteTimers,
    DispatchMethod,
    DispatchWorkflow,
    ExecuteTask,
    MethodCompleted,
    MethodFailed,
    RemoveTagFromWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    TaskFailed,
    TimerCompleted,
    WaitWorkflow,
)
from infinitic_common.requesters import ClientRequester
from infinitic_workflow_engine._core.outbox import short_hash
from infinitic_workflow_engine._core.state import RunningTask
from infinitic_workflow_engine._storage.states import state_key

ID = "w1"
CLIENT = ClientRequester("client-1")
TASK = TaskCommand("Util", "reverse", (b"x",))
FAILURE = TaskFailure("w", 0, 0, None, "trace", ExceptionDetail("ValueError", "sorry"))


def kinds(messages: list[Any]) -> list[str]:
    return [type(message).__name__ for message in messages]


def failed(position: int, sequence: int = 0) -> TaskFailed:
    task_id = command_id(ID, ID, position)
    failure = TaskFailure("w", sequence, 0, None, "trace", ExceptionDetail("ValueError", "sorry"))
    return TaskFailed(
        f"failed-{task_id}-{sequence}", "Flow", ID, ID, position, task_id, "Util", "reverse",
        failure, 1,
    )  # fmt: skip


def test_a_start_asks_for_a_workflow_task_and_publishes_nothing(drive: Any, start: Any) -> None:
    assert drive.send(start()) == []
    assert drive.task.method_id == ID
    assert isinstance(drive.task.history[0], MethodStarted)
    assert drive.task.visible == 1


def test_a_step_costs_one_message_and_the_result_lets_the_code_go_on(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    assert kinds(drive.answer([(0, TASK)], waits=(1, 0))) == ["ExecuteTask"]
    drive.send(completed(0))
    assert isinstance(drive.task.history[drive.task.visible - 1], StepEnded)


def test_the_end_answers_the_client_last_and_leaves_a_tombstone(drive: Any, start: Any) -> None:
    drive.send(start())
    published = drive.answer(value=b"result")
    assert kinds(published) == ["MethodCompleted", "RemoveTagFromWorkflow"]
    assert drive.state.methods == {}
    assert drive.state.ended_at == drive.now


def test_a_known_message_publishes_again_what_is_not_known_to_have_arrived(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    first = drive.answer([(0, TASK)], waits=(1, 0))
    drive.state.outbox.entries[0] = type(drive.state.outbox.entries[0])(
        _short("start"), drive.state.outbox.entries[0].effects
    )
    again = drive.send(start())
    assert again == first
    assert drive.task is None


def _short(message_id: str) -> bytes:
    return short_hash(message_id)


def test_a_known_message_whose_effects_arrived_publishes_nothing(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, ["all", 0, 1]))
    drive.confirm()
    drive.send(completed(0))
    assert drive.send(start()) == []
    assert drive.send(completed(0)) == []


def test_a_second_start_after_the_end_is_a_duplicate_and_its_client_gets_the_result(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer(value=b"result")
    other = DispatchWorkflow(
        "start2",
        "Flow",
        ID,
        "run",
        (),
        frozenset(),
        {},
        ClientRequester("c2"),
        client_waiting=True,
        emitted_at=1,
    )
    published = drive.send(other)
    assert drive.task is None
    answers = [m for m in published if isinstance(m, MethodCompleted)]
    assert [(a.client_name, a.value) for a in answers] == [("c2", b"result")]
    assert [m for m in published if isinstance(m, RemoveTagFromWorkflow)]


def test_rel_07_the_first_outcome_of_a_task_stands(drive: Any, start: Any, completed: Any) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, ["all", 0, 1]))
    drive.send(completed(0))
    drive.send(failed(0))
    drive.send(completed(1))
    assert drive.task is not None
    outcomes = drive.state.methods[ID].outcomes
    assert outcomes[0, 0].error is None


def test_any_goes_on_with_the_first_success_though_another_member_failed(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, ["any", 0, 1]))
    drive.send(failed(0))
    assert drive.task is None
    drive.send(completed(1))
    assert drive.task is not None


def test_all_fails_with_its_first_failure_at_once(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, ["all", 0, 1]))
    drive.send(failed(0))
    assert drive.task is not None


def test_results_that_arrive_together_resume_the_code_once(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK), (1, TASK)], waits=(2, ["all", 0, 1]))
    drive.send(completed(0), completed(1))
    ends = [e for e in drive.state.methods[ID].log.entries if isinstance(e, StepEnded)]
    assert len(ends) == 1


def test_a_result_for_an_ended_or_unknown_workflow_creates_nothing(
    drive: Any, completed: Any
) -> None:
    assert drive.send(completed(0)) == []
    assert drive.state is None


def test_a_signal_that_overtakes_its_start_is_kept_for_it(
    drive: Any, start: Any, signal: Any
) -> None:
    drive.send(signal("s1"))
    assert drive.state.started is False
    drive.send(start())
    drive.answer([(0, ReceiveCommand("approvals"))], waits=(1, 0))
    assert drive.task is not None


def test_a_signal_id_counts_once(drive: Any, start: Any, signal: Any) -> None:
    drive.send(start())
    drive.answer([(0, ReceiveCommand("approvals"))], waits=(1, ["all", 0, [0, 1]]))
    drive.send(signal("s1"))
    repeated = signal("s1")
    drive.send(SendSignal("other", *[getattr(repeated, a.name) for a in _fields(repeated)[1:]]))
    assert drive.task is None
    drive.send(signal("s2"))
    assert drive.task is not None


def _fields(message: Any) -> Any:
    return attrs.fields(type(message))


def test_a_limit_closes_the_receive_and_later_signals_wait_for_the_next_one(
    drive: Any, start: Any, signal: Any
) -> None:
    drive.send(start())
    drive.answer([(0, ReceiveCommand("approvals", limit=1))], waits=(1, 0))
    drive.send(signal("s1"), signal("s2"))
    assert len(drive.state.mailbox) == 1
    drive.answer([(2, ReceiveCommand("approvals"))], waits=(3, 2))
    assert drive.task is not None
    assert len(drive.state.mailbox) == 0


def test_a_timer_is_delayed_and_its_value_is_the_scheduled_instant(drive: Any, start: Any) -> None:
    drive.send(start())
    [timer] = drive.answer([(0, TimerCommand(5000, 4000))], waits=(1, 0))
    assert isinstance(timer, TimerCompleted)
    assert timer.emitted_at == 5000
    drive.now = 99_000
    drive.send(timer)
    assert drive.task is not None
    assert drive.send(timer) == []


def test_timers_can_be_ended_now_and_the_late_message_does_nothing(drive: Any, start: Any) -> None:
    drive.send(start())
    [timer] = drive.answer([(0, TimerCommand(5000, 4000))], waits=(1, 0))
    drive.send(CompleteTimers("ct", "Flow", ID, None, CLIENT, 1))
    assert drive.task is not None
    drive.answer([], waits=(2, 0))
    before = len(drive.state.methods[ID].log.entries)
    drive.send(timer)
    assert len(drive.state.methods[ID].log.entries) == before


def test_a_failed_run_tells_who_waits_and_stays(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(failed(0))
    error = TaskFailedError("Util", "reverse", "t", FAILURE)
    published = drive.answer(error=error)
    assert kinds(published) == ["MethodFailed"]
    assert ID in drive.state.methods


def test_rel_30_a_wait_for_a_failed_run_is_answered_at_once(drive: Any, start: Any) -> None:
    drive.send(start(waiting=False))
    drive.answer(error=WorkflowExecutorFailedError("Flow", ID, "t", FAILURE))
    published = drive.send(WaitWorkflow("wait", "Flow", ID, ID, CLIENT, 1))
    [told] = [m for m in published if isinstance(m, MethodFailed)]
    assert isinstance(told.error, WorkflowFailedError)
    assert isinstance(told.error.error, WorkflowExecutorFailedError)
    assert told.error.error.failure == FAILURE


def test_retried_tasks_let_a_stalled_run_go_on_and_a_second_failure_is_told_again(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(failed(0))
    error = TaskFailedError("Util", "reverse", "t", FAILURE)
    [first] = drive.answer(error=error)
    retry = RetryTasks("r1", "Flow", ID, None, None, None, CLIENT, 1)
    [again] = drive.send(retry)
    assert isinstance(again, ExecuteTask)
    assert again.retry_sequence == 1
    drive.send(failed(0, sequence=1))
    [second] = drive.answer(error=error)
    assert second.message_id != first.message_id
    drive.send(RetryTasks("r2", "Flow", ID, None, None, None, CLIENT, 1))
    drive.send(completed(0))
    assert kinds(drive.answer(value=b"ok")) == ["MethodCompleted", "RemoveTagFromWorkflow"]


def test_a_late_failure_of_an_earlier_sequence_is_ignored(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(failed(0))
    drive.answer(error=TaskFailedError("Util", "reverse", "t", FAILURE))
    drive.send(RetryTasks("r1", "Flow", ID, None, None, None, CLIENT, 1))
    late = failed(0)
    drive.send(type(late)("late", *[getattr(late, a.name) for a in _fields(late)[1:]]))
    assert drive.task is None


def test_a_stalled_executor_runs_again_from_where_it_was(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer(error=WorkflowExecutorFailedError("Flow", ID, "t", FAILURE))
    drive.send(RetryWorkflowTask("r", "Flow", ID, CLIENT, 1))
    assert isinstance(drive.task.history[drive.task.visible - 1], MethodStarted)
    assert kinds(drive.answer(value=b"ok"))[0] == "MethodCompleted"


def test_a_run_that_returned_stays_until_its_tasks_have_ended(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    published = drive.answer([(0, TASK)], value=b"done")
    assert kinds(published) == ["ExecuteTask", "MethodCompleted"]
    assert ID in drive.state.methods
    drive.send(completed(0))
    assert drive.state.ended_at is not None


def test_a_failed_task_that_nobody_waits_for_does_not_keep_the_workflow(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], value=b"done")
    drive.send(failed(0))
    assert drive.state.ended_at is not None


def test_an_own_method_runs_after_the_code_that_asked_for_it(drive: Any, start: Any) -> None:
    drive.send(start())
    own = RemoteMethodCommand("Flow", ID, None, "plus", ())
    assert drive.answer([(0, own)], waits=(1, 0)) == []
    assert drive.task.method_name == "plus"
    drive.answer(value=b"p")
    assert drive.task.method_id == ID


def test_properties_are_shared_and_each_value_is_stored_once(drive: Any, start: Any) -> None:
    drive.send(start())
    own = RemoteMethodCommand("Flow", ID, None, "plus", ())
    drive.answer([(0, own)], waits=(1, 0), properties={"p": b"ac"})
    started = drive.task.history[0]
    assert list(started.values.values()) == [b"ac"]
    drive.answer(value=b"x", properties={"p": b"acb"})
    ended = drive.task.history[drive.task.visible - 1]
    assert list(ended.values.values()) == [b"acb"]


def test_cancel_takes_effect_at_once_and_reaches_children(drive: Any, start: Any) -> None:
    drive.send(start())
    child = ChildWorkflowCommand("Echo", "concat", ())
    drive.answer([(0, child)], waits=(1, 0))
    published = drive.send(CancelWorkflow("c", "Flow", ID, None, CLIENT, 1))
    assert {type(m) for m in published} >= {CancelWorkflow, MethodFailed}
    [told] = [m for m in published if isinstance(m, MethodFailed)]
    assert isinstance(told.error, WorkflowCanceledError)
    assert isinstance(drive.task.history[drive.task.visible - 1], RunCanceled)
    assert kinds(drive.answer(value=b"")) == ["RemoveTagFromWorkflow"]
    assert drive.state.ended_at is not None
    assert drive.state.outcomes[ID].error == told.error


def _cancel(identifier: str = "c") -> CancelWorkflow:
    return CancelWorkflow(identifier, "Flow", ID, None, CLIENT, 1)


def test_a_run_cancelled_before_its_code_ran_just_ends(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.task = None
    drive.send(_cancel())
    assert drive.state.ended_at is not None


def test_code_that_cleans_up_waits_as_usual_and_is_not_cancelled_again(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(_cancel())
    assert "ExecuteTask" in kinds(drive.answer([(2, TASK)], waits=(3, 2)))
    drive.reload()
    assert drive.send(_cancel("again")) == []
    drive.send(completed(0))
    assert not drive.task
    drive.send(completed(2))
    assert isinstance(drive.task.history[drive.task.visible - 1], StepEnded)
    drive.answer(value=b"")
    assert drive.state.ended_at is not None


def test_a_shielded_wait_goes_on_and_its_code_is_told_when_it_does(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0, "", True))
    published = drive.send(_cancel())
    assert "MethodFailed" in kinds(published)
    assert not drive.task
    drive.reload()
    drive.send(completed(0))
    entries = drive.task.history[: drive.task.visible]
    assert [type(entry) for entry in entries[-3:]] == [RunCanceled, CommandCompleted, StepEnded]


def test_a_property_that_a_cancelled_run_was_shown_is_there_after_a_reload(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0), properties={"p": b"ac"})
    drive.send(_cancel())
    drive.answer([(2, TASK)], waits=(3, 2))
    drive.reload()
    method = DispatchMethod(
        "m", "Flow", ID, "m1", "plus", (), CLIENT, client_waiting=False, emitted_at=1
    )
    drive.send(method)
    assert list(drive.task.history[0].values.values()) == [b"ac"]


def test_a_clean_up_that_fails_stalls_untold_and_a_second_cancel_gives_it_up(
    drive: Any, start: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.send(_cancel())
    assert drive.answer(error=WorkflowUnknownError("Echo", "x", None, None)) == []
    drive.reload()
    assert drive.state.methods[ID].stalled is not None
    drive.send(_cancel("again"))
    assert drive.state.ended_at is not None


def test_a_cancelled_run_that_waits_for_its_turn_is_interrupted_after_a_reload(
    drive: Any, start: Any, completed: Any, signal: Any
) -> None:
    drive.send(start())
    drive.answer([(0, TASK)], waits=(1, 0))
    drive.state.running = RunningTask("other", "other", 9, 0)
    drive.send(_cancel())
    drive.reload()
    drive.send(completed(0))
    assert drive.state.ready == [ID]
    drive.state.running = None
    drive.send(signal("s"))
    assert isinstance(drive.task.history[drive.task.visible - 1], RunCanceled)
    drive.answer(value=b"")
    assert drive.state.ready == []


def test_errors_18_a_method_on_an_unknown_workflow_is_unknown(drive: Any) -> None:
    message = DispatchMethod(
        "m", "Flow", ID, "m1", "plus", (), CLIENT, client_waiting=True, emitted_at=1
    )
    [told] = drive.send(message)
    assert isinstance(told, MethodFailed)
    assert drive.state is None


def test_a_signal_sent_by_a_run_that_ends_is_kept_in_the_outbox(drive: Any, start: Any) -> None:
    drive.send(start())
    send = SendSignalCommand("Echo", "other", None, "A", b"\x01")
    published = drive.answer([(0, send)], value=b"done")
    assert "SendSignal" in kinds(published)
    kept = [e for entry in drive.state.outbox.entries for e in entry.effects]
    assert any(b"other" in getattr(effect, "message", b"") for effect in kept)


def test_a_command_too_large_for_the_broker_fails_before_it_leaves(drive: Any, start: Any) -> None:
    drive.send(start())
    large = TaskCommand("Util", "reverse", (bytes(6_000_000),))
    assert drive.answer([(0, large)], waits=(1, 0)) == []
    assert drive.task is not None


@pytest.mark.parametrize("reload_after", range(6))
def test_a_state_read_back_from_its_stored_form_decides_the_same(
    drive: Any, start: Any, completed: Any, signal: Any, reload_after: int
) -> None:
    actions: list[Callable[[], Any]] = [
        lambda: drive.send(start()),
        lambda: drive.answer(
            [(0, TASK), (1, TASK), (2, ReceiveCommand("approvals"))],
            waits=(3, ["all", 0, 1, 2]),
            properties={"p": b"1"},
        ),
        lambda: drive.send(completed(0)),
        lambda: drive.send(signal("s1")),
        lambda: drive.send(completed(1)),
        lambda: drive.answer(value=b"end"),
    ]
    published: list[Any] = []
    for index, action in enumerate(actions):
        published += action()
        if index == reload_after:
            task = drive.task
            drive.reload()
            drive.task = task
    assert kinds(published) == [
        "ExecuteTask", "ExecuteTask", "MethodCompleted", "RemoveTagFromWorkflow",
    ]  # fmt: skip
    assert drive.state.ended_at is not None


def test_engine_07_the_key_of_a_state() -> None:
    assert state_key("x") == "workflow.state.x"


def test_a_history_entry_is_written_once_into_a_segment(
    drive: Any, start: Any, completed: Any
) -> None:
    drive.send(start())
    for n in range(200):
        drive.answer([(2 * n, TASK)], waits=(2 * n + 1, 2 * n))
        drive.send(completed(2 * n))
        drive.state.methods[ID].log.seal(ID, drive.state.version)
    log = drive.state.methods[ID].log
    assert sum(s.count for s in log.segments) + len(log.tail) == len(log.entries)
    assert len(log.tail) < 140
    issued = [e for e in log.entries if isinstance(e, CommandIssued)]
    assert len(issued) == 200
