"""Orders in flight while something is restarted, and what must have become of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import attrs

from infinitic_client import AsyncInfiniticClient
from infinitic_common.exceptions import TransportUnavailable
from reliability.orders import STEPS, Orders, decisions, result_of

PATIENCE_SECONDS = 240.0
_PAUSE_SECONDS = 0.02
Sent = TypeVar("Sent")


@attrs.frozen
class Load:
    """Orders that run."""

    journal: Path
    results: Mapping[int, "asyncio.Task[int]"]

    async def until_noted(self, lines: int) -> None:
        """Wait until so many effects have happened."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.journal.read_bytes().splitlines()) < lines:  # noqa: ASYNC110 - a file
                await asyncio.sleep(_PAUSE_SECONDS)

    async def check(self) -> None:
        """Wait for all; none is lost, and no step was decided twice."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            given = {order: await task for order, task in self.results.items()}
        assert given == {order: result_of(order) for order in self.results}
        decided = decisions(self.journal)
        assert decided.keys() == {(o, s) for o in self.results for s in range(STEPS + 1)}
        assert {key: ids for key, ids in decided.items() if len(ids) > 1} == {}


async def until_noted(journal: Path, keys: set[tuple[int, int]]) -> None:
    """Wait until these steps of orders have been noted."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not keys <= decisions(journal).keys():  # noqa: ASYNC110 - a file
            await asyncio.sleep(_PAUSE_SECONDS)


async def _tried_until_sent(send: Callable[[], Awaitable[Sent]]) -> Sent:
    while True:
        try:
            return await send()
        except TransportUnavailable:
            await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def load(
    client: AsyncInfiniticClient, journal: Path, orders: int, per_second: float
) -> AsyncIterator[Load]:
    """Start orders at a pace, each with its signal."""
    await asyncio.to_thread(journal.touch)

    async def one(order: int) -> int:
        await asyncio.sleep(order / per_second)
        # What the broker did not confirm in time may be stored or not: the custom id makes a
        # second try the same order.
        orders = client.new_workflow(Orders, tags={f"customId:{order}"})
        deferred = await _tried_until_sent(
            lambda: client.dispatch(orders.process, str(journal), order)
        )
        workflow = client.get_workflow_by_id(Orders, deferred.id)
        await _tried_until_sent(lambda: client.send(workflow.approvals, order))
        return await deferred.result()

    tasks = {order: asyncio.create_task(one(order)) for order in range(orders)}
    try:
        yield Load(journal, tasks)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
