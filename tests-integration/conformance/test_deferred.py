"""DEFERRED: what deferreds know of themselves, in workflows and in clients."""

from datetime import timedelta

import pytest
from harness.deployment import Deployment
from harness.workflows.combinations import Combinations
from harness.workflows.sequences import Sequences

from infinitic_client import AsyncInfiniticClient
from infinitic_common import DeferredTimeout

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_deferred_01_states_follow_the_code(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).states) == "truefalsefalsetrue"


async def test_deferred_01_states_follow_a_coroutine(client: AsyncInfiniticClient) -> None:
    known = await client.call(client.new_workflow(Combinations).states_awaited)
    assert known == "truefalsefalsetrue"


async def test_deferred_01_states_of_a_failure(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).states_of_failure)
    await deployment.elapse(1500)
    assert await started.result() == ["ONGOING", "FAILED", "FAILED"]


async def test_deferred_01_states_of_a_combination(client: AsyncInfiniticClient) -> None:
    states = await client.call(client.new_workflow(Combinations).states_of_combination)
    assert states == ["ONGOING", "ONGOING", "ONGOING", "COMPLETED"]


async def test_deferred_03_the_last_deferred_is_that_of_the_call(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Sequences).one_task) == "ba"
    last = client.last_deferred
    assert last is not None
    assert last.name == "Sequences"
    assert last.id == last.workflow_id
    assert await last.result() == "ba"


async def test_deferred_03_the_last_deferred_is_the_one_dispatched(
    client: AsyncInfiniticClient,
) -> None:
    started = await client.dispatch(client.new_workflow(Sequences).one_task)
    assert client.last_deferred is not None
    assert client.last_deferred.id == started.id
    assert await started == "ba"


async def test_a_deferred_is_waited_for_again(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).waited_twice) == ["ba"] * 4


async def test_a_deferred_keeps_its_id(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Combinations).ids)


@pytest.mark.parametrize(("milliseconds", "expected"), [(100, "100"), (2000, "after 0.5 s: True")])
async def test_a_wait_in_a_workflow_has_a_limit(
    deployment: Deployment, milliseconds: int, expected: str
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).limited, milliseconds)
    await deployment.elapse(2000)
    assert await started.result() == expected


async def test_what_was_waited_for_too_long_is_waited_for_again(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Combinations).limited_twice)
    await deployment.elapse(800)
    assert await started.result() == "late 800"


async def test_a_wait_of_a_client_has_a_limit(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Sequences).slow_task, 1000)
    with pytest.raises(DeferredTimeout):
        await started.result(timeout=timedelta(milliseconds=50))
    await deployment.elapse(1000)
    assert await started.result() == 1000
