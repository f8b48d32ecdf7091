"""What executors tell of attempts."""

import asyncio
from typing import Protocol

import pytest
from service_doubles import FAILURE, Tasks, started, until

from infinitic_common import Task, delegated, retry
from infinitic_common.codec import decode
from infinitic_common.events import EncodedValue, TaskEvent
from infinitic_common.messages import ExecuteTask, TaskCompleted, TaskFailed
from infinitic_common.serialization import decode_untyped
from infinitic_task_executor import ServiceExecutor

released = asyncio.Event()


class Sums(Protocol):
    def add(self, a: int, b: int) -> int: ...
    async def later(self, a: int) -> int: ...
    def shaky(self) -> int: ...
    def broken(self) -> int: ...
    def elsewhere(self) -> int: ...
    async def lasting(self) -> int: ...


def in_three_seconds(attempt: int, exception: Exception) -> float:  # noqa: ARG001 - the policy's
    return 3.0


class SumsImpl:
    def add(self, a: int, b: int) -> int:
        Task.meta["left"] = b"here"
        return a + b

    async def later(self, a: int) -> int:
        return a

    @retry(in_three_seconds)
    def shaky(self) -> int:
        msg = "not yet"
        raise ValueError(msg)

    def broken(self) -> int:
        msg = "never"
        raise ValueError(msg)

    @delegated
    def elsewhere(self) -> int:
        return 5

    async def lasting(self) -> int:
        await released.wait()
        return 6


TASKS = Tasks("Sums")


async def told(asked: ExecuteTask, *, events: bool = True) -> list[TaskEvent]:
    """What is told of an attempt, whatever order it leaves in."""
    async with started(ServiceExecutor(Sums, SumsImpl, events=events)) as host:
        assert not await host.transport.deliver(asked)
        return [event for event in host.transport.told if isinstance(event, TaskEvent)]


@pytest.mark.parametrize("method", ["add", "later"])
async def test_executor_01_an_attempt_is_started_then_completed(method: str) -> None:
    arguments = (2, 3) if method == "add" else (5,)
    asked = TASKS.asked(method, *arguments, tags=frozenset("x"), retry_sequence=1, retry_index=2)
    start, end = await told(asked)
    assert (start.type, end.type) == ("task.started", "task.completed")
    assert start.id == f"{asked.message_id}/started"
    for event in (start, end):
        assert (event.task_id, event.service_name, event.method_name) == ("t", "Sums", method)
        assert (event.retry_sequence, event.retry_index, event.tags) == (1, 2, frozenset("x"))
        assert event.requester == asked.requester
    value = decode(end.body)
    assert isinstance(value, TaskCompleted)
    assert end.id == value.message_id
    assert decode_untyped(value.value) == 5
    assert start.duration_ms is None
    assert end.duration_ms is not None


async def test_executor_09_the_start_of_an_attempt_that_lasts_is_told_before_its_end() -> None:
    released.clear()
    async with started(ServiceExecutor(Sums, SumsImpl)) as host:
        delivery = asyncio.create_task(host.transport.deliver(TASKS.asked("lasting")))
        await until(lambda: bool(host.transport.told))
        assert [event.type for event in host.transport.told] == ["task.started"]
        assert not host.transport.published
        released.set()
        await delivery

    assert [event.type for event in host.transport.told] == ["task.started", "task.completed"]


async def test_the_end_of_a_task_tells_the_meta_that_its_code_left() -> None:
    _, end = await told(TASKS.asked("add", 1, 2))
    assert end.meta == {"left": b"here"}


async def test_retries_01_an_attempt_that_is_made_again_tells_when_and_is_dispatched() -> None:
    asked = TASKS.asked("shaky")
    start, retried, again = await told(asked)
    assert [event.type for event in (start, retried, again)] == [
        "task.started",
        "task.retryScheduled",
        "task.dispatch",
    ]
    message = decode(retried.body)
    assert isinstance(message, ExecuteTask)
    assert message.last_failure is not None
    assert message.last_failure.seconds_before_retry == 3.0
    assert (again.id, again.retry_index) == (message.message_id, 1)
    assert retried.id != again.id


async def test_a_failed_attempt_tells_its_failure() -> None:
    start, failed = await told(TASKS.asked("broken", last_failure=FAILURE))
    assert (start.type, failed.type) == ("task.started", "task.failed")
    message = decode(failed.body)
    assert isinstance(message, TaskFailed)
    assert message.failure.exception.message == "never"


async def test_delegated_02_what_the_code_of_a_delegated_task_returned_is_told() -> None:
    _, end = await told(TASKS.asked("elsewhere"))
    assert end.type == "task.delegationCompleted"
    value = decode(end.body)
    assert isinstance(value, EncodedValue)
    assert decode_untyped(value.value) == 5


async def test_executor_06_a_method_that_is_not_there_is_started_and_failed() -> None:
    start, failed = await told(TASKS.asked("missing"))
    assert (start.type, failed.type) == ("task.started", "task.failed")


async def test_a_task_delivered_again_tells_the_same_events() -> None:
    first = await told(TASKS.asked("add", 1, 2))
    again = await told(TASKS.asked("add", 1, 2))
    assert [event.id for event in first] == [event.id for event in again]


async def test_nothing_is_told_where_events_are_off() -> None:
    assert await told(TASKS.asked("add", 1, 2), events=False) == []
