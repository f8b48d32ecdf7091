"""CACHE: what the library keeps in memory does not grow with the instances of workflows."""

import gc
import sys
from collections.abc import Iterator, Sized
from typing import Protocol, cast

from infinitic_client import AsyncInfiniticClient
from infinitic_common import Workflow, new_service
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import WorkflowStateEngine


class Greetings(Protocol):
    def greet(self, name: str) -> str: ...


class GreetingsImpl:
    def greet(self, name: str) -> str:
        return f"hello {name}"


class Welcome(Protocol):
    def welcome(self, names: list[str]) -> list[str]: ...


class WelcomeImpl(Workflow, Welcome):
    greetings = new_service(Greetings)

    def welcome(self, names: list[str]) -> list[str]:
        return [self.greetings.greet(name) for name in names]


class _Memoized(Protocol):
    def cache_info(self) -> tuple[int, int, int | None, int]: ...


def sizes() -> dict[str, int]:
    """How much is in each container and memoized function of the library's modules."""
    # What earlier tests left to the collector goes from weak containers whenever it runs.
    gc.collect()
    return dict(_sizes())


def _sizes() -> Iterator[tuple[str, int]]:
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("infinitic_"):
            for name, value in list(vars(module).items()):
                if hasattr(type(value), "cache_info"):
                    yield f"{module_name}.{name}", cast("_Memoized", value).cache_info()[3]
                elif isinstance(value, Sized) and not name.startswith("__"):
                    yield f"{module_name}.{name}", len(value)


async def test_cache_01_twenty_more_instances_leave_nothing_in_the_library() -> None:
    transport = InMemoryTransport()
    worker = InfiniticWorker(
        transport=transport,
        storage=MemoryStorage(),
        components=[
            ServiceExecutor(Greetings, GreetingsImpl),
            WorkflowExecutor(Welcome, WelcomeImpl),
            WorkflowStateEngine(Welcome),
        ],
    )
    async with worker, AsyncInfiniticClient(transport=transport, close_transport=False) as client:

        async def run(name: str) -> None:
            welcome = client.new_workflow(Welcome).welcome
            assert await client.call(welcome, [name]) == [f"hello {name}"]

        await run("first")
        noted = sizes()
        for number in range(20):
            await run(f"instance {number}")
        assert sizes() == noted
    assert noted["infinitic_common._contracts.contract._read"] > 0
