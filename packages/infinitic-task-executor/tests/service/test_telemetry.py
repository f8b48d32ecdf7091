"""What a watched worker is told of attempts."""

from typing import Protocol, cast

import attrs
import pytest
from host_doubles import Host
from service_doubles import Tasks

from infinitic_common import batch, delegated, name
from infinitic_common.configuration import BatchConfiguration
from infinitic_common.messages import ExecuteTask
from infinitic_common.telemetry import AttemptWatch, Telemetry
from infinitic_task_executor import ServiceExecutor

TASKS = Tasks("Work")


class Work(Protocol):
    def work(self, size: int) -> str: ...
    def hand_over(self) -> str: ...
    def double(self, number: int) -> int: ...


class WorkImpl(Work):
    def work(self, size: int) -> str:
        if not size:
            raise ZeroDivisionError
        return "x" * size

    @delegated
    def hand_over(self) -> str:
        return ""

    def double(self, number: int) -> int:
        return 2 * number

    @batch
    @name("double")
    def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
        return {key: 2 * number for key, number in numbers.items()}


@attrs.define
class Watch:
    """Notes what it is told of one attempt."""

    told: list[tuple[str, ...]]

    def begin(self) -> None:
        self.told.append(("begin",))

    def enter(self) -> None:
        self.told.append(("enter",))

    def ended(self, outcome: str, error: BaseException | None = None) -> None:
        self.told.append((outcome,) if error is None else (outcome, type(error).__name__))


@attrs.define(eq=False)
class WatchedHost(Host):
    """A worker that is watched."""

    told: list[tuple[str, ...]] = attrs.field(factory=list[tuple[str, ...]])

    @property
    def telemetry(self) -> Telemetry:
        return cast("Telemetry", self)  # of it only this is used

    def attempt(self, task: ExecuteTask) -> AttemptWatch:
        del task
        return Watch(self.told)


async def told_of(message: ExecuteTask, **options: object) -> list[tuple[str, ...]]:
    host = WatchedHost()
    executor = ServiceExecutor(Work, WorkImpl, **options)  # type: ignore[arg-type]  # any of them
    await executor.start(host)
    assert not await host.transport.deliver(message)
    await executor.stop(1.0)
    return host.told


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (TASKS.asked("work", 1), [("enter",), ("completed",)]),
        (TASKS.asked("hand_over"), [("enter",), ("delegated",)]),
        (TASKS.asked("work", 0), [("enter",), ("retried", "ZeroDivisionError")]),
        (TASKS.asked("work", 0, retry_index=1), [("enter",), ("failed", "ZeroDivisionError")]),
        (TASKS.asked("work", 20_000), [("enter",), ("failed", "PayloadTooLarge")]),
        (
            TASKS.asked("work", 0, meta={"large": b"x" * 20_000}),
            [("enter",), ("failed", "ZeroDivisionError")],
        ),
        (TASKS.asked("work", "text"), [("enter",), ("failed", "DeserializationError")]),
        (TASKS.asked("none"), [("failed", "MethodNotFound")]),
    ],
    ids=["value", "delegated", "again", "no more", "large", "large again", "arguments", "method"],
)
async def test_the_outcome_of_an_attempt_is_what_is_reported(
    message: ExecuteTask, told: list[tuple[str, ...]]
) -> None:
    def once(attempt: int, _exception: Exception) -> float | None:
        return 1.0 if attempt == 0 else None

    assert await told_of(message, retry=once) == told


async def test_the_code_of_a_batch_is_not_that_of_one_attempt() -> None:
    full = BatchConfiguration(max_messages=1, max_seconds=1000.0)

    assert await told_of(TASKS.asked("double", 1), batch=full) == [("begin",), ("completed",)]
