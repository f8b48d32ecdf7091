"""EVENTS-08: what becomes of the tasks, timers and workflows that a workflow waits for."""

import pytest

from events.contents import ENCODED_META, Told, content_of_run, data_of, fails, task_of
from events.programs import TAGS, Orders
from infinitic_common import WorkflowFailed

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]


async def test_events_08_tasks_and_timers(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).later, "pen")
    await started.result()
    for memory in told.memories:
        task_id = await task_of(memory, started.id)
        heard = await memory.until_heard(
            started.id,
            "workflow.taskCompleted",
            "workflow.timerDispatched",
            "workflow.timerCompleted",
        )
        assert content_of_run(heard["workflow.taskCompleted"], started.id, "later") == {
            "taskId": task_id,
            "taskName": "count",
            "serviceName": "Stock",
            "taskMeta": ENCODED_META,
            "output": 3,
        }
        timer = content_of_run(heard["workflow.timerDispatched"], started.id, "later")
        assert set(timer) == {"timerId", "emittedAt", "timerDuration"}
        assert timer["timerDuration"] == 30
        completed = content_of_run(heard["workflow.timerCompleted"], started.id, "later")
        assert completed == {"timerId": timer["timerId"]}


async def test_events_08_a_task_fails_or_is_late(told: Told) -> None:
    client = told.client
    broken = await client.dispatch(client.new_workflow(Orders).broken, "pen")
    await fails(broken)
    late = await client.dispatch(client.new_workflow(Orders).forgotten, "pen")
    assert await late.result() == "forgotten"
    for memory in told.memories:
        heard = await memory.until_heard(broken.id, "workflow.taskFailed", "workflow.methodFailed")
        content = content_of_run(heard["workflow.taskFailed"], broken.id, "broken")
        assert set(content) == {"failure", "taskId", "taskName", "serviceName"}
        cause = data_of(heard["workflow.methodFailed"])["methodFailed"]["taskFailed"]
        assert cause["taskId"] == content["taskId"]
        heard = await memory.until_heard(late.id, "workflow.taskTimedOut")
        task_id = await task_of(memory, late.id)
        assert content_of_run(heard["workflow.taskTimedOut"], late.id, "forgotten") == {
            "taskId": task_id,
            "taskName": "forgotten",
            "serviceName": "Stock",
        }


async def test_events_08_a_child_completes(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).parent, "pen")
    assert await started.result() == 3
    for memory in told.memories:
        heard = await memory.until_heard(
            started.id, "workflow.remoteMethodDispatched", "workflow.remoteMethodCompleted"
        )
        sent = content_of_run(heard["workflow.remoteMethodDispatched"], started.id, "parent")
        child = sent["workflowId"]
        expected = {
            "workflowName": "Orders",
            "workflowId": child,
            "methodName": "order",
            "methodId": child,
        }
        tags = {"workflowTags": sorted(TAGS), "workflowMeta": ENCODED_META}
        assert sent == {**expected, **tags, "methodArgs": ["pen"]}
        content = content_of_run(heard["workflow.remoteMethodCompleted"], started.id, "parent")
        assert content == {**expected, "output": 3}
        start = (await memory.until_heard(child, "workflow.dispatch"))["workflow.dispatch"]
        assert data_of(start)["requester"]["workflowId"] == started.id


async def test_events_08_a_child_fails_is_cancelled_or_late(told: Told) -> None:
    client = told.client
    failing = await client.dispatch(client.new_workflow(Orders).parent_of_broken, "pen")
    await fails(failing)
    waiting = await client.dispatch(client.new_workflow(Orders).parent_of_waiting)
    sent = await told.single.until_heard(waiting.id, "workflow.remoteMethodDispatched")
    child = data_of(sent["workflow.remoteMethodDispatched"])["remoteMethodDispatched"]["workflowId"]
    await told.single.until_heard(child, "workflow.executorCompleted")
    await client.cancel(client.get_workflow_by_id(Orders, child))
    with pytest.raises(WorkflowFailed):
        await waiting.result()
    late = await client.dispatch(client.new_workflow(Orders).parent_of_impatient)
    assert await late.result() == "impatient"
    keys = {"workflowName", "workflowId", "methodName", "methodId"}
    for memory in told.memories:
        heard = await memory.until_heard(failing.id, "workflow.remoteMethodFailed")
        content = content_of_run(
            heard["workflow.remoteMethodFailed"], failing.id, "parent_of_broken"
        )
        assert set(content) == keys | {"taskFailed"}
        heard = await memory.until_heard(waiting.id, "workflow.remoteMethodCanceled")
        content = content_of_run(
            heard["workflow.remoteMethodCanceled"], waiting.id, "parent_of_waiting"
        )
        assert set(content) == keys
        assert content["workflowId"] == child
        heard = await memory.until_heard(
            late.id, "workflow.remoteMethodTimedOut", "workflow.remoteMethodDispatched"
        )
        content = content_of_run(
            heard["workflow.remoteMethodTimedOut"], late.id, "parent_of_impatient"
        )
        assert set(content) == keys
        sent_late = content_of_run(
            heard["workflow.remoteMethodDispatched"], late.id, "parent_of_impatient"
        )
        assert sent_late["timeout"] == 30


async def test_events_08_an_unknown_workflow(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).asks_nobody)
    assert await started.result() == "nobody"
    for memory in told.memories:
        heard = await memory.until_heard(started.id, "workflow.remoteMethodUnknown")
        content = content_of_run(heard["workflow.remoteMethodUnknown"], started.id, "asks_nobody")
        assert set(content) == {"workflowName", "workflowId", "methodName", "methodId"}
        assert content["workflowId"] == "nobody"
        assert content["methodName"] == "note"
