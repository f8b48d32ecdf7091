"""Messages are measured by topic and kind, wherever components read them."""

import asyncio

import pytest
from observability.measured import Measured
from observability.programs import Orders
from observability.watched import watched

HANDLING = "infinitic.consumer.message.handling"
DESERIALIZATION = "infinitic.consumer.message.deserialization"
PROCESSING = "infinitic.consumer.message.processing"


def _of(topic: str) -> dict[str, str]:
    return {"worker_name": "metrics-worker", "topic": f"inmemory://{topic}"}


async def test_metrics_01_messages_of_a_workflow_with_a_task_are_measured_by_topic(
    measured: Measured,
) -> None:
    tasks = _of("workflow-executor:Orders")
    async with watched(remote=True, meter_provider=measured.provider) as client:
        await client.call(client.new_workflow(Orders).process, "order-1")
        # A message is acknowledged a moment after its effects are seen.
        async with asyncio.timeout(30):
            while measured.value(HANDLING, **tasks) < 3:  # noqa: ASYNC110 - it must be asked
                await asyncio.sleep(0.01)
    handled = {
        labels["topic"]: number
        for labels, number in measured.points(HANDLING)
        if labels["worker_name"] == "metrics-worker"
    }
    # Three workflow tasks and two tasks, one of which is attempted twice.
    assert handled == {
        "inmemory://workflow-state-cmd:Orders": 1,
        "inmemory://workflow-state-engine:Orders": 5,
        "inmemory://workflow-executor:Orders": 3,
        "inmemory://service-executor:Payments": 2,
        "inmemory://service-executor-retry:Payments": 1,
    }
    for topic, kind in (
        ("workflow-executor:Orders", "ExecuteWorkflowTask"),
        ("service-executor:Payments", "ExecuteTask"),
    ):
        expected = handled[f"inmemory://{topic}"]
        assert measured.value(DESERIALIZATION, **_of(topic)) == expected
        assert measured.value(PROCESSING, **_of(topic), message_type=kind) == expected
    for name in (HANDLING, DESERIALIZATION):
        assert {frozenset(labels) for labels, _ in measured.points(name)} == {
            frozenset({"worker_name", "topic"})
        }


@pytest.mark.parametrize("remote", [False, True], ids=["local", "remote"])
async def test_tasks_and_workflows_are_measured_by_name_and_outcome(
    measured: Measured, *, remote: bool
) -> None:
    async with watched(remote=remote, meter_provider=measured.provider) as client:
        await client.call(client.new_workflow(Orders).process, "order-1")
        stalled = await client.dispatch(client.new_workflow(Orders).fail, "order-2")
        with pytest.raises(Exception, match="Declined"):
            await stalled.result()
    charged = {"service": "Payments", "method": "charge_later"}
    duration = "infinitic.task.duration"
    assert measured.value(duration, **charged, outcome="retried") == 1
    assert measured.value(duration, **charged, outcome="completed") == 1
    assert measured.value("infinitic.task.retries", **charged) == 1
    assert measured.value("infinitic.task.errors", method="decline", error="Declined") == 1
    order = {"workflow": "Orders", "method": "process"}
    assert measured.value("infinitic.workflow.duration", **order, outcome="completed") == 1
    assert measured.value("infinitic.workflow.stalls", workflow="Orders", method="fail") == 1
    assert measured.value("infinitic.workflow.state.size") >= 1
    assert measured.value("infinitic.cache.reads", cache="engine", result="hit") >= 1
    assert measured.value("infinitic.cache.reads", cache="engine", result="miss") >= 1
