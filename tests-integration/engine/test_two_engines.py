"""Two workers with engine and executors over one broker and one store."""

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol

from infinitic_client import AsyncInfiniticClient
from infinitic_common import Channel, Workflow, channel, new_service
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport, Universe
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import WorkflowStateEngine


class Adder(Protocol):
    async def add(self, left: int, right: int) -> int: ...


class AdderImpl:
    async def add(self, left: int, right: int) -> int:
        return left + right


class Counter(Protocol):
    numbers: Channel[int] = channel()

    async def total_of(self, count: int) -> int: ...


class CounterImpl(Workflow, Counter):
    adder = new_service(Adder)

    async def total_of(self, count: int) -> int:
        total = 0
        received = self.numbers.receive()
        for _ in range(count):
            total = await self.adder.add(total, await received)
        return total


def _worker(universe: Universe, storage: MemoryStorage) -> InfiniticWorker:
    return InfiniticWorker(
        transport=InMemoryTransport(universe=universe),
        storage=storage,
        components=[
            ServiceExecutor(Adder, AdderImpl, concurrency=10),
            WorkflowExecutor(Counter, CounterImpl, concurrency=2),
            WorkflowStateEngine(Counter),
        ],
        close_storage=False,
    )


async def test_rel_15_signals_to_workflows_of_two_engine_processes_all_count() -> None:
    universe, storage = Universe(), MemoryStorage()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_worker(universe, storage))
        await stack.enter_async_context(_worker(universe, storage))
        transport = InMemoryTransport(universe=universe)
        client = await stack.enter_async_context(AsyncInfiniticClient(transport=transport))
        deferreds = [
            await client.dispatch(client.new_workflow(Counter).total_of, 20) for _ in range(20)
        ]
        stubs = [client.get_workflow_by_id(Counter, deferred.id) for deferred in deferreds]
        await asyncio.gather(
            *(client.send(stub.numbers, number) for stub in stubs for number in range(20))
        )
        async with asyncio.timeout(60):
            totals = [await deferred for deferred in deferreds]
    assert totals == [sum(range(20))] * 20


async def test_a_worker_that_comes_later_takes_over_workflows_that_wait() -> None:
    universe, storage = Universe(), MemoryStorage()
    async with AsyncExitStack() as stack:
        transport = InMemoryTransport(universe=universe)
        client = await stack.enter_async_context(AsyncInfiniticClient(transport=transport))
        async with _worker(universe, storage):
            deferred = await client.dispatch(client.new_workflow(Counter).total_of, 3)
            stub = client.get_workflow_by_id(Counter, deferred.id)
            await client.send(stub.numbers, 1)
            async with asyncio.timeout(30):
                while await client.get_status(stub) != "WAITING":
                    pass  # asking waits for the answer
        await client.send(stub.numbers, 2)
        await client.send(stub.numbers, 3)
        await stack.enter_async_context(_worker(universe, storage))
        async with asyncio.timeout(30):
            assert await deferred == 6
