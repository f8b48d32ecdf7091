"""EVENTS-05: what clients and other workflows ask of a workflow."""

import pytest

from events.contents import COMMAND_KEYS, ENCODED_META, STATE, Told, check_envelope, data_of, fails
from events.hearing import Memory, until
from events.programs import META, TAGS, Orders
from infinitic_common import DeferredStatus, WorkflowCanceled

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]


async def test_events_05_a_start(told: Told) -> None:
    client = told.client
    stub = client.new_workflow(Orders, tags=TAGS, meta=META)
    started = await client.dispatch(stub.order, "pen")
    await started.result()
    for memory in told.memories:
        heard = await memory.until_heard(started.id, "workflow.dispatch", "workflow.dispatchMethod")
        check_envelope(heard["workflow.dispatch"], STATE, started.id)
        data = data_of(heard["workflow.dispatch"])
        assert set(data) == COMMAND_KEYS | {"dispatch"}
        assert data["requester"] == {"clientName": client.name}
        assert data["dispatch"] == {"workflowTags": sorted(TAGS), "workflowMeta": ENCODED_META}
        data = data_of(heard["workflow.dispatchMethod"])
        assert set(data) == COMMAND_KEYS | {"dispatchMethod", "workflowVersion"}
        assert data["dispatchMethod"] == {
            "methodName": "order",
            "methodId": started.id,
            "methodArgs": ["pen"],
        }


async def test_events_05_a_method_and_a_signal(told: Told) -> None:
    client = told.client
    started = await client.dispatch(client.new_workflow(Orders).approved)
    running = client.get_workflow_by_id(Orders, started.id)
    method = await client.dispatch(running.note, "read")
    assert await method.result() == "read"
    signal = await client.dispatch(running.approvals.send, "yes")
    assert await started.result() == "yes"
    for memory in told.memories:
        heard = await memory.until_heard(started.id, "workflow.signal", "workflow.completed")
        data = data_of(heard["workflow.signal"])
        assert set(data) == COMMAND_KEYS | {"signal"}
        assert data["signal"] == {
            "channel": "approvals",
            "signalId": signal.id,
            "signalData": "yes",
        }
        asked = {"methodName": "note", "methodId": method.id, "methodArgs": ["read"]}
        await _until_asked(memory, started.id, asked)


async def _until_asked(memory: Memory, workflow_id: str, content: object) -> None:
    def contents() -> list[object]:
        asked = [e for e in memory.about(workflow_id) if e.get_type() == "workflow.dispatchMethod"]
        return [data_of(event)["dispatchMethod"] for event in asked]

    await until(lambda: content in contents(), contents)


async def test_events_05_cancellations(told: Told) -> None:
    client = told.client
    started = await client.dispatch(client.new_workflow(Orders).approved)
    running = client.get_workflow_by_id(Orders, started.id)
    method = await client.dispatch(running.approved)
    await told.single.until_heard(started.id, "workflow.executorDispatched")
    await method.cancel()
    await client.cancel(running)
    with pytest.raises(WorkflowCanceled):
        await started.result()
    for memory in told.memories:
        heard = await memory.until_heard(started.id, "workflow.cancel", "workflow.cancelMethod")
        check_envelope(heard["workflow.cancel"], STATE, started.id)
        assert set(data_of(heard["workflow.cancel"])) == COMMAND_KEYS
        assert data_of(heard["workflow.cancelMethod"])["cancelMethod"] == {"methodId": method.id}


async def test_events_05_retries_by_hand(told: Told) -> None:
    client = told.client
    started = await client.dispatch(client.new_workflow(Orders).broken, "pen")
    await fails(started)
    running = client.get_workflow_by_id(Orders, started.id)
    await client.retry_tasks(running, service="Stock", status=DeferredStatus.FAILED)
    buggy = await client.dispatch(client.new_workflow(Orders).buggy)
    await fails(buggy)
    await client.retry_workflow_task(client.get_workflow_by_id(Orders, buggy.id))
    for memory in told.memories:
        heard = await memory.until_heard(started.id, "workflow.retryTask")
        content = data_of(heard["workflow.retryTask"])["retryTask"]
        assert set(content) == {"taskId", "taskStatus", "serviceName"}
        assert content["serviceName"] == "Stock"
        heard = await memory.until_heard(buggy.id, "workflow.retryExecutor")
        assert set(data_of(heard["workflow.retryExecutor"])) == COMMAND_KEYS


async def test_events_05_waiting_is_no_event(told: Told) -> None:
    client = told.client
    started = await client.dispatch(client.new_workflow(Orders).later, "pen")
    assert await started.result() == 3
    expected = {
        "workflow.dispatch",
        "workflow.dispatchMethod",
        "workflow.executorDispatched",
        "workflow.executorCompleted",
        "workflow.taskDispatched",
        "workflow.taskCompleted",
        "workflow.timerDispatched",
        "workflow.timerCompleted",
        "workflow.methodCompleted",
        "workflow.completed",
    }
    for memory in told.memories:
        await memory.until_heard(started.id, *expected)
        assert memory.types(started.id) == expected
