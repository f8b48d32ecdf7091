"""Every event of many workflows reaches every listener, on Pulsar and Postgres."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from harness.deployment import Deployment
from harness.modes import Mode, opened

from events.contents import data_of
from events.hearing import Heard, orders, stock, until
from events.programs import Orders
from infinitic_client import AsyncInfiniticClient
from infinitic_common.component import Component
from infinitic_worker import EventListener

pytestmark = pytest.mark.timeout(240)

MODE = Mode("pulsar-postgres", "pulsar", "postgres")
WORKFLOWS = 100
LIMIT_SECONDS = 60.0
METHODS = ("later", "shaky")
ALWAYS = {
    "workflow.dispatch": 1,
    "workflow.dispatchMethod": 1,
    "workflow.taskDispatched": 1,
    "workflow.taskCompleted": 1,
    "workflow.methodCompleted": 1,
    "workflow.completed": 1,
}
OF_WORKFLOW = {
    "later": {
        **ALWAYS,
        "workflow.executorDispatched": 3,
        "workflow.executorCompleted": 3,
        "workflow.timerDispatched": 1,
        "workflow.timerCompleted": 1,
    },
    "shaky": {**ALWAYS, "workflow.executorDispatched": 2, "workflow.executorCompleted": 2},
}
OF_TASK = {
    "later": {"task.dispatch": 1, "task.started": 1, "task.completed": 1},
    "shaky": {
        "task.dispatch": 2,
        "task.started": 2,
        "task.retryScheduled": 1,
        "task.completed": 1,
    },
}


@asynccontextmanager
async def _running(*listeners: Component) -> AsyncIterator[Deployment]:
    async with opened(MODE) as ground, AsyncInfiniticClient(transport=ground.transport) as client:
        running = Deployment(MODE, client, ground)
        async with running.worker(*stock(), *orders(MODE), *listeners):
            yield running


def _listener(heard: Heard, subscription_name: str | None = None) -> EventListener:
    return EventListener(
        heard,
        concurrency=4,
        subscription_name=subscription_name,
        service_list_refresh_seconds=0.5,
        workflow_list_refresh_seconds=0.5,
    )


def _differences(heard: Heard, methods: dict[str, str]) -> dict[str, dict[str, int]]:
    """What was told more or less often than it must be, of each workflow and its task."""
    told: dict[str, Counter[str]] = {workflow_id: Counter() for workflow_id in methods}
    expected = {each: OF_WORKFLOW[method] for each, method in methods.items()}
    distinct = {(event.get_source(), event.get_id()): event for event in list(heard.events)}
    for event in distinct.values():
        subject = str(event.get_subject())
        told.setdefault(subject, Counter())[event.get_type()] += 1
        if event.get_type() == "workflow.taskDispatched":
            task_id = data_of(event)["taskDispatched"]["taskId"]
            expected[task_id] = OF_TASK[methods[subject]]
            told.setdefault(task_id, Counter())
    return {each: dict(n) for each, n in told.items() if n != expected.get(each)}


async def test_a_listener_is_told_every_event_of_a_hundred_workflows() -> None:
    heard = Heard()
    async with _running(_listener(heard)) as running:
        stub = running.client.new_workflow(Orders)
        methods: dict[str, str] = {}
        for method in METHODS * (WORKFLOWS // len(METHODS)):
            started = await running.client.dispatch(getattr(stub, method), "pen")
            methods[started.id] = method
        await until(
            lambda: not _differences(heard, methods),
            lambda: list(_differences(heard, methods).items())[:5],
            LIMIT_SECONDS,
        )
    place = r"pulsar(\+ssl)?://.+/(services/executor/Stock|workflows/(stateEngine|executor)/Orders)"
    assert all(re.fullmatch(place, event.get_source()) for event in heard.events)


async def test_a_new_subscription_name_gets_everything_again() -> None:
    first, late = Heard(), Heard()
    async with _running(_listener(first)) as running:
        started = await running.client.dispatch(running.client.new_workflow(Orders).order, "pen")
        await first.until_heard(started.id, "workflow.completed")
        async with running.worker(_listener(late, "listener-late")):
            await late.until_heard(started.id, "workflow.dispatch", "workflow.completed")
