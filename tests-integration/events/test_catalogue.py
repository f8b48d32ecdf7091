"""The events of the catalogue, end to end."""

from contextlib import suppress

import pytest
from cloudevents.core.formats.json import JSONFormat

from events.listening import Scene
from events.shop import Orders, Stock
from infinitic_common.exceptions import WorkflowCanceled, WorkflowFailed
from infinitic_common.ids import derived_id

SERVICE = "inMemory/services/executor/Stock"
EXECUTOR = "inMemory/workflows/executor/Orders"
ENGINE = "inMemory/workflows/stateEngine/Orders"


async def test_events_01_a_dispatched_task_is_told(scene: Scene) -> None:
    client = scene.client
    await client.call(client.new_workflow(Orders).order, "abc")
    event = await scene.told.first("task.dispatch")
    assert event.get_source() == SERVICE
    assert event.get_subject() == event.get_id()  # the first dispatch of a task has its id
    assert event.get_datacontenttype() == "application/json"
    assert event.get_specversion() == "1.0"
    assert event.get_data()["taskArgs"] == ["abc"]
    assert event.get_data()["requester"]["workflowName"] == "Orders"


async def test_events_02_attempts_of_tasks_are_told(scene: Scene) -> None:
    client = scene.client
    await client.call(client.new_workflow(Orders).order, "abc")
    with pytest.raises(WorkflowFailed):
        await client.call(client.new_workflow(Orders).failing, "abc")
    retried = await scene.told.first("task.retryScheduled")
    failed = await scene.told.first("task.failed")
    completed = await scene.told.first("task.completed")
    started = await scene.told.first("task.started")
    for event in (retried, failed, completed, started):
        assert event.get_source() == SERVICE
        assert event.get_data()["serviceName"] == "Stock"
        assert event.get_data()["workerName"] == scene.transport.name
    assert retried.get_data()["secondsBeforeRetry"] == pytest.approx(0.01)
    assert retried.get_data()["failure"]["error"]["name"].endswith("OutOfStockError")
    assert failed.get_data()["failure"]["secondsBeforeRetry"] is None
    assert completed.get_data()["output"] == 3
    assert completed.get_extension("duration").startswith("PT")
    # Each attempt is dispatched once, also one that is a retry.
    task_id = retried.get_subject()
    of_task = [e for e in scene.told.of("task.dispatch") if e.get_subject() == task_id]
    assert [e.get_data()["retryIndex"] for e in of_task] == [0, 1]


async def test_events_03_a_delegated_task_tells_what_its_code_returned(scene: Scene) -> None:
    client = scene.client
    deferred = await client.dispatch(client.new_workflow(Orders).waiting, "abcd")
    event = await scene.told.first("task.delegationCompleted")
    assert event.get_data()["output"] == 4
    await client.complete_delegated_task(Stock, event.get_subject(), 7)
    assert await deferred == 7
    received = await scene.told.first("workflow.taskCompleted")
    assert received.get_data()["taskCompleted"]["output"] == 7


async def test_events_04_workflow_tasks_that_travel_are_told(remote: Scene) -> None:
    client = remote.client
    await client.call(client.new_workflow(Orders).note, "hello")
    completed = await remote.told.first("task.completed")
    dispatched = await remote.told.first("task.dispatch")
    started = await remote.told.first("task.started")
    for event in (completed, dispatched, started):
        assert event.get_source() == EXECUTOR
        assert event.get_data()["serviceName"] == "infinitic.workflow.Executor"
        assert event.get_data()["taskName"] == "handle"
    assert {e.get_subject() for e in (completed, dispatched, started)} == {started.get_subject()}
    engine = await remote.told.first("workflow.executorCompleted")
    assert engine.get_data()["executorCompleted"]["taskId"] == started.get_subject()
    await remote.told.first("workflow.executorDispatched")


async def test_events_05_commands_are_told(scene: Scene) -> None:
    client = scene.client
    deferred = await client.dispatch(
        client.new_workflow(Orders, tags={"foo"}, meta={"a": b"b"}).approved
    )
    stub = client.get_workflow_by_id(Orders, deferred.id)
    await client.call(stub.note, "beside")
    await client.complete_timers(stub)
    await client.retry_tasks(stub, all=True)
    await client.retry_workflow_task(stub)
    await client.send(stub.approvals, value=True)
    assert await deferred is True
    ended = await client.dispatch(client.new_workflow(Orders).approved)
    await client.cancel(client.get_workflow_by_id(Orders, ended.id))
    with suppress(WorkflowCanceled):
        await ended
    await scene.told.first("workflow.cancel")
    dispatch = await scene.told.first("workflow.dispatch", deferred.id)
    assert dispatch.get_source() == ENGINE
    assert dispatch.get_data()["requester"]["clientName"].startswith(scene.transport.name)
    content = dispatch.get_data()["dispatch"]
    assert content == {"workflowTags": ["foo"], "workflowMeta": {"a": "Yg=="}}
    methods = scene.told.of("workflow.dispatchMethod")
    names = [e.get_data()["dispatchMethod"]["methodName"] for e in methods]
    assert names == ["approved", "note", "approved"]
    signal = await scene.told.first("workflow.signal")
    assert signal.get_data()["signal"]["channel"] == "approvals"
    assert signal.get_data()["signal"]["signalData"] is True
    await scene.told.first("workflow.retryTask")
    await scene.told.first("workflow.retryExecutor")
    types = {event.get_type() for event in scene.told.events.values()}
    assert not {t for t in types if "imers" in t or "wait" in t}


async def test_events_08_what_reaches_the_engine_is_told(scene: Scene) -> None:
    client = scene.client
    await client.call(client.new_workflow(Orders).parent, "abc")
    await client.call(client.new_workflow(Orders).later)
    with pytest.raises(WorkflowFailed):
        await client.call(client.new_workflow(Orders).failing, "abc")
    completed = await scene.told.first("workflow.taskCompleted")
    inner = completed.get_data()["taskCompleted"]
    assert (inner["serviceName"], inner["taskName"], inner["output"]) == ("Stock", "count", 3)
    assert completed.get_data()["methodName"] == "order"
    failed = await scene.told.first("workflow.taskFailed")
    assert failed.get_data()["taskFailed"]["failure"]["error"]["message"] == "abc"
    timer = await scene.told.first("workflow.timerCompleted")
    dispatched = await scene.told.first("workflow.timerDispatched")
    assert dispatched.get_data()["timerDispatched"]["timerDuration"] == 20
    timer_id = timer.get_data()["timerCompleted"]["timerId"]
    assert dispatched.get_data()["timerDispatched"]["timerId"] == timer_id
    # The names are those of the other workflow's method, not of the one that waits.
    remote = await scene.told.first("workflow.remoteMethodCompleted")
    assert remote.get_data()["methodName"] == "parent"
    assert remote.get_data()["remoteMethodCompleted"]["methodName"] == "order"
    assert remote.get_data()["remoteMethodCompleted"]["output"] == 6


async def test_events_09_what_a_workflow_does_is_told(scene: Scene) -> None:
    client = scene.client
    deferred = await client.dispatch(client.new_workflow(Orders).parent, "abc")
    await deferred
    told = scene.told
    completed = await told.first("workflow.completed", deferred.id)
    assert completed.get_source() == ENGINE
    assert completed.get_extension("duration").startswith("PT")
    method = await told.first("workflow.methodCompleted", deferred.id)
    assert method.get_data()["methodCompleted"]["output"] == 6
    child = await told.first("workflow.remoteMethodDispatched")
    content = child.get_data()["remoteMethodDispatched"]
    assert (content["workflowName"], content["methodName"]) == ("Orders", "order")
    assert content["workflowId"] == derived_id(deferred.id, deferred.id, 0)
    task = await told.first("workflow.taskDispatched")
    assert task.get_subject() == content["workflowId"]
    assert task.get_data()["taskDispatched"]["taskArgs"] == ["abc"]
    signalled = await client.dispatch(client.new_workflow(Orders).approved)
    stub = client.get_workflow_by_id(Orders, signalled.id)
    await client.send(stub.approvals, value=True)
    await signalled
    await told.first("workflow.signalReceived", signalled.id)
    await client.send(stub.approvals, value=True)
    discarded = await told.first("workflow.signalDiscarded", signalled.id)
    assert discarded.get_data()["signalDiscarded"]["channel"] == "approvals"
    canceled = await client.dispatch(client.new_workflow(Orders).approved)
    await client.cancel(client.get_workflow_by_id(Orders, canceled.id))
    with suppress(WorkflowCanceled):
        await canceled
    await told.first("workflow.canceled", canceled.id)
    await told.first("workflow.methodCanceled", canceled.id)
    assert not [e for e in told.of("workflow.completed") if e.get_subject() == canceled.id]


async def test_a_stalled_workflow_is_told_with_its_cause(scene: Scene) -> None:
    client = scene.client
    with pytest.raises(WorkflowFailed):
        await client.call(client.new_workflow(Orders).failing, "abc")
    event = await scene.told.first("workflow.methodFailed")
    cause = event.get_data()["methodFailed"]["taskFailed"]
    assert (cause["serviceName"], cause["taskName"]) == ("Stock", "broken")
    await scene.told.first("workflow.executorFailed")


async def test_events_10_a_task_is_named_as_its_method(scene: Scene) -> None:
    client = scene.client
    await client.call(client.new_workflow(Orders).order, "abc")
    event = await scene.told.first("task.dispatch")
    assert event.get_data()["taskName"] == "count"
    written = JSONFormat().write(event)
    assert JSONFormat().read(None, written).get_data() == event.get_data()
