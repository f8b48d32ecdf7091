"""How long an attempt may last, and what happens when it lasts longer."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

import pytest
from service_doubles import Tasks, started, told, until

from infinitic_common import Task, TimeoutPolicy, timeout
from infinitic_common.configuration import UNSET, Unset
from infinitic_common.exceptions import UsageError
from infinitic_common.messages import ExecuteTask, TaskCompleted, TaskFailed
from infinitic_common.policies import FixedTimeout
from infinitic_common.serialization import decode_untyped
from infinitic_task_executor import ServiceExecutor

TASKS = Tasks("Slow")
METHODS = ["on_thread", "on_loop"]

happened: list[str] = []
release = threading.Event()


class Slow(Protocol):
    def on_thread(self, how: str) -> str: ...
    async def on_loop(self, how: str) -> str: ...
    @timeout(timedelta(milliseconds=50))
    def by_contract(self) -> str: ...
    def effective(self) -> float | None: ...


class SlowImpl(Slow):
    def on_thread(self, how: str) -> str:
        if how in ("", "raises", "memory"):
            return _quick(how)
        Task.on_time_out(lambda: happened.append(f"callback {how}"))
        Task.on_time_out(_failing)
        if how == "cooperates":
            while not Task.has_timed_out:
                time.sleep(0.001)
        else:
            release.wait(30)
        happened.append(f"end {how}")
        return "too late"

    async def on_loop(self, how: str) -> str:
        if how in ("", "raises", "memory"):
            return _quick(how)
        over = asyncio.Event()
        Task.on_time_out(lambda: happened.append(f"callback {how}"))
        if how == "cooperates":
            Task.on_time_out(over.set)
        Task.on_time_out(_failing)
        try:
            await over.wait()
        except asyncio.CancelledError:
            happened.append(f"cancelled {how}")
            raise
        happened.append(f"end {how}")
        return "too late"

    def by_contract(self) -> str:
        release.wait(0.1)
        return str(Task.timeout_seconds)

    def effective(self) -> float | None:
        return Task.timeout_seconds


class Impatient(SlowImpl):
    """Only its first task has little time: others end in theirs, however busy the machine is."""

    def timeout_seconds(self) -> float:
        return 0.02 if Task.task_id == "t" else 60.0


def _quick(how: str) -> str:
    if how == "raises":
        raise KeyError(how)
    if how == "memory":
        raise MemoryError(how)
    return "success"


def _failing() -> None:
    raise SystemExit


@pytest.fixture(autouse=True)
async def cleared() -> AsyncIterator[None]:
    """Nothing happened yet, and nothing goes on afterwards."""
    happened.clear()
    release.clear()
    yield
    release.set()
    await until(lambda: not any("service-Slow" in one.name for one in threading.enumerate()))


@pytest.mark.parametrize("method", METHODS)
async def test_timeouts_16_a_body_that_ends_in_time_succeeds(method: str) -> None:
    limit = FixedTimeout(timedelta(seconds=30), timedelta(milliseconds=100))
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=limit)) as host:
        completed = await told(host, TaskCompleted, TASKS.asked(method, ""))

    assert decode_untyped(completed.value) == "success"


@pytest.mark.parametrize("method", METHODS)
async def test_timeouts_17_a_body_that_raises_fails_with_that_very_exception(method: str) -> None:
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=30)) as host:
        failed = await told(host, TaskFailed, TASKS.asked(method, "raises"))

    assert (failed.failure.exception.name, failed.failure.exception.message) == (
        "KeyError",
        "'raises'",
    )


@pytest.mark.parametrize("method", METHODS)
async def test_timeouts_18_a_body_that_lasts_too_long_fails_not_before(method: str) -> None:
    limit = FixedTimeout(timedelta(milliseconds=50), timedelta(milliseconds=10))
    began = time.monotonic()
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=limit)) as host:
        failed = await told(host, TaskFailed, TASKS.asked(method, "sleeps"))
        assert time.monotonic() - began >= 0.05
        release.set()

    assert failed.failure.exception.name.endswith("ExecutionTimedOut")
    assert f"SlowImpl.{method} lasted longer than 0.05 s" in failed.failure.exception.message


@pytest.mark.parametrize("method", METHODS)
async def test_timeouts_19_the_callback_has_run(method: str) -> None:
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=0.02)) as host:
        failed = await told(host, TaskFailed, TASKS.asked(method, "sleeps"))
        assert "callback sleeps" in happened
        release.set()

    assert failed.failure.exception.name.endswith("ExecutionTimedOut")


@pytest.mark.parametrize("method", METHODS)
async def test_timeouts_20_a_body_that_ends_in_the_grace_period_has_failed_too(method: str) -> None:
    limit = FixedTimeout(timedelta(milliseconds=20), timedelta(seconds=30))
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=limit)) as host:
        failed = await told(host, TaskFailed, TASKS.asked(method, "cooperates"))

    assert failed.failure.exception.name.endswith("ExecutionTimedOut")
    assert happened == ["callback cooperates", "end cooperates"]
    assert len(host.transport.messages) == 1


@pytest.mark.parametrize("method", METHODS)
async def test_timeouts_21_a_fatal_error_is_not_swallowed(method: str) -> None:
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=30)) as host:
        failed = await told(host, TaskFailed, TASKS.asked(method, "memory"))

    assert failed.failure.exception.name == "MemoryError"


async def test_timeouts_22_a_coroutine_is_interrupted() -> None:
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=0.05)) as host:
        failed = await told(host, TaskFailed, TASKS.asked("on_loop", "sleeps"))

    assert happened == ["callback sleeps", "cancelled sleeps"]
    assert failed.failure.exception.name.endswith("ExecutionTimedOut")


async def test_timeouts_23_the_place_of_a_thread_that_goes_on_is_given_to_another() -> None:
    async with started(ServiceExecutor(Slow, Impatient)) as host:
        await told(host, TaskFailed, TASKS.asked("on_thread", "sleeps"))
        async with asyncio.timeout(30):
            await told(host, TaskCompleted, TASKS.asked("on_thread", "", task_id="u"))
        assert "end sleeps" not in happened
        release.set()
        await until(lambda: "end sleeps" in happened)
        await told(host, TaskCompleted, TASKS.asked("on_thread", "", task_id="v"))

    assert len(host.transport.messages) == 3


async def test_a_coroutine_that_refuses_to_end_keeps_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infinitic_task_executor._service.coroutines._UNWIND_SECONDS", 0.01)
    goes_on = asyncio.Event()

    class Stubborn(Impatient):
        async def on_loop(self, how: str) -> str:
            while how and not goes_on.is_set():
                try:
                    await goes_on.wait()
                except asyncio.CancelledError:
                    happened.append("refused")
            return "success"

    async with started(ServiceExecutor(Slow, Stubborn)) as host:
        await told(host, TaskFailed, TASKS.asked("on_loop", "sleeps"))
        await told(host, TaskCompleted, TASKS.asked("on_loop", "", task_id="u"))
        goes_on.set()

    assert "refused" in happened


async def test_timeouts_24_the_limit_of_the_executor_without_retry() -> None:
    executor = ServiceExecutor(
        Slow, SlowImpl, timeout_seconds=0.1, retry=lambda attempt, _: 1 if attempt < 0 else None
    )
    async with started(executor) as host:
        failed = await told(host, TaskFailed, TASKS.asked("on_thread", "sleeps"))
        release.set()

    assert failed.failure.exception.name.endswith("ExecutionTimedOut")


@pytest.mark.parametrize("method", METHODS)
async def test_timeouts_25_a_limit_on_the_method(method: str) -> None:
    class Marked(SlowImpl):
        @timeout(timedelta(milliseconds=20))
        def on_thread(self, how: str) -> str:
            return super().on_thread(how)

        @timeout(timedelta(milliseconds=20))
        async def on_loop(self, how: str) -> str:
            return await super().on_loop(how)

    async with started(ServiceExecutor(Slow, Marked)) as host:
        failed = await told(host, TaskFailed, TASKS.asked(method, "sleeps"))
        release.set()

    assert failed.failure.exception.name.endswith("ExecutionTimedOut")


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
async def test_what_a_limited_coroutine_raises_does_not_stop_the_event_loop(
    error: type[BaseException],
) -> None:
    class Raising(SlowImpl):
        async def on_loop(self, how: str) -> str:
            await asyncio.sleep(0)
            raise error(how)

    async with started(ServiceExecutor(Slow, Raising, timeout_seconds=30)) as host:
        failed = await told(host, TaskFailed, TASKS.asked("on_loop", "x"))

    assert failed.failure.exception.name == error.__name__


@pytest.mark.parametrize("method", METHODS)
async def test_what_lasted_too_long_is_retried_by_the_policy(method: str) -> None:
    def decide(_attempt: int, exception: Exception) -> float | None:
        return 2.0 if isinstance(exception, TimeoutError) and Task.has_timed_out else None

    executor = ServiceExecutor(Slow, SlowImpl, timeout_seconds=0.02, retry=decide)
    async with started(executor) as host:
        again = await told(host, ExecuteTask, TASKS.asked(method, "sleeps"))
        release.set()

    assert again.last_failure is not None
    assert again.last_failure.seconds_before_retry == 2.0


# --- which limit is in force ------------------------------------------------------------------


@timeout(timedelta(seconds=3))
class OnClass(SlowImpl):
    pass


class OnMethod(OnClass):
    @timeout(timedelta(seconds=2))
    def effective(self) -> float | None:
        return Task.timeout_seconds


class Own(SlowImpl):
    def timeout_seconds(self) -> float | None:
        return 4.0 if Task.service_name == "Slow" else None


class OwnNamed(Own, TimeoutPolicy):
    def grace_seconds(self) -> float:
        return 1.0


class MarkedAndOwn(Own, OnClass):
    pass


async def effective(executor: ServiceExecutor) -> object:
    async with started(executor) as host:
        completed = await told(host, TaskCompleted, TASKS.asked("effective"))
    return decode_untyped(completed.value)


@pytest.mark.parametrize(
    ("cls", "given", "seconds"),
    [
        (SlowImpl, UNSET, None),
        (OnClass, UNSET, 3.0),
        (OnMethod, UNSET, 2.0),
        (Own, UNSET, 4.0),
        (OwnNamed, UNSET, 4.0),
        (MarkedAndOwn, UNSET, 3.0),
        (OnMethod, 1000, 1000.0),
        (OnMethod, None, None),
        (Own, None, None),
    ],
)
async def test_context_09_a_task_reads_the_limit_in_force(
    cls: type, given: float | Unset | None, seconds: float | None
) -> None:
    assert await effective(ServiceExecutor(Slow, cls, timeout_seconds=given)) == seconds


async def test_the_limit_of_a_contract_is_not_that_of_an_attempt() -> None:
    async with started(ServiceExecutor(Slow, SlowImpl)) as host:
        completed = await told(host, TaskCompleted, TASKS.asked("by_contract"))

    assert decode_untyped(completed.value) == "None"


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_a_limit_that_is_not_positive_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match="timeout_seconds"):
        ServiceExecutor(Slow, SlowImpl, timeout_seconds=seconds)


@pytest.mark.parametrize("answer", [-1.0, ZeroDivisionError()])
async def test_a_limit_that_cannot_be_told_fails_the_task_without_retry(answer: object) -> None:
    class Wrong(SlowImpl):
        def timeout_seconds(self) -> float:
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[return-value]  # the mistake itself

    async with started(ServiceExecutor(Slow, Wrong, retry=lambda *_: 1)) as host:
        await told(host, TaskFailed, TASKS.asked("on_thread", ""))


async def test_many_limits_at_once_each_end_their_own() -> None:
    class ById(SlowImpl):
        def timeout_seconds(self) -> float:
            return 0.01 if Task.task_id.startswith("short") else 60.0

    async with started(ServiceExecutor(Slow, ById, concurrency=4)) as host:
        ids = ["long 1", "short 1", "long 2", "short 2"]
        deliveries = [
            asyncio.create_task(host.transport.deliver(TASKS.asked("on_thread", one, task_id=one)))
            for one in ids
        ]
        await until(lambda: len(host.transport.messages) == 2)
        release.set()
        await asyncio.gather(*deliveries)

    kinds = {one.task_id: type(one) for one in host.transport.messages}  # type: ignore[attr-defined]  # all are of tasks
    assert kinds == {
        **dict.fromkeys(["short 1", "short 2"], TaskFailed),
        **dict.fromkeys(["long 1", "long 2"], TaskCompleted),
    }


class Told:
    def timeout_seconds(self) -> float | None:
        return "soon"  # type: ignore[return-value]  # the mistake itself

    def grace_seconds(self) -> float:
        return 0.0


async def test_a_policy_that_gives_no_number_fails_the_task_and_is_named() -> None:
    async with started(ServiceExecutor(Slow, SlowImpl, timeout_seconds=Told())) as host:
        failed = await told(host, TaskFailed, TASKS.asked(METHODS[0], ""))

    message = failed.failure.exception.message
    assert message.startswith("Told.timeout_seconds() gives 'soon', which is no number")


@pytest.mark.parametrize("given", ["5", timedelta(seconds=5), Told])
def test_a_limit_that_is_neither_seconds_nor_a_policy_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match=r"timeout_seconds=.*: give seconds, as 2\.5"):
        ServiceExecutor(Slow, SlowImpl, timeout_seconds=given)  # type: ignore[arg-type]  # the mistake itself
