"""DELEGATED: tasks whose outcome comes from elsewhere."""

import pytest
from harness.deployment import Deployment
from harness.services import DELEGATED, UtilService
from harness.workflows.delegations import Delegations

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _delegated(
    deployment: Deployment, workflow_id: str, count: int = 1
) -> list[tuple[str, str]]:
    """Service and id of the tasks of a workflow, once so many have run."""

    async def have_run() -> bool:
        return len(DELEGATED[workflow_id]) == count

    await deployment.until(have_run)
    return DELEGATED[workflow_id]


@pytest.mark.parametrize("method", ["one", "one_awaited"])
async def test_delegated_01_a_client_completes_the_task(
    deployment: Deployment, method: str
) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Delegations), method))
    ((service, task_id),) = await _delegated(deployment, started.id)
    await client.complete_delegated_task(service, task_id, "success")
    assert await started.result() == "success!"


async def test_delegated_01_each_task_has_its_own_outcome(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Delegations).two)
    ids = [task_id for _, task_id in await _delegated(deployment, started.id, 2)]
    for number, task_id in enumerate(ids):
        await client.complete_delegated_task(UtilService, task_id, f"{number}", method="delegate")
    assert sorted(await started.result()) == ["0", "1"]


async def test_delegated_01_a_client_fails_the_task(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Delegations).failed)
    ((service, task_id),) = await _delegated(deployment, started.id)
    await client.fail_delegated_task(service, task_id, "refused")
    assert await started.result() == "delegate: refused"


async def test_delegated_01_the_first_outcome_stands(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Delegations).one)
    ((service, task_id),) = await _delegated(deployment, started.id)
    for text in ("first", "second"):
        await client.complete_delegated_task(service, task_id, text)
    assert await started.result() == "first!"


async def test_delegated_01_an_outcome_may_come_before_the_task_returns(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Delegations).early) == "early"


async def test_delegated_01_an_unknown_task_is_ignored(client: AsyncInfiniticClient) -> None:
    await client.complete_delegated_task("UtilService", "unknown", "late")
