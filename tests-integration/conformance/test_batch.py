"""BATCH: tasks that run together."""

import asyncio

import pytest
from harness.workflows.batches import SIZES, Batches, Blocking

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBER = 30
PAUSE_SECONDS = 0.03


async def _results(client: AsyncInfiniticClient, method: str, pause: float = 0) -> list[int]:
    """Of workflows started one after another; the batches they made are in ``SIZES``."""
    SIZES[method].clear()
    started = []
    for number in range(NUMBER):
        stub = client.new_workflow(Batches)
        started.append(await client.dispatch(getattr(stub, method), number))
        # The pace is what the case is about, and batches fill by the executor's own clock.
        await asyncio.sleep(pause)
    return [await each.result() for each in started]


def _average(method: str) -> float:
    return sum(SIZES[method]) / len(SIZES[method])


async def test_batch_01_one_argument(client: AsyncInfiniticClient) -> None:
    assert await _results(client, "double") == [2 * n for n in range(NUMBER)]
    assert _average("double") > 2
    assert max(SIZES["double"]) <= 10


async def test_batch_03_two_arguments(client: AsyncInfiniticClient) -> None:
    assert await _results(client, "add") == [n + 1 for n in range(NUMBER)]
    assert _average("add") > 2


async def test_batch_04_two_arguments_at_a_slower_pace(client: AsyncInfiniticClient) -> None:
    results = await _results(client, "add_slowly", PAUSE_SECONDS)
    assert results == [n + 1 for n in range(NUMBER)]
    assert _average("add_slowly") > 2


async def test_batch_05_an_object_is_returned(client: AsyncInfiniticClient) -> None:
    assert await _results(client, "total") == list(range(NUMBER))
    assert _average("total") > 2


async def test_batch_07_an_object_is_taken_and_returned(client: AsyncInfiniticClient) -> None:
    assert await _results(client, "total_of") == [n + 1 for n in range(NUMBER)]
    assert _average("total_of") > 2


async def test_batch_08_objects_at_a_slower_pace(client: AsyncInfiniticClient) -> None:
    results = await _results(client, "total_slowly", PAUSE_SECONDS)
    assert results == [n + 1 for n in range(NUMBER)]
    assert _average("total_slowly") > 2


async def test_batch_09_nothing_is_returned(client: AsyncInfiniticClient) -> None:
    assert await _results(client, "note") == list(range(NUMBER))
    assert _average("note") > 2


async def test_batch_16_a_method_without_batch_runs_one_by_one(
    client: AsyncInfiniticClient,
) -> None:
    assert await _results(client, "alone") == [-n for n in range(NUMBER)]


async def test_batch_16_tasks_of_one_workflow_run_together(client: AsyncInfiniticClient) -> None:
    sizes = await client.call(client.new_workflow(Batches).together, NUMBER)
    assert len(sizes) == NUMBER
    assert sum(sizes) / NUMBER > 2


async def test_batch_12_workflows_that_block_their_executor_do_so_together(
    client: AsyncInfiniticClient,
) -> None:
    blocking = client.new_workflow(Blocking).block
    together = await asyncio.gather(*(client.call(blocking, 300) for _ in range(20)))
    assert max(together) > 2
