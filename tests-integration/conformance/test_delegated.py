"""DELEGATED: tasks whose outcome comes from elsewhere."""

import pytest
from harness.deployment import Deployment
from harness.services import DELEGATED, UtilService
from harness.workflows.delegations import Delegations

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("method", ["one", "one_awaited"])
async def test_delegated_01_a_client_completes_the_task(
    deployment: Deployment, method: str
) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Delegations), method))
    await deployment.elapse(1000)
    ((service, task_id),) = DELEGATED[started.id]
    await client.complete_delegated_task(service, task_id, "success")
    assert await started.result() == "success!"


async def test_delegated_01_each_task_has_its_own_outcome(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Delegations).two)
    await deployment.elapse(1000)
    ids = [task_id for _, task_id in DELEGATED[started.id]]
    for number, task_id in enumerate(ids):
        await client.complete_delegated_task(UtilService, task_id, f"{number}", method="delegate")
    assert sorted(await started.result()) == ["0", "1"]


async def test_delegated_01_a_client_fails_the_task(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Delegations).failed)
    await deployment.elapse(1000)
    ((service, task_id),) = DELEGATED[started.id]
    await client.fail_delegated_task(service, task_id, "refused")
    assert await started.result() == "delegate: refused"


async def test_delegated_01_the_first_outcome_stands(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Delegations).one)
    await deployment.elapse(1000)
    ((service, task_id),) = DELEGATED[started.id]
    for text in ("first", "second"):
        await client.complete_delegated_task(service, task_id, text)
    assert await started.result() == "first!"


async def test_delegated_01_an_outcome_may_come_before_the_task_returns(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Delegations).early) == "early"


async def test_delegated_01_an_unknown_task_is_ignored(client: AsyncInfiniticClient) -> None:
    await client.complete_delegated_task("UtilService", "unknown", "late")
