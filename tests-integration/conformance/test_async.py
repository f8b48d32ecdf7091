"""ASYNC: what is started first and waited for later."""

import pytest
from harness.workflows import Sequences

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_async_01_a_client_starts_then_waits(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Sequences).slow_task)
    assert await started.result() == 200


async def test_async_02_a_task_runs_beside_others(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).task_beside_tasks) == "23ba"


async def test_async_02_a_task_runs_beside_others_in_a_coroutine(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Sequences).awaited_tasks) == "23ba"


async def test_async_03_the_slower_of_two_is_waited_for_first(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Sequences).two_slow_tasks) == 600
