"""EVENTS-04: what is told of workflow tasks, where executors run them and where engines do."""

import pytest

from events.contents import (
    EXECUTOR,
    TASK_KEYS,
    Told,
    check_envelope,
    content_of_run,
    data_of,
    fails,
)
from events.hearing import Memory, until
from events.programs import Orders

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]


async def test_events_04_workflow_tasks_of_executors(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).order, "pen")
    await started.result()
    if not told.mode.remote:
        heard = await told.single.until_heard(
            started.id, "workflow.executorDispatched", "workflow.executorCompleted"
        )
        content = content_of_run(heard["workflow.executorDispatched"], started.id, "order")
        assert content["taskId"]
        return
    for memory in told.memories:
        ids = await _workflow_tasks(memory, started.id)
        for task_id in ids:
            heard = await memory.until_heard(
                task_id, "task.dispatch", "task.started", "task.completed"
            )
            for event in heard.values():
                check_envelope(event, EXECUTOR, task_id)
                data = data_of(event)
                assert set(data) >= TASK_KEYS
                assert data["serviceName"] == "infinitic.workflow.Executor"
                assert data["taskName"] == "handle"
                assert ("workerName" in data) == (event.get_type() != "task.dispatch")
            assert heard["task.completed"].get_extension("duration").startswith("PT")
            requester = data_of(heard["task.dispatch"])["requester"]
            assert requester["workflowId"] == started.id


async def test_events_04_a_workflow_task_that_fails(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).buggy)
    await fails(started)
    for memory in told.memories:
        heard = await memory.until_heard(
            started.id, "workflow.methodFailed", "workflow.executorFailed"
        )
        failed = data_of(heard["workflow.methodFailed"])["methodFailed"]
        assert failed["executorFailed"]["failure"]["error"]["message"] == "no luck"
        content = content_of_run(heard["workflow.executorFailed"], started.id, "buggy")
        assert content["failure"]["error"]["name"].endswith("OutOfStockError")
        if not told.mode.remote:
            continue
        (task_id,) = await _workflow_tasks(memory, started.id)
        task = await memory.until_heard(task_id, "task.failed")
        check_envelope(task["task.failed"], EXECUTOR, task_id)
        assert data_of(task["task.failed"])["failure"]["error"]["message"] == "no luck"


async def _workflow_tasks(memory: Memory, workflow_id: str) -> set[str]:
    def ids() -> set[str]:
        return {
            str(event.get_subject())
            for event in list(memory.events)
            if event.get_source() == EXECUTOR
            and event.get_type() == "task.dispatch"
            and data_of(event)["requester"]["workflowId"] == workflow_id
        }

    await until(ids)
    return ids()
