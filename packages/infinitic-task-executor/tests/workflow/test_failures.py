"""Code that fails, or is not what it was."""

import pytest
from executor_doubles import (
    FakeEngine,
    FunctionWorkflow,
    Instance,
    Program,
    call,
    here,
    runner,
    task,
    wait,
)

from infinitic_common.decorators import CheckMode
from infinitic_common.exceptions import InvalidInline
from infinitic_common.failures import TaskTimedOutError, WorkflowExecutorFailedError
from infinitic_common.history import SendSignalCommand, TaskCommand, TimerCommand
from infinitic_common.outcomes import to_exception
from infinitic_common.serialization import encode_untyped
from infinitic_common.workflow_tasks import WorkflowTaskResult


async def result_of(program: Program, **initial: object) -> WorkflowTaskResult:
    engine = FakeEngine(runner(FunctionWorkflow(function=program, initial=initial)))
    result = await engine.start()
    engine.handler.close()
    return result


async def resumed_by(
    old: Program, new: Program, mode: CheckMode | None = None
) -> WorkflowTaskResult:
    """Run the old program to its first wait, and the new one from there."""
    engine = FakeEngine(runner(FunctionWorkflow(function=old)))
    await engine.start()
    engine.handler.close()
    engine.handler = runner(FunctionWorkflow(function=new), check_mode=mode)
    for position in range(3):
        engine.complete(position, None)
    result = await engine.resume()
    engine.handler.close()
    assert result is not None
    return result


def failure(result: WorkflowTaskResult) -> WorkflowExecutorFailedError:
    assert isinstance(result.error, WorkflowExecutorFailedError)
    assert not result.commands
    assert not result.properties
    return result.error


def changed(result: WorkflowTaskResult) -> str:
    exception = failure(result).failure.exception
    assert exception.name == "infinitic_common.exceptions.WorkflowChanged"
    return exception.message


async def test_an_exception_of_which_nothing_can_be_told_fails_its_task_alone() -> None:
    class UnprintableError(Exception):
        def __str__(self) -> str:
            raise SystemExit

    def program(_: Instance) -> object:
        if here().workflow_id == "unprintable":
            raise UnprintableError
        return call()

    handler = runner(FunctionWorkflow(function=program))
    result = await FakeEngine(handler, workflow_id="unprintable").start()

    exception = failure(result).failure.exception
    assert exception.message == "UnprintableError, of which nothing can be told: SystemExit"
    assert (await FakeEngine(handler, workflow_id="next").start()).step is not None
    handler.close()


# --- errors of the code ---------------------------------------------------------------------


async def test_what_the_code_raises_is_told_with_cause_and_traceback() -> None:
    def program(_: Instance) -> object:
        try:
            return dict[str, int]()["missing"]
        except KeyError as error:
            task()
            msg = "sorry"
            raise ValueError(msg) from error

    error = failure(await result_of(program))

    assert (error.workflow_name, error.workflow_id) == ("W", "w")
    assert (error.failure.worker_name, error.failure.exception.message) == ("worker", "sorry")
    assert error.failure.exception.cause is not None
    assert error.failure.exception.cause.name == "KeyError"
    assert "test_failures.py" in error.failure.stack_trace


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, MemoryError, GeneratorExit])
async def test_even_exceptions_that_end_programs_are_failures(kind: type[BaseException]) -> None:
    def program(_: Instance) -> object:
        raise kind

    assert failure(await result_of(program)).failure.exception.name == kind.__name__


async def test_an_uncaught_waiting_error_is_the_error_itself() -> None:
    error = TaskTimedOutError("S", "m", "id")

    def program(_: Instance) -> object:
        raise to_exception(error)

    assert (await result_of(program)).error == error


async def test_after_a_failure_the_run_is_as_it_was_before_the_task() -> None:
    attempts: list[int] = []

    def program(instance: Instance) -> object:
        vars(instance)["name"] = call()
        attempts.append(1)
        if len(attempts) == 1:
            msg = "the first time"
            raise ValueError(msg)
        return vars(instance)["name"]

    engine = FakeEngine(runner(FunctionWorkflow(function=program)))
    await engine.start()
    engine.complete(0, "value")
    await engine.resume()
    await engine.resume_failed()

    assert engine.value == "value"
    engine.handler.close()


async def test_a_value_that_cannot_be_encoded_fails_the_task() -> None:
    error = failure(await result_of(lambda _: object()))

    assert "object" in error.failure.exception.message


async def test_a_property_that_cannot_be_encoded_fails_the_task() -> None:
    def program(instance: Instance) -> object:
        vars(instance)["bad"] = object()
        return call()

    failure(await result_of(program))


# --- inline ---------------------------------------------------------------------------------


async def test_an_inline_block_that_uses_the_workflow_fails_the_task() -> None:
    def block() -> bytes:
        return encode_untyped(task())

    error = failure(await result_of(lambda _: here().inline(block)))

    assert error.failure.exception.name == "infinitic_common.exceptions.InvalidInline"


async def test_a_failed_inline_block_fails_the_task_even_when_caught() -> None:
    def block() -> bytes:
        msg = "inside"
        raise ValueError(msg)

    def program(_: Instance) -> object:
        try:
            here().inline(block)
        except ValueError:
            return "caught"
        return "unreached"

    assert failure(await result_of(program)).failure.exception.message == "inside"


async def test_misuse_in_an_inline_block_cannot_be_hidden() -> None:
    def block() -> bytes:
        with pytest.raises(InvalidInline):
            here().inline(lambda: b"")
        return encode_untyped(1)

    result = await result_of(lambda _: [here().inline(block), call()])

    assert len(result.commands) == 2


# --- changed code ---------------------------------------------------------------------------


async def test_another_method_at_a_passed_position_is_refused_and_both_are_named() -> None:
    message = changed(await resumed_by(lambda _: call("charge"), lambda _: call("refund")))

    assert "W.method" in message
    assert "position 0" in message
    assert "task S.charge" in message
    assert "task S.refund" in message
    assert message.count("executor_doubles.py:") == 2


async def test_catching_the_refusal_does_not_help() -> None:
    def program(_: Instance) -> object:
        try:
            return call("refund")
        except Exception:  # noqa: BLE001 - as careless code does
            return "caught"

    changed(await resumed_by(lambda _: call("charge"), program))


async def test_other_arguments_are_refused_in_strict_mode_only() -> None:
    old, new = (lambda _: call("charge", 1)), (lambda _: call("charge", 2))

    assert (await resumed_by(old, new)).value is not None
    assert "with other arguments" in changed(await resumed_by(old, new, CheckMode.STRICT))


async def test_mode_none_compares_no_commands() -> None:
    result = await resumed_by(lambda _: call("charge"), lambda _: call("refund"), CheckMode.NONE)

    assert result.value is not None


async def test_a_wait_for_something_else_is_refused_in_every_mode() -> None:
    def program(which: int) -> Program:
        def run(_: Instance) -> object:
            return wait((task(), task())[which])

        return run

    message = changed(await resumed_by(program(0), program(1), CheckMode.NONE))

    assert "a wait for the command at position 0" in message
    assert "a wait for the command at position 1" in message


async def test_a_wait_where_a_command_was_is_refused() -> None:
    changed(
        await resumed_by(lambda _: wait(task(), task()), lambda _: wait(task()), CheckMode.NONE)
    )


async def test_a_command_where_a_wait_was_is_refused() -> None:
    changed(
        await resumed_by(lambda _: wait(task()), lambda _: wait(task(), task()), CheckMode.NONE)
    )


async def test_an_inline_block_is_compared_in_every_mode() -> None:
    new = resumed_by(
        lambda _: call(), lambda _: here().inline(lambda: encode_untyped(1)), CheckMode.NONE
    )

    assert "an inline block" in changed(await new)


async def test_code_that_ends_before_its_history_does_is_refused() -> None:
    def shorter(_: Instance) -> object:
        return task()

    message = changed(await resumed_by(lambda _: wait(task(), task()), shorter))

    assert "position 1" in message
    assert "nothing more" in message


async def test_a_timer_of_another_kind_is_refused() -> None:
    def program(duration_ms: int | None) -> Program:
        return lambda _: wait(here().issue(TimerCommand(5_000, duration_ms)))

    assert (await resumed_by(program(1), program(2))).value is not None
    changed(await resumed_by(program(1), program(2), CheckMode.STRICT))
    assert "a timer at an instant" in changed(await resumed_by(program(1), program(None)))


async def test_a_command_of_another_kind_is_refused() -> None:
    def old(_: Instance) -> object:
        return wait(here().issue(SendSignalCommand("W", "x", None, "c", b"")), task())

    def new(_: Instance) -> object:
        return wait(here().issue(TaskCommand("S", "do", ())), task())

    assert "a signal to channel c of W" in changed(await resumed_by(old, new))


# --- versions -------------------------------------------------------------------------------


async def test_a_new_instance_runs_the_highest_version_and_keeps_it() -> None:
    versions = [
        FunctionWorkflow(function=lambda _: [call(), "old"], version=0),
        FunctionWorkflow(function=lambda _: [call(), "new"], version=1),
    ]
    old = FakeEngine(runner(*versions[:1]))
    await old.start()
    old.handler.close()
    old.handler = runner(*versions)
    new = FakeEngine(old.handler, workflow_id="new")
    result = await new.start()
    for engine in (old, new):
        engine.complete(0, None)
        await engine.resume()

    assert result.workflow_version == 1
    assert (old.value, new.value) == ([None, "old"], [None, "new"])
    old.handler.close()


async def test_an_unknown_version_is_an_error_and_the_instance_can_go_on_later() -> None:
    engine = FakeEngine(runner(FunctionWorkflow(function=lambda _: call(), version=3)))
    await engine.start()
    engine.handler.close()
    engine.handler = runner(FunctionWorkflow(function=lambda _: call(), version=4))
    engine.complete(0, "value")
    result = await engine.resume()
    engine.handler.close()
    engine.handler = runner(FunctionWorkflow(function=lambda _: call(), version=3))
    await engine.resume_failed()

    assert result is not None
    assert result.workflow_version is None
    message = failure(result).failure.exception.message
    assert "version 3" in message
    assert "registered: 4" in message
    assert engine.value == "value"
    engine.handler.close()
