"""SYNC: workflows that a client calls and waits for."""

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone
from harness.workflows.sequences import Sequences

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_sync_01_a_constant_without_tasks(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).empty) == "void"


async def test_sync_01_a_coroutine_without_tasks(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).empty_coroutine) == "void"


async def test_sync_01_a_coroutine_called_on_its_stub(client: AsyncInfiniticClient) -> None:
    assert await client.new_workflow(Sequences).empty_coroutine() == "void"


async def test_sync_01_nothing_is_returned(client: AsyncInfiniticClient) -> None:
    await client.call(client.new_workflow(Sequences).nothing)
    assert client.last_deferred is not None
    assert await client.last_deferred.result() is None


async def test_sync_02_three_tasks_one_after_another(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).three_tasks) == "123"


async def test_sync_02_three_tasks_awaited(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).three_awaited_tasks) == "123"


async def test_sync_03_one_task_and_the_state_is_gone(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Sequences).one_task)
    assert await started.result() == "ba"
    await state_is_gone(deployment, started.id)


async def test_sync_03_one_awaited_task_and_the_state_is_gone(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Sequences).one_awaited_task)
    assert await started.result() == "ba"
    await state_is_gone(deployment, started.id)


async def test_sync_03_a_task_that_is_a_coroutine(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).coroutine_task) == "ba"
