"""SYNC: workflows that a client calls and waits for."""

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone
from harness.workflows import Sequences

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_sync_01_a_constant_without_tasks(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).empty) == "void"


async def test_sync_02_three_tasks_one_after_another(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Sequences).three_tasks) == "123"


async def test_sync_03_one_task_and_the_state_is_gone(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Sequences).one_task)
    assert await started.result() == "ba"
    await state_is_gone(deployment, Sequences, started.id)
