"""ERRORS: what fails, who is told, and what is tried again by hand."""

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone
from harness.workflows.echo import Echo
from harness.workflows.failures import Failures

from infinitic_client import AsyncDeferred, AsyncInfiniticClient
from infinitic_common import (
    DeferredStatus,
    TaskFailed,
    WorkflowExecutorFailed,
    WorkflowFailed,
    WorkflowUnknown,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLAIN = "PlainError"
# Failed tasks are tried again after a second, once.
RETRIED_MS = 1500


async def _failure(deployment: Deployment, started: AsyncDeferred[object]) -> WorkflowFailed:
    await deployment.elapse(RETRIED_MS)
    with pytest.raises(WorkflowFailed) as raised:
        await started.result()
    return raised.value


@pytest.mark.parametrize("method", ["raises", "raises_in_coroutine"])
async def test_errors_01_the_code_of_a_workflow_raises(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Failures), method))
    error = await _failure(deployment, started)
    assert (error.workflow_name, error.workflow_id) == ("Failures", started.id)
    assert (error.method_name, error.method_id) == (method, started.id)
    assert isinstance(error.cause, WorkflowExecutorFailed)
    assert error.cause.last_failure.exception.name.endswith(PLAIN)
    assert error.cause.last_failure.exception.message == "a bug"


@pytest.mark.parametrize("method", ["caught", "caught_in_coroutine"])
async def test_errors_02_a_failure_is_caught(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Failures), method))
    await deployment.elapse(RETRIED_MS)
    assert await started.result() == "ko"
    await state_is_gone(deployment, started.id)


async def test_errors_02_two_failures_are_caught(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).caught_twice)
    await deployment.elapse(2 * RETRIED_MS)
    assert await started.result() == "sorrysorry"


@pytest.mark.parametrize("method", ["failing", "failing_in_coroutine"])
async def test_errors_03_a_failed_task_fails_the_workflow(
    deployment: Deployment, method: str
) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Failures), method))
    cause = (await _failure(deployment, started)).cause
    assert isinstance(cause, TaskFailed)
    assert (cause.service_name, cause.method_name) == ("UtilService", "fail")
    assert cause.last_failure.exception.name.endswith(PLAIN)
    assert cause.last_failure.exception.message == "sorry"
    assert cause.last_failure.worker_name


async def test_errors_06_a_failure_nobody_waits_for(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).not_waited_for)
    await deployment.elapse(RETRIED_MS)
    assert await started.result() == 100


async def test_errors_07_a_failing_branch_nobody_waits_for(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).failing_branch)
    await deployment.elapse(RETRIED_MS)
    assert await started.result() == 100


async def test_errors_07_a_failing_branch_waited_for(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).failing_branch_waited_for)
    await deployment.elapse(RETRIED_MS)
    method, name = (await started.result()).split()
    assert method == "failing"
    assert name.endswith(PLAIN)


async def test_errors_09_a_failing_child_fails_its_parent(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).failing_child)
    cause = (await _failure(deployment, started)).cause
    assert isinstance(cause, WorkflowFailed)
    assert cause.workflow_name == "Echo"
    assert isinstance(cause.cause, TaskFailed)
    assert cause.cause.service_name == "UtilService"


async def test_errors_10_a_failing_child_of_a_branch(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).failing_child_in_branch)
    await deployment.elapse(RETRIED_MS)
    assert await started.result() == 100


async def test_errors_12_the_failure_of_a_child_is_caught(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).failing_child_caught)
    await deployment.elapse(RETRIED_MS)
    assert await started.result() == "harness.services.PlainError"


@pytest.mark.parametrize("method", ["ok_on_manual_retry", "ok_on_manual_retry_awaited"])
async def test_errors_13_failed_tasks_are_tried_again(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Failures), method))
    await _failure(deployment, started)
    await deployment.elapse(100)
    running = client.get_workflow_by_id(Failures, started.id)
    await client.retry_tasks(running, status=DeferredStatus.FAILED)
    assert await started.result() == "ok"
    await state_is_gone(deployment, started.id)


async def test_errors_13_only_those_of_the_service_are_tried_again(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).ok_on_manual_retry)
    await _failure(deployment, started)
    running = client.get_workflow_by_id(Failures, started.id)
    await client.retry_tasks(running, service="UtilService", status=DeferredStatus.FAILED)
    assert await started.result() == "ok"


async def test_errors_14_a_failed_task_is_tried_again_by_its_id(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).ok_on_manual_retry)
    cause = (await _failure(deployment, started)).cause
    assert isinstance(cause, TaskFailed)
    await deployment.elapse(100)
    await client.retry_tasks(client.get_workflow_by_id(Failures, started.id), cause.task_id)
    assert await started.result() == "ok"


async def test_errors_14_a_second_failure_is_told_again(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).failing)
    first = (await _failure(deployment, started)).cause
    assert isinstance(first, TaskFailed)
    await client.retry_tasks(client.get_workflow_by_id(Failures, started.id), first.task_id)
    await deployment.elapse(RETRIED_MS)
    await deployment.elapse(RETRIED_MS)
    second = (await _failure(deployment, started)).cause
    assert isinstance(second, TaskFailed)
    assert second.task_id == first.task_id
    assert second.last_failure.retry_sequence == 1


async def test_errors_18_a_method_of_an_unknown_workflow(client: AsyncInfiniticClient) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await client.call(client.new_workflow(Failures).unknown)
    cause = raised.value.cause
    assert isinstance(cause, WorkflowUnknown)
    assert (cause.workflow_name, cause.workflow_id) == ("Echo", "unknown")


async def test_errors_18_a_client_asks_an_unknown_workflow(client: AsyncInfiniticClient) -> None:
    with pytest.raises(WorkflowUnknown) as raised:
        await client.call(client.get_workflow_by_id(Echo, "unknown").add, "a")
    assert (raised.value.workflow_name, raised.value.workflow_id) == ("Echo", "unknown")


async def test_errors_19_an_unknown_workflow_is_caught(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Failures).unknown_caught) == "caught"


async def test_errors_of_the_code_itself_are_caught(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Failures).own_error_caught) == "bug"


async def test_errors_04_a_failure_has_its_properties_and_the_one_before(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Failures).failing_custom)
    cause = (await _failure(deployment, started)).cause
    assert isinstance(cause, TaskFailed)
    last = cause.last_failure
    assert last.exception.name == "harness.services.CustomError"
    properties = last.exception.custom_properties()
    assert properties["custom_string"] == "42"
    assert properties["custom_int"] == 42
    assert properties["custom_double"] == 42.0
    assert properties["custom_list"] == list(range(10))
    assert last.previous is not None
    assert last.previous.exception.name == last.exception.name
    assert (last.previous.retry_index, last.retry_index) == (0, 1)
    assert (last.previous.seconds_before_retry, last.seconds_before_retry) == (1.0, None)
