"""EVENTS-01, -02 and -10: what is told of tasks."""

import pytest
from cloudevents.core.v1.event import CloudEvent

from events.contents import (
    ENCODED_META,
    SERVICE,
    TASK_KEYS,
    Told,
    check_envelope,
    content_of_run,
    data_of,
    fails,
    task_of,
)
from events.hearing import Memory, until
from events.programs import TAGS, Orders, Stock

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]


async def test_events_01_a_task_is_dispatched(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).order, "pen")
    assert await started.result() == 3
    for memory in told.memories:
        task_id = await task_of(memory, started.id)
        event = (await memory.until_heard(task_id, "task.dispatch"))["task.dispatch"]
        check_envelope(event, SERVICE, task_id)
        data = data_of(event)
        assert set(data) == TASK_KEYS | {"taskArgs", "requester"}
        assert data["taskArgs"] == ["pen"]
        assert data["taskTags"] == sorted(TAGS)
        assert data["taskMeta"] == ENCODED_META
        assert (data["retrySequence"], data["retryIndex"]) == (0, 0)
        assert data["requester"] == {
            "workflowName": "Orders",
            "workflowId": started.id,
            "workflowVersion": 0,
            "methodName": "order",
            "methodId": started.id,
        }


async def test_events_01_both_listeners_are_told_of_one_event(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).order, "pen")
    await started.result()
    ids: list[set[str]] = []
    for memory in told.memories:
        task_id = await task_of(memory, started.id)
        await memory.until_heard(task_id, "task.dispatch")
        ids.append(set(_by_id(memory, task_id, "task.dispatch")))
    assert len(ids[0]) == 1
    assert ids[0] == ids[1]


async def test_events_10_a_task_dispatch_names_its_method(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).order, "pen")
    await started.result()
    task_id = await task_of(told.single, started.id)
    heard = await told.single.until_heard(task_id, "task.dispatch")
    assert data_of(heard["task.dispatch"])["taskName"] == "count"
    assert data_of(heard["task.dispatch"])["serviceName"] == "Stock"


async def test_events_02_a_task_that_completes(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).order, "pen")
    await started.result()
    for memory in told.memories:
        task_id = await task_of(memory, started.id)
        heard = await memory.until_heard(task_id, "task.dispatch", "task.started", "task.completed")
        assert set(heard) == {"task.dispatch", "task.started", "task.completed"}
        for event in heard.values():
            check_envelope(event, SERVICE, task_id)
        assert set(data_of(heard["task.started"])) == TASK_KEYS | {"workerName", "requester"}
        completed = heard["task.completed"]
        assert set(data_of(completed)) == TASK_KEYS | {"workerName", "requester", "output"}
        assert data_of(completed)["output"] == 3
        duration = completed.get_extension("duration")
        assert isinstance(duration, str)
        assert duration.startswith("PT")
        assert len({event.get_id() for event in heard.values()}) == 3


async def test_events_02_a_task_that_is_tried_again(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).shaky, "pen")
    assert await started.result() == 3
    for memory in told.memories:
        task_id = await task_of(memory, started.id)
        heard = await memory.until_heard(task_id, "task.retryScheduled", "task.completed")
        retried = data_of(heard["task.retryScheduled"])
        assert retried["secondsBeforeRetry"] == 0.01
        assert retried["retryIndex"] == 0
        error = retried["failure"]["error"]
        assert error["name"].endswith("OutOfStockError")
        assert error["message"] == "no pen"
        assert error["customProperties"] == {"item": "pen"}
        assert "OutOfStockError" in retried["failure"]["stackTrace"]
        for kind in ("task.dispatch", "task.started"):
            assert await _two_attempts(memory, task_id, kind) == [0, 1]


def _by_id(memory: Memory, subject: str, kind: str) -> dict[str, CloudEvent]:
    """What was told, however often."""
    return {e.get_id(): e for e in memory.about(subject) if e.get_type() == kind}


async def _two_attempts(memory: Memory, task_id: str, kind: str) -> list[int]:
    """The numbers of the attempts that two events tell of."""
    await until(lambda: len(_by_id(memory, task_id, kind)) > 1)
    return sorted(data_of(event)["retryIndex"] for event in _by_id(memory, task_id, kind).values())


async def test_events_02_a_task_that_fails(told: Told) -> None:
    started = await told.client.dispatch(told.client.new_workflow(Orders).broken, "pen")
    await fails(started)
    for memory in told.memories:
        task_id = await task_of(memory, started.id)
        heard = await memory.until_heard(task_id, "task.failed", "task.retryScheduled")
        check_envelope(heard["task.failed"], SERVICE, task_id)
        data = data_of(heard["task.failed"])
        assert set(data) == TASK_KEYS | {"workerName", "requester", "failure"}
        assert data["retryIndex"] == 1
        assert data["failure"]["error"]["message"] == "no pen"
        assert data["failure"]["previousFailure"]["retryIndex"] == 0
        assert "task.completed" not in heard


async def test_events_02_a_delegated_task(told: Told) -> None:
    client = told.client
    started = await client.dispatch(client.new_workflow(Orders).ordered, "pen")
    task_id = await task_of(told.single, started.id)
    heard = await told.single.until_heard(task_id, "task.delegationCompleted")
    data = data_of(heard["task.delegationCompleted"])
    assert set(data) == TASK_KEYS | {"workerName", "requester", "output"}
    assert data["output"] == 103
    await client.complete_delegated_task(Stock, task_id, 7, method="ordered")
    assert await started.result() == 7
    completed = await told.single.until_heard(started.id, "workflow.taskCompleted")
    content = content_of_run(completed["workflow.taskCompleted"], started.id, "ordered")
    assert content["output"] == 7
    assert "task.completed" not in told.single.types(task_id)
