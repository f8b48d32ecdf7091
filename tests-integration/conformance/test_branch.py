"""BRANCH: methods of one workflow that run beside each other."""

import math

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone
from harness.workflows.branches import Branches

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_branch_01_a_method_with_one_task(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Branches).beside_one)
    assert await started.result() == "23ba"
    await state_is_gone(deployment, started.id)


async def test_branch_02_a_method_with_two_tasks(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Branches).beside_two)
    assert await started.result() == "23bac"
    await state_is_gone(deployment, started.id)


async def test_branch_02_a_coroutine_with_two_tasks(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Branches).beside_awaited)
    assert await started.result() == "23bac"
    await state_is_gone(deployment, started.id)


async def test_branch_02_five_methods_beside_each_other(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Branches).beside_many)
    assert await started.result() == ["bac"] * 5
    await state_is_gone(deployment, started.id)


async def test_branch_02_a_method_that_is_called(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Branches).called) == "baced"


async def test_branch_02_a_method_nobody_waits_for_ends_too(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Branches).not_waited_for)
    assert await started.result() == "main"
    await state_is_gone(deployment, started.id)


async def test_a_method_calls_itself(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Branches).factorial, 8) == math.factorial(8)
