"""Which runs stay alive, when they are used, and how they end."""

import asyncio
import threading
from collections.abc import Callable

import attrs
from executor_doubles import FakeEngine, FunctionWorkflow, Instance, call, here, runner, task

from infinitic_common.exceptions import WorkflowChanged
from infinitic_common.failures import WorkflowExecutorFailedError
from infinitic_common.history import MethodStarted
from infinitic_task_executor._workflow.run import Discarded
from infinitic_task_executor._workflow.runner import WorkflowTaskRunner


@attrs.define
class Counted:
    """A program of many calls that counts how often its first line runs."""

    starts: int = 0

    def __call__(self, _: Instance) -> object:
        self.starts += 1
        return [call() for _ in range(5)]


async def engine_with(program: Callable[..., object], **options: int) -> FakeEngine:
    engine = FakeEngine(runner(FunctionWorkflow(function=program), **options))  # type: ignore[arg-type]  # any of them
    await engine.start()
    return engine


async def step(engine: FakeEngine) -> None:
    assert engine.pending is not None
    engine.complete(engine.pending.position - 1, None)
    await engine.resume()


async def test_a_committed_run_goes_on_without_running_a_line_twice() -> None:
    program = Counted()
    engine = await engine_with(program)
    for _ in range(5):
        await step(engine)

    assert engine.ended
    assert program.starts == 1
    assert engine.handler.live_count == 0
    engine.handler.close()


async def test_a_run_is_not_used_for_a_state_of_another_version() -> None:
    program = Counted()
    engine = await engine_with(program)
    engine.state_version += 1
    await step(engine)
    await step(engine)

    assert program.starts == 2
    engine.handler.close()


async def test_a_run_whose_commit_is_not_known_is_used_in_its_turn_only() -> None:
    program = Counted()
    engine = await engine_with(program)
    engine.commit = False
    await step(engine)
    engine.turn -= 1
    await step(engine)
    assert program.starts == 1

    await step(engine)

    assert program.starts == 2
    engine.handler.close()


async def test_discarded_and_forgotten_runs_are_rebuilt() -> None:
    program = Counted()
    engine = await engine_with(program)
    engine.handler.discard(["w", "unknown"])
    await step(engine)
    engine.handler.forget(["w"], ["other"])
    await step(engine)
    assert program.starts == 2
    engine.handler.forget(["w"], ["w"])
    assert engine.handler.live_count == 0
    await step(engine)

    assert program.starts == 3
    engine.handler.close()


async def test_the_runs_unused_for_longest_give_way() -> None:
    program = Counted()
    handler = runner(FunctionWorkflow(function=program), max_live_runs=2)
    engines = [FakeEngine(handler, workflow_id=f"w{number}") for number in range(3)]
    for engine in engines:
        await engine.start()
    assert handler.live_count == 2
    for engine in engines[::-1]:
        await step(engine)

    assert program.starts == 4
    handler.close()


@attrs.define
class Guarded:
    """A program that does forbidden things when it is unwound."""

    unwound: threading.Event = attrs.field(factory=threading.Event)
    seen: list[object] = attrs.field(factory=list[object])

    def __call__(self, _: Instance) -> object:
        thread = threading.current_thread()
        try:
            return call()
        except BaseException as error:
            self.seen.append(type(error))
            raise
        finally:
            self.seen.append(threading.current_thread() is thread)
            self.seen.append(task("suppressed"))
            try:
                call()
            except Discarded:
                self.seen.append("no wait")
            self.unwound.set()


async def test_throwing_a_run_away_unwinds_it_on_its_thread_without_effect() -> None:
    program = Guarded()
    engine = await engine_with(program)
    engine.handler.discard(["w"])

    assert program.unwound.wait(30)
    assert program.seen == [Discarded, True, 2, "no wait"]
    engine.complete(0, "value")
    await engine.resume()
    assert engine.results[-1].value is None
    assert engine.results[-1].step is not None
    engine.handler.close()


async def test_closing_unwinds_what_is_suspended() -> None:
    program = Guarded()
    engine = await engine_with(program)
    engine.handler.close()

    assert program.unwound.wait(30)


# --- threads --------------------------------------------------------------------------------


async def test_tasks_of_a_turn_run_at_once_on_several_threads() -> None:
    barrier = threading.Barrier(2, timeout=30)

    def program(_: Instance) -> object:
        barrier.wait()
        return threading.current_thread().name

    handler = runner(FunctionWorkflow(function=program), concurrency=2)
    tasks = [started(handler, f"w{number}").task() for number in range(2)]

    results = await handler.run(tasks)

    assert [result.task_id for result in results] == [task.task_id for task in tasks]
    assert all(result.value is not None for result in results)
    handler.close()


def started(handler: WorkflowTaskRunner, workflow_id: str) -> FakeEngine:
    return FakeEngine(handler, workflow_id=workflow_id, log=[MethodStarted(1_000)])


async def test_code_that_does_not_stop_is_reported_and_the_others_go_on() -> None:
    let_go = threading.Event()
    ended = threading.Event()

    def stuck_here(_: Instance) -> object:
        if here().workflow_id == "stuck":
            let_go.wait(60)
            ended.set()
            return call("too late")
        return call()

    program = FunctionWorkflow(function=stuck_here)
    handler = runner(program, timeout=1.0)
    before = started(handler, "before")
    await before.run()
    engines = [started(handler, workflow_id) for workflow_id in ("first", "stuck", "last")]

    results = await handler.run([engine.task() for engine in engines])

    error = results[1].error
    assert isinstance(error, WorkflowExecutorFailedError)
    assert "within 1 s" in error.failure.exception.message
    assert "stuck_here" in error.failure.stack_trace
    assert results[0].step is not None
    assert results[2].step is not None
    before.complete(0, "value")
    await before.resume()
    assert before.value == "value"
    let_go.set()
    assert ended.wait(30)
    handler.close()


async def test_a_late_task_waits_for_no_other_late_one() -> None:
    let_go = {name: threading.Event() for name in ("late", "stuck")}

    def program(_: Instance) -> object:
        let_go[here().workflow_id].wait(30)
        return call()

    handler = runner(FunctionWorkflow(function=program), concurrency=2)
    engines = [started(handler, name) for name in let_go]
    late, stuck = await handler.run_patiently([engine.task() for engine in engines], 0.001)
    assert isinstance(late, asyncio.Task)
    assert isinstance(stuck, asyncio.Task)
    let_go["late"].set()

    assert (await asyncio.wait_for(late, 30)).step is not None
    assert handler.live_count == 1
    assert not stuck.done()
    let_go["stuck"].set()
    assert (await stuck).step is not None
    assert handler.live_count == 2
    handler.close()


def test_a_changed_program_is_a_usage_error() -> None:
    assert "has changed at position 2" in str(WorkflowChanged("W", "m", 2, "a", "b"))
