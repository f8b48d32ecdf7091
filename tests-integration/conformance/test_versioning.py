"""VERSIONING: several versions of a workflow, and code that was changed."""

from collections.abc import Callable
from typing import cast

import pytest
from harness.deployment import Deployment, workflow_components
from harness.workflows.versions import (
    ChangedImpl,
    Changing,
    ChangingImpl,
    ExtendedImpl,
    Extending,
    ExtendingImpl,
    Versioned,
)

from infinitic_client import AsyncDeferred, AsyncInfiniticClient
from infinitic_common import WorkflowExecutorFailed, WorkflowFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("method", ["own_class", "own_class_after_a_task"])
async def test_versioning_01_the_highest_version_runs(
    client: AsyncInfiniticClient, method: str
) -> None:
    assert await client.call(getattr(client.new_workflow(Versioned), method)) == "VersionedImpl_1"


async def test_versioning_05_changed_code_is_found_and_restored_code_goes_on(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await _started(deployment, Changing, ChangingImpl)
    running = client.get_workflow_by_id(Changing, started.id)
    async with deployment.worker(*workflow_components(deployment.mode, Changing, ChangedImpl)):
        await client.send(running.A, "c")
        with pytest.raises(WorkflowFailed) as raised:
            await started.result()
    cause = raised.value.cause
    assert isinstance(cause, WorkflowExecutorFailed)
    assert cause.last_failure.exception.name.endswith("WorkflowChanged")
    assert "Changing.run" in cause.last_failure.exception.message
    async with deployment.worker(*workflow_components(deployment.mode, Changing, ChangingImpl)):
        await client.retry_workflow_task(running)
        assert await started.result() == "bac"


async def test_versioning_05_code_that_goes_on_otherwise_is_no_change(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await _started(deployment, Extending, ExtendingImpl)
    async with deployment.worker(*workflow_components(deployment.mode, Extending, ExtendedImpl)):
        await client.send(client.get_workflow_by_id(Extending, started.id).A, "c")
        assert await started.result() == "bac!"


async def _started(
    deployment: Deployment, contract: Callable[..., Changing], implementation: type
) -> AsyncDeferred[str]:
    """A workflow whose worker has gone while it waits for a signal."""
    client = deployment.client
    async with deployment.worker(
        *workflow_components(deployment.mode, cast("type", contract), implementation)
    ):
        started = await client.dispatch(client.new_workflow(contract).run)
        running = client.get_workflow_by_id(contract, started.id)
        await _until_waiting(deployment, running)
    return started


async def _until_waiting(deployment: Deployment, running: Changing) -> None:
    """Until the first task is done, and the signal waited for."""

    async def waiting() -> bool:
        state = await deployment.client.get_state(running)
        return state is not None and "COMPLETED" in str(state["methods"])

    await deployment.until(waiting)
