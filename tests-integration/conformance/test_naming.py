"""NAMING: explicit names, and methods of parents."""

import pytest
from harness.workflows.names import Named

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("method", ["chain", "chain_awaited"])
async def test_naming_01_workflow_service_and_methods_have_names(
    client: AsyncInfiniticClient, method: str
) -> None:
    assert await client.call(getattr(client.new_workflow(Named), method)) == "abc"


async def test_naming_01_a_method_of_the_same_workflow_has_a_name(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Named).branch_by_name) == "abc"


async def test_naming_01_names_are_what_others_see(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Named).names) == ("alphabet", "alphabet")
    assert client.last_deferred is not None
    assert client.last_deferred.name == "alphabet"


async def test_naming_02_a_task_of_a_parent_contract(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Named).task_of_parent) == "ok"


async def test_naming_03_a_method_of_a_parent_contract(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Named).method_of_parent) == "ok"


async def test_naming_03_a_client_calls_a_method_of_a_parent_contract(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Named).parent) == "ok"
