# ruff: noqa: PT012 - the blocks of sagas are what raises

import logging
from datetime import timedelta
from typing import Protocol

import pytest

from infinitic_common import (
    RunCanceled,
    Saga,
    TaskTimedOut,
    UsageError,
    Workflow,
    get_workflow_by_id,
    new_service,
)
from infinitic_common.channels import Channel, channel
from infinitic_common.exceptions import InvalidArguments
from infinitic_common.failures import TaskTimedOutError
from infinitic_common.history import SendSignalCommand, TaskCommand
from infinitic_common.testing.workflow_run import FakeWorkflowRun

FAILED = TaskTimedOutError("Stock", "reserve", "id")


class Stock(Protocol):
    def reserve(self, item: str) -> None: ...
    def release(self, item: str) -> None: ...
    async def forget(self, item: str, *, soon: bool = False) -> None: ...


class Shop(Protocol):
    notes: Channel[str] = channel()

    def buy(self) -> None: ...


class Base(Workflow):
    stock = new_service(Stock)


def methods(run: FakeWorkflowRun) -> list[str]:
    return [one.method_name for one in run.commands.values() if isinstance(one, TaskCommand)]


def test_a_block_that_ends_well_undoes_nothing(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_complete(0)
    with flow.saga() as undo:
        undo(flow.stock.release, "a")
        flow.stock.reserve("a")
    assert methods(run) == ["reserve"]


def test_a_failure_undoes_in_reverse_order_and_goes_on(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_complete(0)
    run.will_fail(2, FAILED)
    run.will_complete(4)
    run.will_complete(6)
    with pytest.raises(TaskTimedOut), flow.saga() as undo:
        undo(flow.stock.release, "a")
        flow.stock.reserve("a")
        undo(flow.stock.forget, "b", soon=True)
        flow.stock.reserve("b")
    assert methods(run) == ["reserve", "reserve", "forget", "release"]


def test_when_the_undoing_has_waited_nothing_more_is_waited_for(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_complete(0)
    with pytest.raises(LookupError), flow.saga() as undo:
        undo(flow.stock.release, "a")
        raise LookupError
    assert [type(command) for command in run.commands.values()] == [TaskCommand]


def test_a_cancellation_undoes_and_goes_on(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_cancel()
    run.will_complete(2)
    with pytest.raises(RunCanceled, match="cancelled"), flow.saga() as undo:
        undo(flow.stock.release, "a")
        flow.stock.reserve("a")
    assert methods(run) == ["reserve", "release"]


def test_a_cancellation_waits_until_everything_is_undone(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_fail(0, FAILED)
    run.will_cancel()
    run.will_complete(2)
    run.will_complete(4)
    with pytest.raises(RunCanceled) as raised, flow.saga() as undo:
        undo(flow.stock.release, "a")
        undo(flow.stock.release, "b")
        flow.stock.reserve("a")
    assert methods(run) == ["reserve", "release", "release"]
    assert isinstance(raised.value.__context__, TaskTimedOut)


def test_a_compensation_that_fails_leaves_the_others_for_its_retry(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_fail(0, FAILED)
    run.will_fail(2, TaskTimedOutError("Stock", "release", "id"))
    with pytest.raises(TaskTimedOut) as raised, flow.saga() as undo:
        undo(flow.stock.release, "a")
        undo(flow.stock.release, "b")
        flow.stock.reserve("a")
    assert raised.value.method_name == "release"
    assert methods(run) == ["reserve", "release"]


async def test_coroutines_undo_by_plain_and_async_functions(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_fail(0, FAILED)
    for position in (2, 4):
        run.will_complete(position)

    async def forget(item: str) -> None:
        await flow.stock.forget(item)

    with pytest.raises(TaskTimedOut):
        async with flow.saga() as undo:
            undo(flow.stock.forget, "a")
            undo(forget, "b")
            flow.stock.reserve("a")
    assert methods(run) == ["reserve", "forget", "forget"]


def test_a_signal_undoes_too(run: FakeWorkflowRun) -> None:
    flow = Base()
    with pytest.raises(KeyError), flow.saga() as undo:
        undo(get_workflow_by_id(Shop, "1").notes.send, "gone")
        raise KeyError
    assert isinstance(run.commands[0], SendSignalCommand)
    assert run.steps, "without a wait the signal is lost with what is raised"


def test_wrong_arguments_are_refused_before_the_act(run: FakeWorkflowRun) -> None:
    flow = Base()
    with pytest.raises(InvalidArguments), flow.saga() as undo:
        undo(flow.stock.release)  # type: ignore[call-arg]  # what is refused
    assert not run.commands


def test_a_mistake_of_the_code_undoes_nothing(run: FakeWorkflowRun) -> None:
    flow = Base()
    with pytest.raises(UsageError), flow.saga() as undo:
        undo(flow.stock.release, "a")
        _ = flow.timer(1)  # type: ignore[arg-type]  # what is refused
    assert not run.commands


def test_code_can_give_up_without_raising(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_complete(0)
    with flow.saga() as undo:
        undo(flow.stock.release, "a")
        undo.compensate()
    assert methods(run) == ["release"]


def test_a_saga_of_another_run_is_refused(run: FakeWorkflowRun) -> None:
    saga = Saga()
    with (
        FakeWorkflowRun(method_id="other").active(),
        pytest.raises(UsageError, match="each run has its own"),
    ):
        saga(Base().stock.release, "a")
    assert run.method_id == "order-1"


def test_a_shield_lets_a_cancellation_wait(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_cancel()
    run.will_complete(0)
    reached = False
    with pytest.raises(RunCanceled), flow.shield():
        flow.stock.reserve("a")
        reached = True
    assert reached


def test_what_cleans_up_waits_as_usual(run: FakeWorkflowRun) -> None:
    flow = Base()
    run.will_cancel()
    run.will_complete(2)
    with pytest.raises(RunCanceled):
        try:
            flow.timer(timedelta(days=1)).result()
        except Exception:  # noqa: BLE001 - the point: it is no Exception
            pytest.fail("a cancellation is no failure")
        finally:
            flow.stock.release("a")
    assert methods(run) == ["release"]


def test_the_logger_is_silent_while_the_code_is_replayed(
    run: FakeWorkflowRun, caplog: pytest.LogCaptureFixture
) -> None:
    flow = Base()
    with caplog.at_level(logging.INFO, "infinitic.workflow"):
        run.is_replaying = True
        flow.logger.info("before")
        run.is_replaying = False
        flow.logger.info("reserved %s", "a")
    [record] = caplog.records
    assert (record.name, record.getMessage()) == ("infinitic.workflow.Order", "reserved a")
    assert vars(record)["workflow_id"] == "order-1"
