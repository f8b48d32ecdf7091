"""TAGS: workflows that are found by tag."""

import uuid

import pytest
from harness.deployment import Deployment
from harness.services import TAGS
from harness.states import tagged_are
from harness.workflows.tags import Tagged

from infinitic_client import AsyncInfiniticClient
from infinitic_common import DeferredStatus, WorkflowCanceled, WorkflowFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _tag() -> str:
    return f"tag {uuid.uuid4()}"


async def test_tags_01_a_workflow_knows_its_tags(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Tagged, tags=TAGS).own_tags) == TAGS


async def test_tags_02_a_cancelled_workflow_has_its_tag_no_more(deployment: Deployment) -> None:
    client, tag = deployment.client, _tag()
    tagged = client.get_workflow_by_tag(Tagged, tag)
    started = await client.dispatch(client.new_workflow(Tagged, tags={tag, "bar"}).wait)
    assert await client.get_ids(tagged) == {started.id}
    await client.cancel(tagged)
    await tagged_are(deployment, tagged, 0)
    with pytest.raises(WorkflowCanceled):
        await started.result()


async def test_tags_02_a_completed_workflow_has_its_tags_no_more(deployment: Deployment) -> None:
    client, tags = deployment.client, {_tag(), _tag()}
    started = await client.dispatch(client.new_workflow(Tagged, tags=tags).own_id)
    assert await started.result() == started.id
    for tag in tags:
        await tagged_are(deployment, client.get_workflow_by_tag(Tagged, tag), 0)


async def test_tags_02_all_of_a_tag_are_cancelled(deployment: Deployment) -> None:
    client, tag = deployment.client, _tag()
    tagged = client.get_workflow_by_tag(Tagged, tag)
    started = [
        await client.dispatch(client.new_workflow(Tagged, tags={tag}).wait) for _ in range(4)
    ]
    assert await client.get_ids(tagged) == {each.id for each in started}
    await client.cancel(tagged)
    for each in started:
        with pytest.raises(WorkflowCanceled):
            await each.result()
    await tagged_are(deployment, tagged, 0)


async def test_tags_02_an_unknown_tag_has_no_ids(client: AsyncInfiniticClient) -> None:
    tagged = client.get_workflow_by_tag(Tagged, _tag())
    assert await client.get_ids(tagged) == frozenset()
    await client.cancel(tagged)


async def test_a_method_is_dispatched_by_tag(deployment: Deployment) -> None:
    client, tag = deployment.client, _tag()
    started = [
        await client.dispatch(client.new_workflow(Tagged, tags={tag}).receive) for _ in range(2)
    ]
    tagged = client.get_workflow_by_tag(Tagged, tag)
    _ = await client.dispatch(tagged.add, "x")
    await deployment.elapse(500)
    await client.send(tagged.A, "-")
    assert [await each.result() for each in started] == ["-x", "-x"]


async def test_failed_tasks_are_tried_again_by_tag(deployment: Deployment) -> None:
    client, tag = deployment.client, _tag()
    stub = client.new_workflow(Tagged, tags={tag})
    started = [await client.dispatch(stub.ok_on_manual_retry) for _ in range(2)]
    await deployment.elapse(1500)
    for each in started:
        with pytest.raises(WorkflowFailed):
            await each.result()
    await client.retry_tasks(client.get_workflow_by_tag(Tagged, tag), status=DeferredStatus.FAILED)
    await deployment.elapse(500)
    assert [await each.result() for each in started] == ["ok", "ok"]


async def test_a_workflow_calls_a_method_by_tag(deployment: Deployment) -> None:
    client, tag = deployment.client, _tag()
    other = await client.dispatch(client.new_workflow(Tagged, tags={tag}).receive)
    assert await client.call(client.new_workflow(Tagged).call_by_tag, tag) == "x"
    await client.send(client.get_workflow_by_id(Tagged, other.id).A, "-")
    assert await other.result() == "-x"


async def test_a_workflow_calls_a_method_by_a_tag_that_none_has(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Tagged).call_by_tag, _tag()) == "unknown"
