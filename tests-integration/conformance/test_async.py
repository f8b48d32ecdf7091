"""ASYNC: what is started first and waited for later."""

import asyncio

import pytest
from harness.deployment import Deployment
from harness.workflows.sequences import Sequences

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_async_01_a_client_starts_then_waits(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Sequences).slow_task, 200)
    await deployment.elapse(200)
    assert await started.result() == 200


async def test_async_01_several_wait_for_one_run(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Sequences).slow_task, 200)
    waits = [asyncio.create_task(started.result()) for _ in range(3)]
    await deployment.elapse(200)
    assert await asyncio.gather(*waits) == [200, 200, 200]


async def test_async_02_a_task_runs_beside_others(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).task_beside_tasks) == "23ba"


async def test_async_02_an_awaited_task_runs_beside_others(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).awaited_task_beside_tasks) == "23ba"


async def test_async_02_thirty_tasks_run_beside_each_other(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).many_tasks, 30) == sum(range(30))


async def test_async_03_the_slower_of_two_is_waited_for_first(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Sequences).two_slow_tasks)
    await deployment.elapse(500)
    assert await started.result() == 600


async def test_async_03_the_slower_of_two_is_awaited_first(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Sequences).two_slow_awaited_tasks)
    await deployment.elapse(500)
    assert await started.result() == 600
