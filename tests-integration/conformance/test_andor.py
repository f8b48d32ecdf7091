"""ANDOR: all of several, or the first of several."""

import pytest
from harness.deployment import Deployment
from harness.workflows.combinations import Combinations

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

REVERSED = ["ba", "dc", "fe"]


async def test_andor_01_any_of_three(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).any_of_three) in REVERSED


async def test_andor_01_any_with_operators(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).any_with_operator) in REVERSED


async def test_andor_01_any_takes_the_quickest(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).any_takes_quickest)
    await deployment.elapse(100)
    assert await started.result() == 100
    await deployment.elapse(800)


async def test_andor_03_any_of_a_list(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).any_of_list) in REVERSED


async def test_andor_05_all_of_three(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).all_of_three) == REVERSED


async def test_andor_05_all_with_operators(client: AsyncInfiniticClient) -> None:
    values = await client.call(client.new_workflow(Combinations).all_with_operator)
    assert values == ("ba", "dc")


async def test_andor_05_values_are_in_the_order_combined(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).all_in_order)
    await deployment.elapse(300)
    assert await started.result() == [300, 200, 100]


async def test_andor_06_all_of_a_list(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).all_of_list) == REVERSED


async def test_andor_06_all_of_an_empty_list(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).all_of_nothing) == []


async def test_andor_07_all_of_twenty(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).all_of_twenty) == ["ba"] * 20


async def test_andor_18_the_first_success_wins_over_a_quicker_failure(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).first_success)
    await deployment.elapse(2000)
    assert await started.result() == "2000"


async def test_andor_18_when_all_fail_the_last_failure_is_raised(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).last_failure)
    await deployment.elapse(3000)
    assert await started.result() == "last True True"


async def test_andor_18_one_failure_is_enough_for_all(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).one_failure_of_all)
    await deployment.elapse(1500)
    assert await started.result() == "fail True"


async def test_all_within_all_are_waited_for(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).nested) == REVERSED


async def test_any_of_alls_takes_the_one_that_can_end(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).nested_awaited) == "badc"


async def test_all_of_anys_takes_the_success_of_each(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).all_of_anys) == ("ba", "dc")
