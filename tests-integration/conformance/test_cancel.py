"""CANCEL: workflows that are cancelled."""

import asyncio
import uuid

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone, tagged_are
from harness.workflows.echo import Echo
from harness.workflows.families import Family

from infinitic_client import AsyncInfiniticClient
from infinitic_common import WorkflowCanceled, WorkflowFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_cancel_01_who_waits_is_told(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Family).wait)
    waits = [asyncio.create_task(started.result()) for _ in range(2)]
    await deployment.elapse(100)
    await client.cancel(client.get_workflow_by_id(Family, started.id))
    for wait in waits:
        with pytest.raises(WorkflowCanceled) as raised:
            await wait
        assert (raised.value.workflow_name, raised.value.workflow_id) == ("Family", started.id)
    await state_is_gone(deployment, started.id)


async def test_cancel_01_who_waits_later_is_told(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Family).wait_awaited)
    await deployment.elapse(100)
    await started.cancel()
    await state_is_gone(deployment, started.id)
    with pytest.raises(WorkflowCanceled):
        await started.result()


async def test_cancel_01_right_after_the_start(
    client: AsyncInfiniticClient, deployment: Deployment
) -> None:
    started = await client.dispatch(client.new_workflow(Family).wait)
    await client.cancel(client.get_workflow_by_id(Family, started.id))
    with pytest.raises(WorkflowCanceled):
        await started.result()
    await state_is_gone(deployment, started.id)


async def test_cancel_01_one_method_run_alone(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, started.id)
    second = await client.dispatch(running.receive, "b")

    async def both_wait() -> bool:
        return await client.get_property(running, "log") == "ab"

    await deployment.until(both_wait)
    await second.cancel()
    with pytest.raises(WorkflowCanceled):
        await second.result()
    await client.send(running.A, "c")
    assert await started.result() == "abc"


async def test_cancel_01_an_unknown_workflow_is_ignored(client: AsyncInfiniticClient) -> None:
    await client.cancel(client.get_workflow_by_id(Family, "unknown"))


async def test_cancel_01_twice(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Family).wait)
    for _ in range(2):
        await client.cancel(client.get_workflow_by_id(Family, started.id))
    with pytest.raises(WorkflowCanceled):
        await started.result()


async def test_cancel_02_a_cancelled_child_fails_its_parent(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Family).cancelled_child)
    await deployment.elapse(100)
    with pytest.raises(WorkflowFailed) as raised:
        await started.result()
    cause = raised.value.cause
    assert isinstance(cause, WorkflowCanceled)
    assert cause.workflow_name == "Echo"


async def test_cancel_02_a_parent_catches_it(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Family).cancelled_child_caught)
    await deployment.elapse(100)
    assert await started.result() == "Echo True"


async def test_cancel_04_by_id_to_the_grandchildren(deployment: Deployment) -> None:
    client, tag = deployment.client, f"cancel-{uuid.uuid4()}"
    tagged = client.get_workflow_by_tag(Family, tag)
    started = await client.dispatch(client.new_workflow(Family).waiting_grandchild, tag)
    ids = await tagged_are(deployment, tagged, 2)
    await client.cancel(client.get_workflow_by_id(Family, started.id))
    await tagged_are(deployment, tagged, 0)
    for workflow_id in {started.id, *ids}:
        await state_is_gone(deployment, workflow_id)


async def test_cancel_04_children_are_cancelled_with_their_parent(deployment: Deployment) -> None:
    client, tag = deployment.client, f"cancel-{uuid.uuid4()}"
    tagged = client.get_workflow_by_tag(Family, tag)
    started = await client.dispatch(client.new_workflow(Family, tags={tag}).waiting_child, tag)
    ids = await tagged_are(deployment, tagged, 2)
    assert started.id in ids
    await client.cancel(tagged)
    await tagged_are(deployment, tagged, 0)
    for workflow_id in ids:
        await state_is_gone(deployment, workflow_id)


async def test_what_finally_blocks_do_is_done(deployment: Deployment) -> None:
    client = deployment.client
    other = await client.dispatch(client.new_workflow(Echo).receive, "")
    started = await client.dispatch(client.new_workflow(Family).cleans_up, other.id)
    await deployment.elapse(200)
    await started.cancel()
    assert await other.result() == "cleaned"
    with pytest.raises(WorkflowCanceled):
        await started.result()
