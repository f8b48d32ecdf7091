"""Code that is cancelled: where it learns of it, and what it may still do."""

import pytest
from executor_doubles import FakeEngine, FunctionWorkflow, Instance, call, here, runner, task, wait

from infinitic_common.exceptions import RunCanceled
from infinitic_common.failures import WorkflowExecutorFailedError
from infinitic_common.history import TaskCommand
from infinitic_common.serialization import encode_untyped

REPLAY = [False, True]


def engine_of(function: object, *, replay: bool) -> FakeEngine:
    definition = FunctionWorkflow(function=function)  # type: ignore[arg-type]  # any program
    return FakeEngine(runner(definition, always_replay=replay))


def issued(engine: FakeEngine) -> list[str]:
    commands = [issued.command for result in engine.results for issued in result.commands]
    return [command.method_name for command in commands if isinstance(command, TaskCommand)]


@pytest.mark.parametrize("replay", REPLAY)
async def test_the_wait_raises_and_what_cleans_up_waits_as_usual(*, replay: bool) -> None:
    seen: list[str] = []

    def program(instance: Instance) -> None:
        del instance
        try:
            call("work")
        except RunCanceled as error:
            seen.append(str(error))
            call("clean")
            raise

    engine = engine_of(program, replay=replay)
    await engine.start()
    await engine.cancel()
    engine.complete(2, None)
    await engine.resume()

    assert seen[0] == "workflow W.method (w) was cancelled"
    assert engine.ended
    assert issued(engine) == ["work", "clean"]
    engine.handler.close()


@pytest.mark.parametrize("replay", REPLAY)
async def test_code_that_cleans_up_nothing_ends(*, replay: bool) -> None:
    engine = engine_of(lambda _: call("work"), replay=replay)
    await engine.start()
    result = await engine.cancel()

    assert result is not None
    assert (result.value, result.error) == (encode_untyped(None), None)
    engine.handler.close()


@pytest.mark.parametrize("replay", REPLAY)
async def test_what_code_starts_without_waiting_while_it_cleans_up_counts(*, replay: bool) -> None:
    def program(instance: Instance) -> None:
        try:
            call("work")
        finally:
            task("clean")
            vars(instance)["state"] = "cleaned"

    engine = engine_of(program, replay=replay)
    await engine.start()
    await engine.cancel()

    assert issued(engine) == ["work", "clean"]
    assert "state" in engine.properties
    engine.handler.close()


@pytest.mark.parametrize("replay", REPLAY)
async def test_a_shielded_wait_goes_on_and_the_end_of_the_shield_raises(*, replay: bool) -> None:
    def program(instance: Instance) -> None:
        del instance
        with here().shield():
            call("one")
            call("two")
        call("never")

    engine = engine_of(program, replay=replay)
    first = await engine.start()
    assert first.step is not None
    assert first.step.shielded
    assert await engine.cancel() is None
    for position in (0, 2):
        engine.complete(position, None)
        await engine.resume()

    assert engine.ended
    assert issued(engine) == ["one", "two"]
    engine.handler.close()


@pytest.mark.parametrize("replay", REPLAY)
async def test_a_failure_while_code_cleans_up_is_told(*, replay: bool) -> None:
    def program(instance: Instance) -> None:
        del instance
        try:
            call("work")
        finally:
            message = "dirty"
            raise ValueError(message)

    engine = engine_of(program, replay=replay)
    await engine.start()
    await engine.cancel()

    assert isinstance(engine.error, WorkflowExecutorFailedError)
    assert engine.error.failure.exception.message == "dirty"
    engine.handler.close()


async def test_a_run_that_is_thrown_away_is_neither_cancelled_nor_replaying() -> None:
    seen: list[object] = []

    def program(instance: Instance) -> None:
        del instance
        try:
            call("work")
        except RunCanceled:
            seen.append("cancelled")
        finally:
            seen.append(here().is_replaying)

    engine = engine_of(program, replay=True)
    await engine.start()
    engine.handler.close()
    assert seen == [True]


@pytest.mark.parametrize("replay", REPLAY)
async def test_a_line_is_new_once(*, replay: bool) -> None:
    lines: list[str] = []

    def note(line: str) -> None:
        if not here().is_replaying:
            lines.append(line)

    def program(instance: Instance) -> None:
        del instance
        note("begin")
        first = task("a")
        note("started")
        wait(first)
        note("one")
        call("b")
        note("two")

    engine = engine_of(program, replay=replay)
    await engine.start()
    for position in (0, 2):
        engine.complete(position, None)
        await engine.resume()

    assert lines == ["begin", "started", "one", "two"]
    engine.handler.close()
