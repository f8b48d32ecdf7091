"""CHILD: workflows that workflows start."""

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone
from harness.workflows.families import Family

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_child_01_a_child_is_called(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Family).child_called)
    assert await started.result() == "ab"
    await state_is_gone(deployment, started.id)


async def test_child_02_a_child_is_started(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Family).child_started) == "baba"


async def test_child_02_a_child_is_awaited(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Family).child_awaited) == "baba"


async def test_child_02_several_children_beside_each_other(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Family).many_children) == list("abcde")


async def test_child_02_children_have_children(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Family).generations, 5) == 5


async def test_child_02_a_running_child_gets_methods_and_signals(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Family).method_of_child) == "ab abc"
