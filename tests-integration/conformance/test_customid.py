"""CUSTOMID: workflows of which one may run at a time."""

import asyncio
import uuid

import pytest
from harness.deployment import Deployment
from harness.states import tagged_are
from harness.workflows.tags import Tagged

from infinitic_client import AsyncInfiniticClient
from infinitic_common import WorkflowCanceled, WorkflowExecutorFailed, WorkflowFailed
from infinitic_common.exceptions import MultipleCustomId

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _custom_id() -> str:
    return f"customId:{uuid.uuid4()}"


async def test_customid_01_the_second_start_is_that_of_the_first(deployment: Deployment) -> None:
    client, custom_id, tag = deployment.client, _custom_id(), f"tag {uuid.uuid4()}"
    tagged = client.get_workflow_by_tag(Tagged, tag)
    stub = client.new_workflow(Tagged, tags={tag, custom_id})
    first, second = await client.dispatch(stub.wait), await client.dispatch(stub.wait)
    assert first.id == second.id
    assert await tagged_are(deployment, tagged, 1) == {first.id}
    await client.cancel(tagged)
    await tagged_are(deployment, tagged, 0)
    for each in (first, second):
        with pytest.raises(WorkflowCanceled):
            await each.result()


async def test_customid_01_both_get_the_result(client: AsyncInfiniticClient) -> None:
    stub = client.new_workflow(Tagged, tags={_custom_id()})
    calls = [asyncio.create_task(client.call(stub.receive)) for _ in range(3)]
    first = await client.dispatch(stub.receive)
    await client.send(client.get_workflow_by_id(Tagged, first.id).A, "test")
    assert await asyncio.gather(*calls, first.result()) == ["test"] * 4


async def test_customid_01_it_is_found_by_its_custom_id(client: AsyncInfiniticClient) -> None:
    custom_id = _custom_id()
    started = await client.dispatch(client.new_workflow(Tagged, tags={custom_id}).receive)
    by_tag = client.get_workflow_by_tag(Tagged, custom_id)
    assert await client.get_ids(by_tag) == {started.id}
    await client.send(by_tag.A, "test")
    assert await started.result() == "test"


async def test_customid_01_both_get_the_failure(deployment: Deployment) -> None:
    client = deployment.client
    stub = client.new_workflow(Tagged, tags={_custom_id()})
    started = [await client.dispatch(stub.ok_on_manual_retry) for _ in range(2)]
    await deployment.elapse(1500)
    for each in started:
        with pytest.raises(WorkflowFailed):
            await each.result()


async def test_customid_03_two_custom_ids_are_refused(client: AsyncInfiniticClient) -> None:
    with pytest.raises(MultipleCustomId):
        client.new_workflow(Tagged, tags={"customId:a", "customId:b"})


async def test_customid_03_two_custom_ids_are_refused_in_a_workflow(
    client: AsyncInfiniticClient,
) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await client.call(client.new_workflow(Tagged).child_with_two_custom_ids)
    cause = raised.value.cause
    assert isinstance(cause, WorkflowExecutorFailed)
    assert cause.last_failure.exception.name.endswith("MultipleCustomId")


async def test_customid_04_a_custom_id_is_free_again_after_the_end(
    deployment: Deployment,
) -> None:
    client = deployment.client
    stub = client.new_workflow(Tagged, tags={_custom_id()})
    ids = set()
    for _ in range(3):
        started = await client.dispatch(stub.own_id)
        assert await started.result() == started.id
        ids.add(started.id)
        await deployment.elapse(500)
    assert len(ids) == 3


async def test_customid_04_a_custom_id_is_free_again_after_a_cancellation(
    deployment: Deployment,
) -> None:
    client = deployment.client
    stub = client.new_workflow(Tagged, tags={_custom_id()})
    first = await client.dispatch(stub.wait)
    await first.cancel()
    with pytest.raises(WorkflowCanceled):
        await first.result()
    await deployment.elapse(500)
    second = await client.dispatch(stub.own_id)
    assert second.id != first.id
    assert await second.result() == second.id


@pytest.mark.parametrize("method", ["child_with", "child_with_awaited"])
async def test_customid_01_a_parent_that_is_second_gets_the_result(
    deployment: Deployment, method: str
) -> None:
    client, custom_id = deployment.client, _custom_id()
    first = await client.dispatch(client.new_workflow(Tagged, tags={custom_id}).receive)
    parent = await client.dispatch(getattr(client.new_workflow(Tagged), method), custom_id)
    # Nobody tells when the parent has asked.
    await deployment.elapse(500)
    await client.send(client.get_workflow_by_id(Tagged, first.id).A, "test")
    assert await first.result() == "test"
    assert await parent.result() == "test"


async def test_customid_01_parents_share_the_child(deployment: Deployment) -> None:
    client, custom_id = deployment.client, _custom_id()
    stub = client.new_workflow(Tagged)
    parents = [await client.dispatch(stub.child_with, custom_id) for _ in range(2)]
    # Nobody tells when the second one has asked.
    await deployment.elapse(500)
    ids = await client.get_ids(client.get_workflow_by_tag(Tagged, custom_id))
    assert len(ids) == 1
    await client.send(client.get_workflow_by_tag(Tagged, custom_id).A, "test")
    assert [await parent.result() for parent in parents] == ["test", "test"]
