from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from infinitic_common import (
    Deferred,
    DeferredStatus,
    DeferredTimeout,
    TaskFailed,
    TaskTimedOut,
    UsageError,
    Workflow,
    WorkflowCanceled,
    WorkflowUnknown,
    all_of,
    any_of,
    dispatch,
    new_service,
)
from infinitic_common.contracts import ChannelContract
from infinitic_common.deferred import CommandDeferred, SignalDeferred
from infinitic_common.exceptions import NotInWorkflow
from infinitic_common.failures import (
    DeferredError,
    ExceptionDetail,
    TaskFailedError,
    TaskFailure,
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowUnknownError,
)
from infinitic_common.history import ReceiveCommand, TimerCommand
from infinitic_common.serialization import SerializationError, encode_untyped, value_codec
from infinitic_common.steps import AllOf, AnyOf, FirstOf, Leaf
from infinitic_common.testing.workflow_run import FakeWorkflowRun

TEXT = value_codec(str, place="a text")
FAILURE = TaskFailure("worker", 0, 0, None, "trace", ExceptionDetail("ValueError", "sorry"))
FAILED = TaskFailedError("Util", "reverse", "task", FAILURE)
TIMED_OUT = TaskTimedOutError("Util", "reverse", "task")
CANCELED = WorkflowCanceledError("Child", "id", None, None)
UNKNOWN = WorkflowUnknownError("Child", "id", None, None)


class Util(Protocol):
    def reverse(self, text: str) -> str: ...


def task() -> Deferred[str]:
    return dispatch(new_service(Util).reverse, "ab")


def signals(run: FakeWorkflowRun, limit: int | None = None) -> Deferred[str]:
    position = run.issue(ReceiveCommand("A", limit=limit))
    return SignalDeferred(run, position, ChannelContract("A", TEXT), limit)


def text(value: str) -> bytes:
    return TEXT.encode(value)


def test_a_result_is_decoded_by_its_type(run: FakeWorkflowRun) -> None:
    deferred = task()
    run.will_complete(0, text("ba"))
    assert deferred.result() == "ba"
    assert run.steps == {1: Leaf(0)}


def test_a_result_can_be_asked_for_again(run: FakeWorkflowRun) -> None:
    deferred = task()
    run.will_complete(0, text("ba"))
    assert (deferred.result(), deferred.result()) == ("ba", "ba")


async def test_awaiting_is_waiting(run: FakeWorkflowRun) -> None:
    deferred = task()
    run.will_complete(0, text("ba"))
    assert await deferred == "ba"


def test_an_id_is_that_of_the_command(run: FakeWorkflowRun) -> None:
    deferred = task()
    assert deferred.id == run.command_id(0)
    assert (deferred & task()).id is None


def test_the_status_changes_only_while_the_code_waits(run: FakeWorkflowRun) -> None:
    first, second = task(), task()
    run.will_complete(0, text("a"))
    run.will_complete(1, text("b"))
    assert (first.is_ongoing, first.is_completed) == (True, False)
    second.result()
    assert (first.is_ongoing, first.is_completed) == (False, True)


@pytest.mark.parametrize(
    ("error", "raised", "status", "predicate"),
    [
        (FAILED, TaskFailed, DeferredStatus.FAILED, "is_failed"),
        (TIMED_OUT, TaskTimedOut, DeferredStatus.TIMED_OUT, "is_timed_out"),
        (CANCELED, WorkflowCanceled, DeferredStatus.CANCELED, "is_canceled"),
        (UNKNOWN, WorkflowUnknown, DeferredStatus.UNKNOWN, "is_unknown"),
    ],
)
def test_an_error_has_its_exception_status_and_predicate(
    run: FakeWorkflowRun,
    error: DeferredError,
    raised: type[Exception],
    status: DeferredStatus,
    predicate: str,
) -> None:
    deferred = task()
    run.will_fail(0, error)
    with pytest.raises(raised):
        deferred.result()
    assert deferred.status is status
    assert getattr(deferred, predicate)
    assert not deferred.is_completed


def test_a_wait_within_its_limit_gives_the_value(run: FakeWorkflowRun) -> None:
    deferred = task()
    run.will_complete(0, text("ba"))
    assert deferred.result(timeout=timedelta(hours=1)) == "ba"
    assert isinstance(run.commands[1], TimerCommand)
    assert run.steps == {2: FirstOf((Leaf(0), Leaf(1)))}


def test_a_wait_beyond_its_limit_raises(run: FakeWorkflowRun) -> None:
    deferred = task()
    run.will_complete(1)
    with pytest.raises(DeferredTimeout, match=r"no result of Util\.reverse within 2 s"):
        deferred.result(timeout=timedelta(seconds=2))
    assert deferred.is_ongoing


def test_a_failure_ends_a_limited_wait_at_once(run: FakeWorkflowRun) -> None:
    deferred = task()
    run.will_fail(0, FAILED)
    with pytest.raises(TaskFailed):
        deferred.result(timeout=timedelta(hours=1))


@pytest.mark.parametrize("limit", [5, datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_limit_that_is_no_duration_is_refused(run: FakeWorkflowRun, limit: object) -> None:
    deferred = task()
    with pytest.raises(UsageError, match="must be a duration, as timeout=timedelta"):
        deferred.result(timeout=limit)  # type: ignore[arg-type]  # what is refused
    assert len(run.commands) == 1


def test_what_is_there_needs_no_timer(run: FakeWorkflowRun) -> None:
    deferred = task()
    run.will_complete(0, text("ba"))
    deferred.result()
    assert deferred.result(timeout=timedelta(hours=1)) == "ba"
    assert list(run.commands) == [0]


def test_all_gives_values_in_the_order_combined(run: FakeWorkflowRun) -> None:
    combined = all_of(task(), task(), task())
    for position, value in ((2, "c"), (0, "a"), (1, "b")):
        run.will_complete(position, text(value))
    assert combined.result() == ("a", "b", "c")
    assert run.steps[3] == AllOf((Leaf(0), Leaf(1), Leaf(2)))


def test_all_of_a_list_gives_a_list(run: FakeWorkflowRun) -> None:
    combined = all_of([task() for _ in range(20)])
    for position in range(20):
        run.will_complete(position, text("ba"))
    assert combined.result() == ["ba"] * 20


def test_all_of_nothing_is_there_at_once(run: FakeWorkflowRun) -> None:
    nothing: list[Deferred[str]] = []
    assert all_of(nothing).result() == []
    assert run.commands == {}


def test_all_fails_with_the_first_failure(run: FakeWorkflowRun) -> None:
    combined = task() & task()
    run.will_fail(1, TIMED_OUT)
    with pytest.raises(TaskTimedOut):
        combined.result()


def test_any_is_the_first_success(run: FakeWorkflowRun) -> None:
    combined = any_of(task(), task(), task())
    run.will_fail(0, FAILED)
    run.will_complete(2, text("ef"))
    assert combined.result() == "ef"


def test_any_of_a_list_is_the_first_success(run: FakeWorkflowRun) -> None:
    combined = any_of([task(), task()])
    run.will_complete(1, text("dc"))
    assert combined.result() == "dc"


def test_any_fails_with_the_last_failure(run: FakeWorkflowRun) -> None:
    combined = task() | task()
    run.will_fail(1, FAILED)
    run.will_fail(0, TIMED_OUT)
    with pytest.raises(TaskTimedOut):
        combined.result()


def test_any_of_nothing_is_refused(run: FakeWorkflowRun) -> None:
    with pytest.raises(UsageError, match="wait for ever"):
        _ = any_of([])
    assert run.commands == {}


def test_pairs_nest(run: FakeWorkflowRun) -> None:
    combined = task() & task() & task()
    for position, value in enumerate("abc"):
        run.will_complete(position, text(value))
    assert combined.result() == (("a", "b"), "c")


def test_a_winning_pair_gives_its_pair(run: FakeWorkflowRun) -> None:
    combined = task() | (task() & task())
    run.will_complete(1, text("b"))
    run.will_complete(2, text("c"))
    assert combined.result() == ("b", "c")
    assert run.steps[3] == AnyOf((Leaf(0), AllOf((Leaf(1), Leaf(2)))))


def test_only_deferreds_combine(run: FakeWorkflowRun) -> None:
    with pytest.raises(UsageError, match="'ba' is no deferred"):
        all_of(task(), "ba")  # type: ignore[call-overload]  # what is refused
    assert len(run.commands) == 1


def test_each_wait_gives_the_next_signal(run: FakeWorkflowRun) -> None:
    deferred = signals(run)
    for index, value in enumerate("abc"):
        run.will_complete(0, text(value), index=index)
    assert "".join(deferred.result() for _ in range(3)) == "abc"
    assert deferred.is_ongoing


def test_beyond_its_limit_a_receive_repeats_the_last_signal(run: FakeWorkflowRun) -> None:
    deferred = signals(run, limit=2)
    run.will_complete(0, text("a"), index=0)
    run.will_complete(0, text("b"), index=1)
    assert "".join(deferred.result() for _ in range(3)) == "abb"


def test_a_lost_race_leaves_the_signal_for_the_next_wait(run: FakeWorkflowRun) -> None:
    deferred = signals(run)
    first = Workflow().timer(timedelta(seconds=1))
    instant = value_codec(datetime, place="an instant")
    run.will_complete(1, instant.encode(datetime(2026, 1, 1, tzinfo=UTC)))
    assert isinstance((deferred | first).result(), datetime)
    second = Workflow().timer(timedelta(seconds=1))
    run.will_complete(0, text("a"))
    run.will_complete(0, text("b"), index=1)
    assert (deferred | second).result() == "a"
    assert deferred.result() == "b"


def test_a_signal_twice_in_a_step_is_one_signal(run: FakeWorkflowRun) -> None:
    deferred = signals(run)
    run.will_complete(0, text("a"))
    run.will_complete(0, text("b"), index=1)
    assert (deferred & deferred).result() == ("a", "a")
    assert deferred.result() == "b"


def test_a_timer_counts_from_the_time_of_the_run(run: FakeWorkflowRun) -> None:
    _ = Workflow().timer(timedelta(seconds=1.5))
    start = 1_767_225_600_000
    assert run.commands[0] == TimerCommand(start + 1500, 1500)


def test_a_timer_until_an_instant_has_no_duration(run: FakeWorkflowRun) -> None:
    _ = Workflow().timer(datetime(2026, 1, 2, tzinfo=UTC))
    assert run.commands[0] == TimerCommand(1_767_312_000_000, None)


def test_an_instant_without_time_zone_is_refused(run: FakeWorkflowRun) -> None:
    assert run.commands == {}
    with pytest.raises(UsageError, match="time zone"):
        _ = Workflow().timer(datetime(2026, 1, 2))  # noqa: DTZ001 - what is refused


def test_a_deferred_of_another_run_is_refused(run: FakeWorkflowRun) -> None:
    deferred = CommandDeferred[str](run, 0, TEXT.decode, "a task")
    with (
        FakeWorkflowRun(method_id="other").active(),
        pytest.raises(UsageError, match="belongs to method run order-1"),
    ):
        deferred.result()


def test_a_deferred_outside_its_workflow_is_refused() -> None:
    run = FakeWorkflowRun()
    with run.active():
        deferred = task()
    with pytest.raises(NotInWorkflow):
        deferred.result()


def test_a_deferred_is_no_value(run: FakeWorkflowRun) -> None:
    deferred = task()
    with pytest.raises(SerializationError, match="Deferred"):
        encode_untyped(deferred)
    assert len(run.commands) == 1
