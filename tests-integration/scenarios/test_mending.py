"""Code that fails at odd places, or has changed, and what mends it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from harness.deployment import Deployment, worker_on, workflow_components

from infinitic_client import AsyncDeferred
from infinitic_common import (
    Channel,
    Deferred,
    DeferredException,
    DeferredStatus,
    TaskFailed,
    Workflow,
    WorkflowExecutorFailed,
    WorkflowFailed,
    channel,
    check_mode,
    get_workflow_by_id,
    new_service,
    version,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXCEPTIONS: dict[str, BaseException] = {
    "exit": SystemExit(3),
    "interrupt": KeyboardInterrupt(),
    "generator": GeneratorExit(),
    "cancelled": asyncio.CancelledError(),
    "memory": MemoryError(),
    "recursion": RecursionError("deep"),
    "group": BaseExceptionGroup("many", [KeyboardInterrupt(), ValueError("x")]),
}
BROKEN: set[str] = set()
CALLED: Counter[str] = Counter()


class Works(Protocol):
    def call(self, key: str) -> str: ...
    def raises(self, kind: str) -> str: ...
    async def raises_later(self, kind: str) -> str: ...


class WorksImpl(Works):
    def call(self, key: str) -> str:
        CALLED[key] += 1
        if key in BROKEN:
            raise LookupError(key)
        return key

    def raises(self, kind: str) -> str:
        raise EXCEPTIONS[kind]

    async def raises_later(self, kind: str) -> str:
        raise EXCEPTIONS[kind]


class Fragile(Protocol):
    def tasks_raise(self, kind: str) -> list[str]: ...
    def code_raises(self, kind: str) -> str: ...
    async def coroutine_raises(self, kind: str) -> str: ...
    def last(self) -> datetime: ...
    def cleans_up(self, key: str) -> str: ...
    def asks_late(self, key: str) -> str: ...
    def asks_itself_late(self, key: str) -> str: ...
    def calls(self, key: str) -> str: ...


class FragileImpl(Workflow, Fragile):
    works = new_service(Works)

    def __init__(self) -> None:
        if "constructor" in BROKEN:
            raise LookupError

    def tasks_raise(self, kind: str) -> list[str]:
        found: list[str] = []
        for method in (self.works.raises, self.works.raises_later):
            try:
                self.dispatch(method, kind).result()
            except TaskFailed as error:
                found.append(error.last_failure.exception.name.split(".")[-1])
        return found

    def code_raises(self, kind: str) -> str:
        raise EXCEPTIONS[kind]

    async def coroutine_raises(self, kind: str) -> str:
        raise EXCEPTIONS[kind]

    def last(self) -> datetime:
        return self.timer(datetime.max.replace(tzinfo=UTC)).result()

    def cleans_up(self, key: str) -> str:
        try:
            return self.works.call(key)
        finally:
            self.works.call(f"{key} cleaned")

    def asks_late(self, key: str) -> str:
        called = self.dispatch(self.works.call, key)
        return self._late(called)

    def asks_itself_late(self, key: str) -> str:
        itself = get_workflow_by_id(Fragile, self.workflow_id)
        return self._late(self.dispatch(itself.calls, key))

    def calls(self, key: str) -> str:
        return self.works.call(key)

    def _late(self, called: Deferred[str]) -> str:
        """Wait for what has ended meanwhile, which leaves nothing in the history."""
        _ = (called | self.timer(timedelta(milliseconds=20))).result()
        return called.result()


class Changing(Protocol):
    go: Channel[str] = channel()

    def run(self, text: str) -> str: ...


class ChangingImpl(Workflow, Changing):
    works = new_service(Works)

    def run(self, text: str) -> str:
        first = self.works.call(f"{text}1")
        self.go.receive(limit=1).result()
        return first + self.works.call(f"{text}2")


class Argument(Workflow, Changing):
    works = new_service(Works)

    def run(self, text: str) -> str:
        first = self.works.call(f"{text}other")
        self.go.receive(limit=1).result()
        return first + self.works.call(f"{text}3")


@check_mode("strict")
class StrictArgument(Argument, Changing):
    pass


class Shorter(Workflow, Changing):
    def run(self, text: str) -> str:
        return text


class Longer(Workflow, Changing):
    works = new_service(Works)

    def run(self, text: str) -> str:
        _ = self.works.call(f"{text}1"), self.timer(timedelta(0))
        return self.go.receive(limit=1).result()


@version(7)
class Seventh(Workflow, Changing):
    def run(self, text: str) -> str:
        return f"7{text}"


SERVICES = [(Works, WorksImpl)]
WORKFLOWS = [(Fragile, FragileImpl)]


@pytest.mark.parametrize("kind", EXCEPTIONS)
async def test_whatever_a_task_raises_fails_that_task_alone(
    deployment: Deployment, kind: str
) -> None:
    client = deployment.client
    name = type(EXCEPTIONS[kind]).__name__
    assert await client.call(client.new_workflow(Fragile).tasks_raise, kind) == [name, name]


@pytest.mark.parametrize("method", ["code_raises", "coroutine_raises"])
@pytest.mark.parametrize("kind", EXCEPTIONS)
async def test_whatever_the_code_of_a_workflow_raises_fails_that_run_alone(
    deployment: Deployment, method: str, kind: str
) -> None:
    client = deployment.client
    with pytest.raises(WorkflowFailed, match=type(EXCEPTIONS[kind]).__name__) as raised:
        await client.call(getattr(client.new_workflow(Fragile), method), kind)
    assert isinstance(raised.value.cause, WorkflowExecutorFailed)


async def test_a_constructor_that_fails_is_mended_and_the_run_begins(
    deployment: Deployment,
) -> None:
    client = deployment.client
    BROKEN.add("constructor")
    started = await client.dispatch(client.new_workflow(Fragile).cleans_up, "made")
    with pytest.raises(WorkflowFailed, match="no instance of version 0 of workflow Fragile"):
        await started.result()
    BROKEN.clear()
    await started.retry()
    assert await started.result() == "made"


async def test_what_finally_waited_for_runs_again_after_the_task_is_mended(
    deployment: Deployment,
) -> None:
    client, key = deployment.client, f"finally {deployment.mode.name}"
    BROKEN.add(key)
    started = await client.dispatch(client.new_workflow(Fragile).cleans_up, key)
    with pytest.raises(WorkflowFailed, match="LookupError"):
        await started.result()
    assert CALLED[f"{key} cleaned"] == 1
    BROKEN.clear()


@pytest.mark.parametrize("method", ["asks_late", "asks_itself_late"])
@pytest.mark.parametrize("by_id", [False, True])
async def test_a_failure_that_was_there_before_its_wait_is_mended(
    deployment: Deployment, method: str, *, by_id: bool
) -> None:
    client, key = deployment.client, f"late {method} {by_id} {deployment.mode.name}"
    BROKEN.add(key)
    started = await client.dispatch(getattr(client.new_workflow(Fragile), method), key)
    await deployment.elapse(50)
    with pytest.raises(WorkflowFailed, match="LookupError") as raised:
        await started.result(timedelta(seconds=5))
    BROKEN.clear()
    running = client.get_workflow_by_id(Fragile, started.id)
    if by_id:
        await client.retry_tasks(running, _failed_task(raised.value))
    else:
        await client.retry_tasks(running, status=DeferredStatus.FAILED)
    await deployment.elapse(50)
    assert await started.result(timedelta(seconds=5)) == key


def _failed_task(failed: DeferredException | None) -> str:
    while isinstance(failed, WorkflowFailed):
        failed = failed.cause
    assert isinstance(failed, TaskFailed)
    return failed.task_id


async def test_a_timer_at_the_last_instant_there_is_can_be_ended(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Fragile).last)
    await deployment.elapse(10)
    await client.complete_timers(client.get_workflow_by_id(Fragile, started.id))
    assert (await started.result()).year == 9999


# --- changed code --------------------------------------------------------------------------------


async def test_arguments_may_change_in_the_default_mode(deployment: Deployment) -> None:
    started = await _waiting(deployment, "free ")
    async with _hosting(deployment, Argument):
        assert await started.result(timedelta(seconds=5)) == "free 1free 3"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (StrictArgument, "position 0: history has task Works.call .* with other arguments"),
        (Shorter, "position 0: history has task Works.call .* nothing more"),
        (Longer, "position 2: history has a receive on channel go .* a timer"),
        (Seventh, r"version 0, which is not registered here \(registered: 7\)"),
    ],
)
async def test_changed_code_is_told_and_the_old_goes_on(
    deployment: Deployment, changed: type, told: str
) -> None:
    started = await _waiting(deployment, "a")
    async with _hosting(deployment, changed):
        with pytest.raises(WorkflowFailed, match=told):
            await started.result(timedelta(seconds=5))
    async with _hosting(deployment, ChangingImpl, Seventh):
        await started.retry()
        assert await started.result(timedelta(seconds=5)) == "a1a2"
        client = deployment.client
        assert await client.call(client.new_workflow(Changing).run, "b") == "7b"


async def _waiting(deployment: Deployment, text: str) -> AsyncDeferred[str]:
    """A run that waits for a signal, which comes when nobody hosts it."""
    client = deployment.client
    async with _hosting(deployment, ChangingImpl):
        started = await client.dispatch(client.new_workflow(Changing).run, text)
        await deployment.elapse(10)
    await client.send(client.get_workflow_by_id(Changing, started.id).go, "now")
    return started


@asynccontextmanager
async def _hosting(deployment: Deployment, *implementations: type) -> AsyncIterator[None]:
    components = workflow_components(deployment.mode, Changing, *implementations)
    async with worker_on(deployment.ground, components):
        yield
