"""Cases that run beside each other: on servers most of their time is waiting."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import cast

import attrs
import pytest

Case = Callable[..., Coroutine[object, object, None]]

_AT_ONCE = 12
_LIMIT_SECONDS = 60


@attrs.frozen
class _Body:
    case: Case
    parameters: Mapping[str, object]


class ConcurrentCases:
    """The cases of one mode: they are started together, and each test waits for its own."""

    def __init__(self) -> None:
        self._bodies: dict[str, _Body] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, item: pytest.Function) -> None:
        """Have the body of a test run with the others."""
        case = cast("Case", item.obj)
        self._bodies[item.nodeid] = _Body(case, dict(item.callspec.params))

        @functools.wraps(case)
        async def wait(**_: object) -> None:
            await self._tasks[item.nodeid]

        item.obj = wait

    def start(self, fixtures: Mapping[str, object]) -> None:
        """Begin with all of them, in order, some at once."""
        room = asyncio.Semaphore(_AT_ONCE)
        for name, body in self._bodies.items():
            self._tasks[name] = asyncio.create_task(_run(body, fixtures, room))

    def stop(self) -> None:
        """Give up those nobody waited for."""
        for task in self._tasks.values():
            task.cancel()


async def _run(body: _Body, fixtures: Mapping[str, object], room: asyncio.Semaphore) -> None:
    known = {**body.parameters, **fixtures}
    wanted = {name: known[name] for name in inspect.signature(body.case).parameters}
    async with room, asyncio.timeout(_LIMIT_SECONDS):
        await body.case(**wanted)
