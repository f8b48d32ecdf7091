"""What is undone when a trip fails or is cancelled, in every mode of the gate."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone
from sagas.programs import BROKEN, JOURNAL, Trips

from infinitic_client import AsyncInfiniticClient
from infinitic_common import DeferredStatus, TaskFailed, WorkflowCanceled, WorkflowFailed

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]


async def _until(deployment: Deployment, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await deployment.elapse(5)


async def _status(client: AsyncInfiniticClient, workflow_id: str) -> str | None:
    return await client.get_status(client.get_workflow_by_id(Trips, workflow_id))


async def _until_status(deployment: Deployment, workflow_id: str, status: str) -> None:
    async with asyncio.timeout(20):
        while await _status(deployment.client, workflow_id) != status:
            await deployment.elapse(5)


async def test_what_ends_well_stays(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).book, ["flight", "hotel"])
    assert await started.result() == ["flight", "hotel"]
    assert JOURNAL[started.id] == ["flight", "hotel"]


async def test_a_failure_undoes_the_last_first(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).book, ["flight", "hotel", "nothing"])
    with pytest.raises(WorkflowFailed) as raised:
        await started.result()
    assert isinstance(raised.value.cause, TaskFailed)
    assert raised.value.cause.method_name == "book"
    assert JOURNAL[started.id] == ["flight", "hotel", "no nothing", "no hotel", "no flight"]


async def test_coroutines_undo_with_coroutines(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).book_async, ["flight", "nothing"])
    await _until(deployment, lambda: "no flight" in JOURNAL[started.id])
    with pytest.raises(WorkflowFailed):
        await started.result()
    assert JOURNAL[started.id] == ["flight", "no nothing", "no flight"]


async def test_what_undoes_by_a_signal_is_sent_though_the_run_fails(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).undo_by_signal, ["room"])
    with pytest.raises(WorkflowFailed, match="there is none"):
        await started.result()
    state = await client.get_state(client.get_workflow_by_id(Trips, started.id))
    child = cast("dict[str, Any]", state)["methods"][0]["children"][0]["id"]
    await _until_status(deployment, child, "COMPLETED")


async def test_what_is_undone_without_a_wait_counts_though_the_run_fails(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).undo_here)
    with pytest.raises(WorkflowFailed, match="there is none"):
        await started.result()
    running = client.get_workflow_by_id(Trips, started.id)
    assert await client.get_property(running, "forgotten") is True
    await _until(deployment, lambda: JOURNAL[started.id] == ["no all"])


async def test_a_cancellation_tells_at_once_and_undoes_then(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).book_then_wait, ["flight", "hotel"])
    await _until(deployment, lambda: JOURNAL[started.id] == ["flight", "hotel"])
    await started.cancel()
    with pytest.raises(WorkflowCanceled):
        await started.result()
    await state_is_gone(deployment, started.id)
    assert JOURNAL[started.id] == ["flight", "hotel", "no hotel", "no flight"]
    assert await _status(client, started.id) == "CANCELED"


@pytest.mark.parametrize("method", ["wait_async", "tidy"])
async def test_finally_acts_on_a_cancellation(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Trips), method))
    await _until_status(deployment, started.id, "WAITING")
    await started.cancel()
    with pytest.raises(WorkflowCanceled):
        await started.result()
    await state_is_gone(deployment, started.id)
    assert len(JOURNAL[started.id]) == 1


async def test_a_cancellation_waits_for_what_is_undone_already(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).undo_on_signal)
    running = client.get_workflow_by_id(Trips, started.id)
    await _until_status(deployment, started.id, "WAITING")
    await deployment.elapse(50)
    await started.cancel()
    with pytest.raises(WorkflowCanceled):
        await started.result()
    await started.cancel()
    await deployment.elapse(50)
    assert await _status(client, started.id) == "WAITING"
    await client.send(running.go, "late")
    await state_is_gone(deployment, started.id)
    assert JOURNAL[started.id] == ["no late"]


async def test_sagas_inside_sagas(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).nested)
    with pytest.raises(WorkflowFailed):
        await started.result()
    assert JOURNAL[started.id] == ["no inner", "no outer"]


async def test_a_cancelled_parent_and_its_child_both_undo(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).with_child)
    before = set(JOURNAL)
    await _until(deployment, lambda: bool(set(JOURNAL) - before - {started.id}))
    [child] = set(JOURNAL) - before - {started.id}
    await _until_status(deployment, child, "WAITING")
    await started.cancel()
    with pytest.raises(WorkflowCanceled):
        await started.result()
    await state_is_gone(deployment, started.id)
    await state_is_gone(deployment, child)
    assert JOURNAL[started.id] == ["no parent"]
    assert JOURNAL[child] == ["child", "no child"]


async def test_all_runs_of_a_cancelled_workflow_undo(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).with_branch)
    await _until(deployment, lambda: JOURNAL[started.id] == ["branch"])
    await _until_status(deployment, started.id, "WAITING")
    await started.cancel()
    await state_is_gone(deployment, started.id)
    assert sorted(JOURNAL[started.id]) == ["branch", "no branch", "no main"]


async def test_code_that_goes_on_after_failures_is_cancelled_all_the_same(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).stubborn)
    await _until_status(deployment, started.id, "WAITING")
    await started.cancel()
    await state_is_gone(deployment, started.id)
    assert JOURNAL[started.id] == []


async def test_what_cannot_be_undone_is_retried_and_the_rest_follows(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Trips).book_then_wait, ["flight", "hotel"])
    await _until(deployment, lambda: JOURNAL[started.id] == ["flight", "hotel"])
    await _until_status(deployment, started.id, "WAITING")
    BROKEN.set()
    await started.cancel()
    await _until_status(deployment, started.id, "HAS_FAILED_TASK")
    BROKEN.clear()
    running = client.get_workflow_by_id(Trips, started.id)
    await client.retry_tasks(running, status=DeferredStatus.FAILED)
    await state_is_gone(deployment, started.id)
    assert JOURNAL[started.id] == ["flight", "hotel", "no hotel", "no flight"]
