"""PROPERTIES: what the runs of a workflow share."""

import pytest
from harness.deployment import Deployment
from harness.workflows.properties import Properties

from infinitic_client import AsyncInfiniticClient
from infinitic_common import WorkflowExecutorFailed, WorkflowFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_properties_01_a_method_that_is_waited_for(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Properties).branch_waited_for) == "abc"


async def test_properties_02_a_method_starts_after_the_step(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Properties).branch_started) == "acbd"


async def test_properties_02_a_coroutine_starts_after_the_step(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Properties).awaited_branch_started) == "acbd"


async def test_properties_02_two_methods_start_in_order(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Properties).two_branches) == "adbc"


async def test_properties_03_a_method_that_waits_first(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Properties).slow_branch_started)
    await deployment.elapse(100)
    assert await started.result() == "acbd"


async def test_properties_06_an_ongoing_deferred_is_no_argument(
    client: AsyncInfiniticClient,
) -> None:
    await _refuses_a_deferred(client, "ongoing_as_argument")


async def test_properties_07_a_completed_deferred_is_no_argument(
    client: AsyncInfiniticClient,
) -> None:
    await _refuses_a_deferred(client, "completed_as_argument")


async def test_properties_09_a_deferred_is_no_property(client: AsyncInfiniticClient) -> None:
    await _refuses_a_deferred(client, "waited_for_as_property")


async def _refuses_a_deferred(client: AsyncInfiniticClient, method: str) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await client.call(getattr(client.new_workflow(Properties), method))
    cause = raised.value.cause
    assert isinstance(cause, WorkflowExecutorFailed)
    assert "Deferred" in cause.last_failure.exception.message


async def test_none_is_kept(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Properties).set_to_none) == "None"


async def test_a_mutated_list_is_kept(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Properties).mutated) == [1, 2, 3]


async def test_a_deleted_property_is_gone(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Properties).deleted) == "gone"


async def test_an_ignored_attribute_does_no_harm(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Properties).ignored) == "kept initial"
