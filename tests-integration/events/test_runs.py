"""EVENTS-09: what becomes of workflows and their runs, and what these do."""

import pytest

from events.contents import (
    EVENT_KEYS,
    STATE,
    Told,
    check_envelope,
    content_of_run,
    data_of,
    fails,
    task_of,
)
from events.hearing import Memory, until
from events.programs import Orders, Stock
from infinitic_common import WorkflowCanceled
from infinitic_common.codec import to_plain
from infinitic_common.events import EventPublisher, WorkflowEvent, workflow_events

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]


async def test_events_09_a_workflow_completes(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).order, "pen")
    await started.result()
    for memory in told.memories:
        heard = await memory.until_heard(
            started.id,
            "workflow.taskDispatched",
            "workflow.methodCompleted",
            "workflow.completed",
        )
        task = content_of_run(heard["workflow.taskDispatched"], started.id, "order")
        assert set(task) == {
            "serviceName",
            "taskName",
            "taskArgs",
            "taskId",
            "taskMeta",
            "taskTags",
            "retrySequence",
        }
        run = data_of(heard["workflow.methodCompleted"])["methodCompleted"]
        assert run == {"methodId": started.id, "methodName": "order", "output": 3}
        check_envelope(heard["workflow.completed"], STATE, started.id)
        assert set(data_of(heard["workflow.completed"])) == EVENT_KEYS
        for name in ("workflow.methodCompleted", "workflow.completed"):
            assert heard[name].get_extension("duration").startswith("PT")
        ids = [event.get_id() for event in memory.about(started.id)]
        assert len(ids) == len(set(ids))


async def test_events_09_a_workflow_is_cancelled(told: Told) -> None:
    client = told.client
    started = await client.dispatch(client.new_workflow(Orders).approved)
    await told.single.until_heard(started.id, "workflow.executorCompleted")
    await client.cancel(client.get_workflow_by_id(Orders, started.id))
    with pytest.raises(WorkflowCanceled):
        await started.result()
    for memory in told.memories:
        heard = await memory.until_heard(started.id, "workflow.canceled", "workflow.methodCanceled")
        assert set(data_of(heard["workflow.canceled"])) == EVENT_KEYS
        content = data_of(heard["workflow.methodCanceled"])["methodCanceled"]
        assert content == {"methodId": started.id, "methodName": "approved"}
        assert "workflow.completed" not in heard


async def test_events_09_a_run_fails(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).broken, "pen")
    await fails(started)
    for memory in told.memories:
        heard = await memory.until_heard(started.id, "workflow.methodFailed")
        content = data_of(heard["workflow.methodFailed"])["methodFailed"]
        assert set(content) == {"methodId", "methodName", "taskFailed"}
        assert "workflow.completed" not in heard


async def test_events_09_a_signal_is_received_or_discarded(told: Told) -> None:
    client = told.client
    started = await client.dispatch(client.new_workflow(Orders).ordered, "pen")
    task_id = await task_of(told.single, started.id)
    running = client.get_workflow_by_id(Orders, started.id)
    unwanted = await client.dispatch(running.offers.send, "early")
    await told.single.until_heard(started.id, "workflow.signalDiscarded")
    method = await client.dispatch(running.offered)
    await until(lambda: _ran(told.single, started.id, method.id))
    wanted = await client.dispatch(running.offers.send, "now")
    assert await method.result() == "now"
    await client.complete_delegated_task(Stock, task_id, 7, method="ordered")
    await started.result()
    for memory in told.memories:
        heard = await memory.until_heard(
            started.id, "workflow.signalDiscarded", "workflow.signalReceived"
        )
        discarded, received = (
            data_of(heard[f"workflow.{name}"])[name]
            for name in ("signalDiscarded", "signalReceived")
        )
        assert discarded["signalId"] == unwanted.id
        assert received["signalId"] == wanted.id


def _ran(memory: Memory, workflow_id: str, method_id: str) -> bool:
    """Whether the code of a run has waited."""
    ran = [e for e in memory.about(workflow_id) if e.get_type() == "workflow.executorCompleted"]
    return method_id in [data_of(event)["methodId"] for event in ran]


async def test_events_09_a_workflow_signals_and_asks_another(told: Told) -> None:
    client = told.client
    other = await client.dispatch(client.new_workflow(Orders).approved)
    asking = await client.dispatch(client.new_workflow(Orders).asks, other.id)
    assert await asking.result() == "asked"
    sending = await client.dispatch(client.new_workflow(Orders).sends, other.id)
    await sending.result()
    assert await other.result() == "sent"
    for memory in told.memories:
        heard = await memory.until_heard(asking.id, "workflow.remoteMethodDispatched")
        content = content_of_run(heard["workflow.remoteMethodDispatched"], asking.id, "asks")
        method_id = content["methodId"]
        assert content == {
            "workflowName": "Orders",
            "workflowId": other.id,
            "methodName": "note",
            "methodId": method_id,
            "methodArgs": ["asked"],
        }
        heard = await memory.until_heard(sending.id, "workflow.signalDispatched")
        content = content_of_run(heard["workflow.signalDispatched"], sending.id, "sends")
        signal_id = content["signalId"]
        assert content == {
            "workflowName": "Orders",
            "workflowId": other.id,
            "channel": "approvals",
            "signalId": signal_id,
            "signalData": "sent",
        }
        heard = await memory.until_heard(other.id, "workflow.signalReceived", "workflow.signal")
        assert data_of(heard["workflow.signalReceived"])["signalReceived"]["signalId"] == signal_id
        assert data_of(heard["workflow.signal"])["requester"]["workflowId"] == sending.id


async def test_events_09_what_is_done_by_tag_is_told_of_each_workflow_by_itself(told: Told) -> None:
    client = told.client
    both = [
        await client.dispatch(client.new_workflow(Orders, tags={"twin"}).approved) for _ in "12"
    ]
    twins = client.get_workflow_by_tag(Orders, "twin")
    _ = await client.dispatch(twins.note, "both")  # by tag: nothing to wait for
    for started in both:
        await told.single.until_heard(started.id, "workflow.methodCompleted")
    await client.send(twins.approvals, "both")
    for memory in told.memories:
        for started in both:
            await memory.until_heard(started.id, "workflow.signalReceived", "workflow.completed")
        ids = [event.get_id() for started in both for event in memory.about(started.id)]
        assert len(ids) == len(set(ids))


async def test_events_09_a_run_whose_time_is_over_has_a_type(told: Told) -> None:
    # No engine of this release ends a run by itself: what a later one tells is understood.
    transport = told.shop.deployment.ground.transport
    event = WorkflowEvent(
        "workflow.methodTimedOut", "id", transport.now(), "timed-out", b"", "run", "order", 1
    )
    publisher = EventPublisher(transport, "later")
    await publisher.finish(publisher.begin({workflow_events("Orders"): [to_plain(event)]}))
    for memory in told.memories:
        heard = await memory.until_heard("timed-out", "workflow.methodTimedOut")
        content = data_of(heard["workflow.methodTimedOut"])["methodTimedOut"]
        assert content == {"methodId": "run", "methodName": "order"}
