"""Every event of many workflows reaches a listener, on Pulsar and Postgres."""

import asyncio

import pytest
from harness.deployment import Deployment
from harness.modes import Mode, opened

from events.hearing import Heard, orders, stock, until
from events.programs import Orders
from infinitic_client import AsyncInfiniticClient
from infinitic_worker import EventListener

WORKFLOWS = 100
OF_WORKFLOW = frozenset(
    f"workflow.{name}"
    for name in (
        "dispatch",
        "dispatchMethod",
        "executorDispatched",
        "executorCompleted",
        "taskDispatched",
        "taskCompleted",
        "timerDispatched",
        "timerCompleted",
        "methodCompleted",
        "completed",
    )
)
OF_TASK = frozenset({"task.dispatch", "task.started", "task.completed"})


def _missing(heard: Heard, ids: list[str]) -> dict[str, set[str]]:
    """What was not told yet, of each workflow and its task."""
    told: dict[str, set[str]] = {workflow_id: set() for workflow_id in ids}
    tasks: dict[str, str] = {}
    for event in list(heard.events):
        told.setdefault(str(event.get_subject()), set()).add(event.get_type())
        data = event.get_data()
        if event.get_type() == "workflow.taskDispatched" and isinstance(data, dict):
            tasks[data["taskDispatched"]["taskId"]] = str(event.get_subject())
    missing = {each: set(OF_WORKFLOW - told[each]) for each in ids}
    for task_id, workflow_id in tasks.items():
        missing[workflow_id] |= OF_TASK - told.get(task_id, set())
    return {each: names for each, names in missing.items() if names}


@pytest.mark.timeout(240)
async def test_a_listener_is_told_every_event_of_a_hundred_workflows() -> None:
    heard = Heard()
    listener = EventListener(
        heard,
        concurrency=4,
        service_list_refresh_seconds=0.5,
        workflow_list_refresh_seconds=0.5,
    )
    mode = Mode("pulsar-postgres", "pulsar", "postgres")
    async with opened(mode) as ground, AsyncInfiniticClient(transport=ground.transport) as client:
        running = Deployment(mode, client, ground)
        async with running.worker(*stock(), *orders(mode), listener):
            stub = client.new_workflow(Orders)
            started = await asyncio.gather(
                *(client.dispatch(stub.later, "pen") for _ in range(WORKFLOWS))
            )
            results = await asyncio.gather(*(each.result() for each in started))
            assert results == [3] * WORKFLOWS
            ids = [each.id for each in started]
            await until(lambda: not _missing(heard, ids), lambda: _missing(heard, ids), 60)
        assert {e.get_subject() for e in heard.events if e.get_type() == "workflow.completed"} == {
            *ids
        }
        sources = {event.get_source() for event in heard.events}
        assert all(source.startswith("pulsar") and "//" in source for source in sources)
