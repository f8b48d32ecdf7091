"""VIEW: values of which not every field travels."""

import pytest
from harness.workflows.views import Request, User, Views

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUEST = Request("id", "company", "password")
WHOLE = User("id", "company", "password")
WITHOUT_COMPANY = User("id", None, "password")
WITHOUT_PASSWORD = User("id", "company", None)


async def test_view_01_without_views_all_fields_travel(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Views).plain, REQUEST) == WHOLE


async def test_view_02_a_parameter_of_a_service(client: AsyncInfiniticClient) -> None:
    user = await client.call(client.new_workflow(Views).service_parameter, REQUEST)
    assert user == WITHOUT_COMPANY


async def test_view_03_the_result_of_a_service(client: AsyncInfiniticClient) -> None:
    user = await client.call(client.new_workflow(Views).service_result, REQUEST)
    assert user == WITHOUT_PASSWORD


async def test_view_03_values_inside_the_result_of_a_service(
    client: AsyncInfiniticClient,
) -> None:
    users = await client.call(client.new_workflow(Views).service_results, REQUEST)
    assert users == [WITHOUT_PASSWORD] * 2


async def test_view_05_a_parameter_of_a_workflow(client: AsyncInfiniticClient) -> None:
    user = await client.call(client.new_workflow(Views).workflow_parameter, REQUEST)
    assert user == WITHOUT_COMPANY


async def test_view_05_a_signal(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Views).received)
    await client.send(client.get_workflow_by_id(Views, started.id).requests, REQUEST)
    assert await started.result() == WITHOUT_COMPANY


@pytest.mark.parametrize("method", ["workflow_result", "workflow_result_awaited"])
async def test_view_06_the_result_of_a_workflow(client: AsyncInfiniticClient, method: str) -> None:
    user = await client.call(getattr(client.new_workflow(Views), method), REQUEST)
    assert user == WITHOUT_PASSWORD
