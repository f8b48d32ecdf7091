"""What a run gives and sees, task after task; most cases hold live and under replay."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

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

from infinitic_common.failures import TaskTimedOutError
from infinitic_common.history import (
    CommandIssued,
    InlineCommand,
    ReceiveCommand,
    SendSignalCommand,
    StepStarted,
    TaskCommand,
)
from infinitic_common.serialization import decode_untyped, encode_untyped
from infinitic_common.steps import AllOf, AnyOf, Leaf

ERROR = TaskTimedOutError("S", "do", "id")
Start = Callable[..., FakeEngine]


@pytest.fixture(params=["live", "replayed"])
async def engine_of(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """Makes the engine of a program whose runs stay alive, or are rebuilt for each task."""
    engines: list[FakeEngine] = []

    def make(program: Program, **initial: object) -> FakeEngine:
        definition = FunctionWorkflow(function=program, initial=initial)
        replayed = request.param == "replayed"
        engines.append(FakeEngine(runner(definition, always_replay=replayed)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.handler.close()


async def test_a_call_issues_a_command_then_waits_at_the_next_position(engine_of: Start) -> None:
    engine = engine_of(lambda _: call("charge", 1))

    result = await engine.start()

    (issued,) = result.commands
    assert (issued.position, issued.command) == (
        0,
        TaskCommand("S", "charge", (encode_untyped(1),)),
    )
    assert result.step is not None
    assert (result.step.position, result.step.step) == (1, 0)
    assert "executor_doubles.py:" in issued.location


async def test_code_goes_on_with_the_value_and_returns(engine_of: Start) -> None:
    engine = engine_of(lambda _: [call(), call()])
    await engine.start()
    engine.complete(0, "a")
    await engine.resume()
    engine.complete(2, "b")
    result = await engine.resume()

    assert engine.value == ["a", "b"]
    assert result is not None
    assert not result.commands


async def test_a_wait_for_what_is_there_takes_a_position_and_no_step(engine_of: Start) -> None:
    def program(_: Instance) -> object:
        first, second = task(), task()
        return [wait(first), wait(second), wait(second), call()]

    engine = engine_of(program)
    await engine.start()
    engine.complete(1, "second")
    engine.complete(0, "first")
    result = await engine.resume()

    assert result is not None
    assert [issued.position for issued in result.commands] == [5]
    assert result.step is not None
    assert result.step.position == 6


async def test_an_outcome_shows_only_after_the_wait_during_which_it_came(engine_of: Start) -> None:
    def program(_: Instance) -> object:
        early, late = task(), task()
        wait(early)
        peeked = [here().peek(Leaf(late)) is None]
        call()
        return [*peeked, here().peek(Leaf(late)) is None]

    engine = engine_of(program)
    await engine.start()
    engine.complete(0, "early")
    await engine.resume()
    engine.complete(1, "late")
    engine.complete(3, "next")
    await engine.resume()

    assert engine.value == [True, False]


async def test_signals_of_a_receive_are_taken_by_index(engine_of: Start) -> None:
    def program(_: Instance) -> object:
        receive = here().issue(ReceiveCommand("c"))
        leaves = [Leaf(receive, 0), Leaf(receive, 1)]
        for leaf in leaves:
            here().wait(leaf)
        return [decode_untyped(here().value_of(leaf)) for leaf in leaves]

    engine = engine_of(program)
    await engine.start()
    engine.signal(0, "a")
    await engine.resume()
    engine.signal(0, "b")
    await engine.resume()

    assert engine.value == ["a", "b"]


async def test_sending_a_signal_is_complete_at_once_but_after_what_was_there(
    engine_of: Start,
) -> None:
    def program(_: Instance) -> object:
        done = task()
        wait(done)
        sent = here().issue(SendSignalCommand("W", "x", None, "c", b""))
        resolution = here().wait(AnyOf((Leaf(sent), Leaf(done))))
        call()
        again = here().wait(AnyOf((Leaf(sent), Leaf(done))))
        return [resolution.leaves == (Leaf(done),), again.leaves == (Leaf(done),)]

    engine = engine_of(program)
    await engine.start()
    engine.complete(0, 1)
    await engine.resume()
    engine.complete(4, 1)
    await engine.resume()

    assert engine.value == [True, True]


async def test_a_failed_wait_that_is_retried_resumes_with_the_new_outcome(
    engine_of: Start,
) -> None:
    engine = engine_of(lambda _: [call(), call()])
    await engine.start()
    engine.fail(0, ERROR)
    failed = await engine.resume()
    engine.retry(0)
    engine.complete(0, "at last")
    await engine.resume_failed()
    engine.complete(2, "b")
    await engine.resume()

    assert failed is not None
    assert failed.error is not None
    assert engine.value == ["at last", "b"]


async def test_a_retried_command_is_ongoing_until_it_ends_again(engine_of: Start) -> None:
    def program(_: Instance) -> object:
        first, second = task(), task()
        failed = here().wait(Leaf(first)).error
        wait(second)
        return [failed == ERROR, here().peek(Leaf(first)) is None, wait(first)]

    engine = engine_of(program)
    await engine.start()
    engine.fail(0, ERROR)
    await engine.resume()
    engine.retry(0)
    engine.complete(1, None)
    await engine.resume()
    assert not engine.ended
    engine.complete(0, "at last")
    await engine.resume()

    assert engine.value == [True, True, "at last"]


async def test_all_gives_values_in_the_order_asked_for(engine_of: Start) -> None:
    engine = engine_of(lambda _: wait(task(), task()))
    await engine.start()
    engine.complete(1, "second")
    assert not engine.can_resume()
    engine.complete(0, "first")
    await engine.resume()

    assert engine.value == ["first", "second"]


async def test_the_order_of_members_may_change() -> None:
    def program(members: list[int]) -> Program:
        def run(_: Instance) -> object:
            positions = [task(), task()]
            return here().wait(AllOf(tuple(Leaf(positions[m]) for m in members))) is not None

        return run

    engine = FakeEngine(runner(FunctionWorkflow(function=program([0, 1]))))
    await engine.start()
    engine.handler.close()
    engine.handler = runner(FunctionWorkflow(function=program([1, 0])))
    engine.complete(0, 1)
    engine.complete(1, 1)
    await engine.resume()

    assert engine.value is True
    engine.handler.close()


async def test_time_randomness_and_ids_are_the_same_at_each_replay(engine_of: Start) -> None:
    def program(_: Instance) -> object:
        run = here()
        first = [run.now().timestamp(), run.random().random(), str(run.uuid()), str(run.uuid())]
        call()
        return [*first, run.now().timestamp(), run.random().random()]

    engine = engine_of(program)
    await engine.start()
    engine.complete(0, None)
    await engine.resume()
    again = engine_of(program)
    await again.start()
    again.complete(0, None)
    await again.resume()

    assert engine.value == again.value
    assert isinstance(engine.value, list)
    assert (engine.value[0], engine.value[4]) == (2.0, 3.0)
    assert engine.value[2] != engine.value[3]
    assert UUID(engine.value[2]).version == 8


async def test_code_knows_whose_run_it_is(engine_of: Start) -> None:
    def program(_: Instance) -> object:
        run = here()
        names = [run.workflow_id, run.workflow_name, run.method_id, run.method_name]
        return [*names, sorted(run.tags), dict(run.meta)]

    engine = engine_of(program)
    await engine.start()

    assert engine.value == ["w", "W", "w", "method", ["tag"], {"m": b"1"}]


# --- inline ---------------------------------------------------------------------------------


async def test_an_inline_block_runs_once_and_its_value_is_kept(engine_of: Start) -> None:
    runs: list[int] = []

    def block() -> bytes:
        runs.append(1)
        return encode_untyped(len(runs))

    def program(_: Instance) -> object:
        value = decode_untyped(here().inline(block))
        return [value, call(), call()]

    engine = engine_of(program)
    result = await engine.start()
    for position in (1, 3):
        engine.complete(position, None)
        await engine.resume()

    assert result.commands[0].command == InlineCommand(encode_untyped(1))
    assert runs == [1]
    assert engine.value == [1, None, None]


# --- properties -----------------------------------------------------------------------------


async def test_changed_properties_are_given_and_unchanged_ones_are_not(engine_of: Start) -> None:
    def program(instance: Instance) -> object:
        call()
        vars(instance)["count"] = 1
        return call()

    engine = engine_of(program, count=0, name="x")
    first = await engine.start()
    engine.complete(0, None)
    second = await engine.resume()

    assert first.properties == {"count": encode_untyped(0), "name": encode_untyped("x")}
    assert second is not None
    assert second.properties == {"count": encode_untyped(1)}


async def test_changes_of_other_runs_show_after_a_wait(engine_of: Start) -> None:
    def program(instance: Instance) -> object:
        call()
        return vars(instance)["name"]

    engine = engine_of(program, name="mine")
    await engine.start()
    engine.set_property("name", "theirs")
    engine.complete(0, None)
    await engine.resume()

    assert engine.value == "theirs"


async def test_an_object_is_replaced_only_when_its_content_differs(engine_of: Start) -> None:
    def program(instance: Instance) -> object:
        properties = vars(instance)
        kept, replaced = properties["kept"], properties["replaced"]
        call()
        return [properties["kept"] is kept, properties["replaced"] is replaced]

    engine = engine_of(program, kept=[1], replaced=[1])
    await engine.start()
    engine.set_property("replaced", [2])
    engine.complete(0, None)
    await engine.resume()

    assert engine.value == [True, False]


async def test_none_is_a_value_and_a_deleted_attribute_is_gone(engine_of: Start) -> None:
    def program(instance: Instance) -> object:
        vars(instance)["name"] = None
        del vars(instance)["extra"]
        call()
        return sorted(vars(instance).items())

    engine = engine_of(program, name="x", extra=1)
    await engine.start()
    engine.complete(0, None)
    await engine.resume()

    assert engine.value == [("name", None)]


async def test_a_property_that_another_run_removed_disappears_at_the_next_wait(
    engine_of: Start,
) -> None:
    def program(instance: Instance) -> object:
        call()
        call()
        return sorted(vars(instance))

    engine = engine_of(program, name="x", extra=1)
    await engine.start()
    engine.complete(0, None)
    await engine.resume()
    del engine.properties["extra"]
    engine.complete(2, None)
    await engine.resume()

    assert engine.value == ["name"]


async def test_a_property_unknown_to_the_state_keeps_its_first_value() -> None:
    def program(instance: Instance) -> object:
        call()
        return vars(instance)

    engine = FakeEngine(runner(FunctionWorkflow(function=program, initial={"old": 1})))
    await engine.start()
    engine.handler.close()
    engine.handler = runner(FunctionWorkflow(function=program, initial={"old": 0, "new": 2}))
    engine.complete(0, None)
    await engine.resume()

    assert engine.value == {"old": 1, "new": 2}
    engine.handler.close()


async def test_history_is_what_the_code_did(engine_of: Start) -> None:
    engine = engine_of(lambda _: call())
    await engine.start()
    engine.complete(0, None)
    await engine.resume()

    kinds = [type(entry) for entry in engine.log]
    assert kinds.count(CommandIssued) == 1
    assert kinds.count(StepStarted) == 1
