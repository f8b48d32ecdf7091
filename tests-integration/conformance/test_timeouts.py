"""TIMEOUTS: limits that contracts and implementations declare."""

import pytest
from harness.deployment import Deployment
from harness.workflows.timeouts import Timeouts

from infinitic_client import AsyncDeferred
from infinitic_common import TaskFailed, TaskTimedOut, WorkflowFailed, WorkflowTimedOut
from infinitic_common.exceptions import DeferredException

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _cause(deployment: Deployment, started: AsyncDeferred[object]) -> DeferredException:
    """Why it failed, seen before what lasts too long ends and lets it go on."""
    await deployment.elapse(1500)
    with pytest.raises(WorkflowFailed) as raised:
        await started.result()
    await deployment.elapse(1000)
    return raised.value.cause


@pytest.mark.parametrize(
    ("method", "limited"), [("child", "limited"), ("child_awaited", "limited_coroutine")]
)
async def test_timeouts_01_a_child_lasts_too_long(
    deployment: Deployment, method: str, limited: str
) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Timeouts), method), 2000)
    cause = await _cause(deployment, started)
    assert isinstance(cause, WorkflowTimedOut)
    assert (cause.workflow_name, cause.method_name) == ("Timeouts", limited)


@pytest.mark.parametrize("method", ["limited", "limited_coroutine"])
async def test_timeouts_02_a_client_waits_too_long(deployment: Deployment, method: str) -> None:
    client = deployment.client
    with pytest.raises(WorkflowTimedOut):
        await client.call(getattr(client.new_workflow(Timeouts), method), 3000)
    await deployment.elapse(3000)


async def test_timeouts_03_a_client_waits_in_time(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).limited, 10)
    await deployment.elapse(10)
    assert await started.result() == 10


@pytest.mark.parametrize("method", ["child", "child_awaited"])
async def test_timeouts_04_a_child_is_in_time(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Timeouts), method), 10)
    await deployment.elapse(10)
    assert await started.result() == 10


async def test_timeouts_05_a_parent_catches_it(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).child_caught, 2000)
    await deployment.elapse(2000)
    assert await started.result() == -1


async def test_timeouts_05_the_child_goes_on_and_is_completed_later(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).child_late)
    await deployment.elapse(3500)
    assert await started.result() == "TIMED_OUT COMPLETED 2000"


async def test_timeouts_07_a_task_lasts_longer_than_its_contract_allows(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).service_timeout, 2000)
    cause = await _cause(deployment, started)
    assert isinstance(cause, TaskTimedOut)
    assert (cause.service_name, cause.method_name) == ("UtilService", "with_service_timeout")


async def test_timeouts_07_a_workflow_catches_it(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).service_timeout_caught, 2000)
    await deployment.elapse(2000)
    assert await started.result() == "with_service_timeout True"


async def test_timeouts_08_a_task_is_in_the_time_of_its_contract(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).service_timeout, 10)
    await deployment.elapse(10)
    assert await started.result() == 10


async def test_timeouts_10_an_attempt_lasts_too_long(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).execution_timeout, 2000)
    cause = await _cause(deployment, started)
    assert isinstance(cause, TaskFailed)
    assert (cause.service_name, cause.method_name) == ("UtilService", "with_execution_timeout")


async def test_timeouts_11_an_attempt_is_in_time(deployment: Deployment) -> None:
    client = deployment.client
    assert await client.call(client.new_workflow(Timeouts).execution_timeout, 10) == 10


@pytest.mark.parametrize("method", ["inherited", "inherited_child"])
async def test_timeouts_15_the_limit_of_a_parent_contract_is_kept(
    deployment: Deployment, method: str
) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Timeouts), method), 10)
    await deployment.elapse(10)
    assert await started.result() == 10


async def test_timeouts_15_the_limit_of_a_parent_contract_is_exceeded(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).inherited_child, 2000)
    cause = await _cause(deployment, started)
    assert isinstance(cause, WorkflowTimedOut)
    assert cause.method_name == "inherited"
