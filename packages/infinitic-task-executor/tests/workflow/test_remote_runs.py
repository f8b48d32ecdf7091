"""Which runs of remote tasks stay alive, and when they are used."""

from collections.abc import Callable, Iterator, Sequence

import attrs
from executor_doubles import FakeEngine, FunctionWorkflow, Instance, call, here, task, wait
from remote_doubles import RemoteExecutor, RemoteHandler

from infinitic_common.failures import TaskTimedOutError
from infinitic_common.history import InlineCommand, RunFailed, StepEnded
from infinitic_common.serialization import decode_untyped, encode_untyped

ERROR = TaskTimedOutError("S", "m", "id")


@attrs.define
class Counted:
    """A program of many calls that counts how often its first line runs."""

    calls: int = 5
    starts: int = 0

    def __call__(self, instance: Instance) -> object:
        self.starts += 1
        told: list[object] = []
        vars(instance)["told"] = told
        for number in range(self.calls):
            answer = call("do", number)
            told.append(answer)
        return told


def engine_on(
    program: Callable[[Instance], object],
    route: Callable[[int], Sequence[int]] = lambda _: (0,),
    executors: int = 1,
    **options: int,
) -> FakeEngine:
    """An engine whose tasks go to executors elsewhere."""
    workflow = FunctionWorkflow(function=program)
    handler = RemoteHandler([RemoteExecutor(workflow, **options) for _ in range(executors)], route)
    return FakeEngine(handler)  # type: ignore[arg-type]  # in place of a runner


async def step(engine: FakeEngine, value: object = None) -> None:
    assert engine.pending is not None
    engine.complete(engine.pending.position - 1, value)
    await engine.resume()


async def finish(engine: FakeEngine) -> None:
    """Run to the end, with a value of its own for each step."""
    await engine.start()
    for number in range(1000):
        if engine.ended:
            break
        await step(engine, number)
    assert engine.ended
    engine.handler.close()


def executor_of(engine: FakeEngine, place: int = 0) -> RemoteExecutor:
    handler: object = engine.handler
    assert isinstance(handler, RemoteHandler)
    return handler.executors[place]


async def test_300_tasks_run_without_a_line_running_twice() -> None:
    program = Counted(calls=300)
    engine = engine_on(program)
    await finish(engine)

    assert engine.value == list(range(300))
    assert program.starts == 1
    assert executor_of(engine).runner.live_count == 0


async def test_executors_told_to_replay_do() -> None:
    program = Counted()
    engine = engine_on(program, always_replay=True)
    await finish(engine)

    assert engine.value == list(range(5))
    assert program.starts == 6


async def test_a_task_delivered_twice_gives_the_same_answer_and_the_run_goes_on() -> None:
    program = Counted()
    engine = engine_on(program, lambda number: (0, 0) if number == 2 else (0,))
    await finish(engine)

    assert engine.value == list(range(5))
    assert program.starts == 2


async def test_two_tasks_of_a_workflow_in_one_batch_are_answered_alike() -> None:
    program = Counted()
    engine = engine_on(program)
    await engine.start()
    await step(engine, "a")
    assert engine.pending is not None
    engine.complete(engine.pending.position - 1, "b")
    engine.log.append(StepEnded(engine.pending.position, 9_000, *engine._properties()))
    executor = executor_of(engine)

    once, twice = await executor.run(engine.task(), engine.task())

    assert once == twice
    assert executor.runner.live_count == 1
    engine.apply(twice)
    starts = program.starts
    await step(engine)
    assert program.starts == starts
    engine.handler.close()


async def test_a_run_that_another_executor_overtook_is_rebuilt() -> None:
    program = Counted(calls=6)
    engine = engine_on(program, lambda number: (int(2 <= number <= 3),), executors=2)
    await finish(engine)

    assert engine.value == list(range(6))
    assert program.starts == 3


@attrs.define
class Guessing:
    """A program whose blocks give another value each time they run."""

    values: Iterator[int]

    def __call__(self, _: Instance) -> object:
        seen: list[object] = []
        for _times in range(3):
            seen.append(decode_untyped(here().inline(lambda: encode_untyped(next(self.values)))))
            call("do", seen[-1])
        return seen


async def test_a_run_whose_answer_did_not_count_is_rebuilt() -> None:
    engine = engine_on(
        Guessing(iter(range(100))),
        lambda number: (0, 1) if number == 1 else (0,),
        executors=2,
    )
    await finish(engine)

    commands = [issued.command for result in engine.results for issued in result.commands]
    recorded = [one.value for one in commands if isinstance(one, InlineCommand)]
    assert engine.value == list(map(decode_untyped, recorded)) == [0, 2, 3]


async def test_a_run_is_rebuilt_after_a_failure_and_when_the_task_is_tried_again() -> None:
    program = Counted()
    engine = engine_on(program)
    await engine.start()
    assert engine.pending is not None
    engine.complete(0, "a")
    engine.log.append(StepEnded(1, 5_000))
    again = attrs.evolve(engine.task(), retry_index=1)
    await executor_of(engine).run(again)
    assert program.starts == 2
    engine.log[-1:] = [RunFailed(ERROR), StepEnded(1, 5_000)]
    await executor_of(engine).run(engine.task())

    assert program.starts == 3
    engine.handler.close()


async def test_what_happens_while_a_task_runs_is_known_when_it_ends() -> None:
    def program(_: Instance) -> object:
        program.starts += 1  # type: ignore[attr-defined]  # counted on the function
        early = task("early")
        call("first")
        task("late")
        return [call("second"), wait(early)]

    program.starts = 0  # type: ignore[attr-defined]  # counted on the function
    engine = engine_on(program)
    await engine.start()
    engine.complete(1, "first")
    engine.log.append(StepEnded(2, 5_000))
    (result,) = await executor_of(engine).run(engine.task())
    engine.complete(0, "early")
    engine.apply(result)
    engine.complete(4, "second")
    await engine.resume()
    await engine.resume()

    assert engine.value == ["second", "early"]
    assert program.starts == 1  # type: ignore[attr-defined]  # counted on the function
    engine.handler.close()


async def test_the_runs_of_workflows_unused_for_longest_give_way() -> None:
    program = Counted()
    handler = RemoteHandler([RemoteExecutor(FunctionWorkflow(function=program), max_live_runs=2)])
    engines = [
        FakeEngine(handler, workflow_id=f"w{number}")  # type: ignore[arg-type]  # in place of a runner
        for number in range(3)
    ]
    for engine in engines:
        await engine.start()
    runner = handler.executors[0].runner
    assert runner.live_count == 2
    for engine in engines[::-1]:
        await step(engine)

    assert program.starts == 4
    assert runner.live_count == 2
    handler.close()


async def test_an_engine_in_the_same_process_does_not_touch_them() -> None:
    program = Counted()
    engine = engine_on(program)
    await engine.start()
    runner = executor_of(engine).runner
    runner.confirm({"w": engine.state_version})
    runner.forget(["w"], ["w"])
    runner.discard(["w"])
    assert runner.live_count == 1
    await runner.run([engine.task()])
    assert program.starts == 2
    assert runner.live_count == 2

    await step(engine)

    assert program.starts == 2
    engine.handler.close()
