"""Workflow code of both colours."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing

import pytest
from executor_doubles import FakeEngine, FunctionWorkflow, Instance, call, here, runner, wait

from infinitic_common.failures import WorkflowExecutorFailedError
from infinitic_common.history import TaskCommand
from infinitic_common.serialization import decode_untyped, encode_untyped


class Later:
    """Something to await that waits as deferreds do."""

    def __init__(self) -> None:
        self._position = here().issue(TaskCommand("S", "do", ()))

    def __await__(self) -> Generator[object, None, object]:
        yield from ()
        return wait(self._position)


async def message_of(program: Callable[[Instance], Awaitable[object]]) -> str:
    engine = FakeEngine(runner(FunctionWorkflow(function=program)))
    result = await engine.start()
    engine.handler.close()
    assert isinstance(result.error, WorkflowExecutorFailedError)
    return result.error.failure.exception.message


@pytest.mark.parametrize("always_replay", [False, True])
async def test_awaiting_and_blocking_mix(always_replay: bool) -> None:  # noqa: FBT001 - of a case
    async def inner() -> object:
        return await Later()

    async def program(_: Instance) -> object:
        return [await inner(), call(), await Later()]

    handler = runner(FunctionWorkflow(function=program), always_replay=always_replay)
    engine = FakeEngine(handler)
    await engine.start()
    for position in (0, 2, 4):
        engine.complete(position, position)
        await engine.resume()

    assert engine.value == [0, 2, 4]
    handler.close()


async def sleeps(_: object = None) -> None:
    await asyncio.sleep(1)


async def yields(_: object = None) -> None:
    await asyncio.sleep(0)


async def gathers(_: object) -> None:
    with closing(yields()) as one, closing(yields()) as other:
        await asyncio.gather(one, other)


async def limits(_: object) -> None:
    with closing(yields()) as one:
        await asyncio.wait_for(one, 1)


async def makes_tasks(_: object) -> None:
    await asyncio.create_task(yields())


async def limits_a_block(_: object) -> None:
    async with asyncio.timeout(1):
        await yields()


@pytest.mark.parametrize("program", [sleeps, yields, gathers, limits, makes_tasks, limits_a_block])
async def test_asyncio_is_refused_and_the_message_says_what_to_use(
    program: Callable[[Instance], Awaitable[object]],
) -> None:
    message = await message_of(program)

    for remedy in ("all_of", "self.timer", "result(timeout=…)"):
        assert remedy in message


async def test_what_is_told_of_a_refusal_has_a_name_that_can_be_imported() -> None:
    engine = FakeEngine(runner(FunctionWorkflow(function=sleeps)))
    result = await engine.start()
    engine.handler.close()
    assert isinstance(result.error, WorkflowExecutorFailedError)
    assert result.error.failure.exception.name == "infinitic_common.exceptions.ForeignAwait"


async def test_asyncio_is_refused_after_a_wait_too() -> None:
    async def program(_: Instance) -> None:
        await Later()
        await asyncio.sleep(1)

    engine = FakeEngine(runner(FunctionWorkflow(function=program)))
    await engine.start()
    engine.complete(0, None)
    result = await engine.resume()
    engine.handler.close()

    assert result is not None
    assert result.error is not None


async def test_an_inline_block_of_a_coroutine_may_use_asyncio() -> None:
    async def compute() -> int:
        await asyncio.sleep(0)
        return 42

    async def program(_: Instance) -> object:
        return decode_untyped(here().inline(lambda: encode_untyped(asyncio.run(compute()))))

    engine = FakeEngine(runner(FunctionWorkflow(function=program)))
    await engine.start()
    engine.handler.close()

    assert engine.value == 42


async def test_a_waiting_coroutine_does_not_keep_others_from_asyncio() -> None:
    async def compute() -> int:
        return 1

    def program(_: Instance) -> object:
        if here().workflow_id == "waits":
            return waits()
        return asyncio.run(compute())

    async def waits() -> object:
        return await Later()

    handler = runner(FunctionWorkflow(function=program))
    first = FakeEngine(handler, workflow_id="waits")
    await first.start()
    second = FakeEngine(handler, workflow_id="blocks")
    await second.start()
    handler.close()

    assert second.value == 1
