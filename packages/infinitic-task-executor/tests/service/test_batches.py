"""What becomes of tasks that run in batches."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pytest
from host_doubles import Host
from service_doubles import FAILURE, Tasks, started, told, until

from infinitic_common import Task, batch, delegated, name, retry, timeout
from infinitic_common import TaskFailed as TaskFailedException
from infinitic_common.configuration import BatchConfiguration
from infinitic_common.exceptions import UsageError
from infinitic_common.messages import (
    ExecuteTask,
    RegisterDelegatedTask,
    TaskCompleted,
    TaskFailed,
)
from infinitic_common.serialization import decode_untyped
from infinitic_task_executor import ServiceExecutor

TASKS = Tasks("Mail")
FULL = BatchConfiguration(max_messages=3, max_seconds=1000.0)
SHORT = BatchConfiguration(max_messages=100, max_seconds=0.1)

calls: list[list[object]] = []


@dataclass(frozen=True)
class Letter:
    to: str
    text: str


class Mail(Protocol):
    def double(self, number: int) -> int: ...
    async def send(self, to: str, text: str) -> str: ...
    def drop(self, number: int) -> None: ...
    def register(self, number: int) -> str: ...
    def alone(self, number: int) -> int: ...


class MailImpl(Mail):
    def double(self, number: int) -> int:
        return 2 * number

    @batch
    @name("double")
    def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
        return _doubled(numbers)

    async def send(self, to: str, text: str) -> str:
        return to + text

    @batch
    @name("send")
    async def _sends(self, letters: dict[str, Letter]) -> dict[str, str]:
        calls.append(list(letters.values()))
        await asyncio.sleep(0)
        return {key: f"{one.text} to {one.to}" for key, one in letters.items()}

    def drop(self, number: int) -> None:
        """Return nothing."""

    @batch
    @name("drop")
    def _drops(self, numbers: dict[str, int]) -> None:
        calls.append(list(numbers.values()))

    def register(self, number: int) -> str:
        return str(number)

    @delegated
    @batch
    @name("register")
    def _registers(self, numbers: dict[str, int]) -> dict[str, str]:
        calls.append(list(numbers.values()))
        return {}

    def alone(self, number: int) -> int:
        return -number


def _doubled(numbers: dict[str, int]) -> dict[str, int]:
    calls.append(list(numbers.values()))
    for key, number in numbers.items():
        Task.context_of(key).meta["seen"] = str(number).encode()
    return {key: 2 * number for key, number in numbers.items()}


@pytest.fixture(autouse=True)
def cleared() -> None:
    """No call was made yet."""
    calls.clear()


async def deliver(host: Host, *messages: ExecuteTask) -> None:
    assert not await host.transport.deliver(*messages)


def values(host: Host) -> dict[str, object]:
    done = [one for one in host.transport.messages if isinstance(one, TaskCompleted)]
    return {one.task_id: decode_untyped(one.value) for one in done}


def doubles(count: int, **rest: object) -> Sequence[ExecuteTask]:
    return [TASKS.asked("double", n, task_id=f"t{n}", **rest) for n in range(count)]  # type: ignore[arg-type]  # any of them


async def test_a_full_batch_runs_at_once_and_each_task_gets_its_own_value() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=FULL)) as host:
        await deliver(host, *doubles(3))

    assert calls == [[0, 1, 2]]
    assert values(host) == {"t0": 0, "t1": 2, "t2": 4}
    assert [one.meta for one in host.transport.messages] == [  # type: ignore[attr-defined]  # all are results
        {"seen": b"0"},
        {"seen": b"1"},
        {"seen": b"2"},
    ]


async def test_messages_of_several_deliveries_share_a_batch() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=FULL)) as host:
        await asyncio.gather(*(deliver(host, one) for one in doubles(3)))

    assert calls == [[0, 1, 2]]


async def test_a_batch_that_does_not_fill_runs_when_its_time_is_over() -> None:
    began = time.monotonic()
    async with started(ServiceExecutor(Mail, MailImpl, batch=SHORT)) as host:
        await deliver(host, *doubles(2))

    assert time.monotonic() - began >= 0.09
    assert calls == [[0, 1]]


async def test_nothing_is_settled_before_its_report_is_published() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=FULL)) as host:
        first, *rest = doubles(3)
        delivery = asyncio.create_task(host.transport.deliver(first))
        host.transport.gate = asyncio.Event()
        others = asyncio.create_task(host.transport.deliver(*rest))
        await until(lambda: host.transport.waiting == 1)
        assert not delivery.done()
        host.transport.gate.set()
        await asyncio.gather(delivery, others)

    assert len(host.transport.messages) == 3


async def test_stopping_waits_for_no_more_tasks() -> None:
    executor = ServiceExecutor(Mail, MailImpl, batch=FULL)
    async with started(executor) as host:
        delivery = asyncio.create_task(host.transport.deliver(*doubles(1)))
        await asyncio.sleep(0)
        await executor.stop(1.0)
        await delivery

    assert values(host) == {"t0": 0}


async def test_arguments_become_one_object_and_coroutines_take_batches_too() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=SHORT)) as host:
        await deliver(
            host,
            TASKS.asked("send", "me", "a", task_id="1"),
            TASKS.asked("send", "you", "b", task_id="2"),
        )

    assert calls == [[Letter("me", "a"), Letter("you", "b")]]
    assert values(host) == {"1": "a to me", "2": "b to you"}


async def test_batches_hold_one_method_and_one_batch_key() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=SHORT)) as host:
        await deliver(
            host,
            *(
                TASKS.asked("double", n, task_id=str(n), meta={"batchKey": b"%d" % (n % 2)})
                for n in range(4)
            ),
            TASKS.asked("double", 7, task_id="7"),
            TASKS.asked("drop", 8, task_id="8"),
        )

    assert sorted(calls, key=str) == [[0, 2], [1, 3], [7], [8]]


async def test_a_batch_that_returns_nothing_gives_each_task_none() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=SHORT)) as host:
        await deliver(host, TASKS.asked("drop", 1, task_id="1"), TASKS.asked("drop", 2))

    assert values(host) == {"1": None, "t": None}


async def test_a_null_map_is_null_for_every_task() -> None:
    class Null(MailImpl):
        @batch
        @name("double")
        def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
            calls.append(list(numbers))
            return None  # type: ignore[return-value]  # the mistake itself

    async with started(ServiceExecutor(Mail, Null, batch=FULL)) as host:
        await deliver(host, *doubles(3))

    # None is no int: it is refused as it would be for a task alone.
    assert len(calls) == 1
    assert all(isinstance(one, TaskFailed) for one in host.transport.messages)


async def test_delegated_tasks_in_a_batch_are_registered() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=SHORT)) as host:
        await deliver(host, TASKS.asked("register", 1, task_id="1"), TASKS.asked("register", 2))

    assert [type(one) for one in host.transport.messages] == [RegisterDelegatedTask] * 2


async def test_batch_16_a_method_without_batch_twin_runs_its_tasks_one_by_one() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=FULL)) as host:
        completed = await told(host, TaskCompleted, TASKS.asked("alone", 4))

    assert decode_untyped(completed.value) == -4


async def test_batch_16_without_configuration_batch_methods_are_not_used() -> None:
    async with started(ServiceExecutor(Mail, MailImpl)) as host:
        await deliver(host, *doubles(2))

    assert not calls
    assert values(host) == {"t0": 0, "t1": 2}


# --- failures -------------------------------------------------------------------------------


def failing(error: BaseException) -> type[MailImpl]:
    class Failing(MailImpl):
        @batch
        @name("double")
        @retry(lambda attempt, _exception: 2.0 if attempt == 0 else None)
        def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
            del numbers
            raise error

    return Failing


async def test_after_a_failure_each_task_has_its_own_decision() -> None:
    async with started(ServiceExecutor(Mail, failing(ValueError("sorry")), batch=FULL)) as host:
        first, second, third = doubles(3)
        later = TASKS.asked("double", 1, task_id="late", retry_index=1, last_failure=FAILURE)
        del second
        await deliver(host, first, later, third)

    outcomes = {one.task_id: one for one in host.transport.messages}  # type: ignore[attr-defined]  # all are of tasks
    assert [type(outcomes[key]) for key in ("t0", "late", "t2")] == [
        ExecuteTask,
        TaskFailed,
        ExecuteTask,
    ]
    late = outcomes["late"]
    assert isinstance(late, TaskFailed)
    assert late.failure.previous == FAILURE


@pytest.mark.parametrize("error", [SystemExit(), TaskFailedException("O", "m", "id", FAILURE)])
async def test_what_is_not_retried_alone_is_not_in_a_batch(error: BaseException) -> None:
    async with started(ServiceExecutor(Mail, failing(error), batch=FULL)) as host:
        await deliver(host, *doubles(3))

    assert [type(one) for one in host.transport.messages] == [TaskFailed] * 3


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (["t0", "t1"], "missing t2; unknown none"),
        (["t0", "t1", "t2", "t9"], "missing none; unknown t9"),
        ([], "missing t0, t1, t2"),
        (None, "returned list"),
    ],
)
async def test_wrong_keys_fail_every_task_without_retry(
    keys: list[str] | None, complaint: str
) -> None:
    class Wrong(MailImpl):
        @batch
        @name("double")
        def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
            del numbers
            return [] if keys is None else dict.fromkeys(keys, 1)  # type: ignore[return-value]  # the mistake itself

    executor = ServiceExecutor(Mail, Wrong, batch=FULL, retry=lambda *_: 1)
    async with started(executor) as host:
        await deliver(host, *doubles(3))

    failures = [one for one in host.transport.messages if isinstance(one, TaskFailed)]
    assert len(failures) == 3
    assert all(complaint in one.failure.exception.message for one in failures)


async def test_a_task_whose_arguments_do_not_fit_fails_alone() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=FULL)) as host:
        await deliver(host, *doubles(2), TASKS.asked("double", "text", task_id="wrong"))

    assert calls == [[0, 1]]
    (failed,) = [one for one in host.transport.messages if isinstance(one, TaskFailed)]
    assert failed.task_id == "wrong"


async def test_a_result_that_cannot_be_encoded_fails_its_task_alone() -> None:
    class Wrong(MailImpl):
        @batch
        @name("double")
        def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
            return {key: "text" if number == 1 else 1 for key, number in numbers.items()}  # type: ignore[misc]  # the mistake itself

    async with started(ServiceExecutor(Mail, Wrong, batch=FULL)) as host:
        await deliver(host, *doubles(3))

    assert values(host) == {"t0": 1, "t2": 1}


async def test_a_batch_that_lasts_too_long_fails_all_its_tasks() -> None:
    class Slow(MailImpl):
        @timeout(timedelta(milliseconds=20))
        @batch
        @name("double")
        def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
            (one, *_) = (Task.context_of(key) for key in numbers)
            while not one.has_timed_out:
                time.sleep(0.001)
            return _doubled(numbers)

    async with started(ServiceExecutor(Mail, Slow, batch=FULL)) as host:
        await deliver(host, *doubles(3))

    failures = [one for one in host.transport.messages if isinstance(one, TaskFailed)]
    assert len(failures) == 3
    assert all("Slow._doubles lasted longer" in one.failure.exception.message for one in failures)


async def test_the_context_in_a_batch_is_that_of_one_of_its_tasks() -> None:
    class Asks(MailImpl):
        @batch
        @name("double")
        def _doubles(self, numbers: dict[str, int]) -> dict[str, int]:
            with pytest.raises(UsageError, match="context_of"):
                _ = Task.task_id
            with pytest.raises(UsageError, match="none of the batch"):
                Task.context_of("other")
            return _doubled(numbers)

    async with started(ServiceExecutor(Mail, Asks, batch=FULL)) as host:
        await deliver(host, *doubles(3))

    assert len(values(host)) == 3


async def test_the_same_task_twice_in_a_batch_is_told_twice() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, batch=FULL)) as host:
        one, two, _ = doubles(3)
        await deliver(host, one, two, one)

    assert calls == [[0, 1]]
    assert len(host.transport.messages) == 3


async def test_concurrency_counts_batches() -> None:
    running = most = 0
    pairs = asyncio.Barrier(2)

    class Counting(MailImpl):
        @batch
        @name("send")
        async def _sends(self, letters: dict[str, Letter]) -> dict[str, str]:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await pairs.wait()
            running -= 1
            return dict.fromkeys(letters, "sent")

    async with started(ServiceExecutor(Mail, Counting, concurrency=2, batch=FULL)) as host:
        async with asyncio.timeout(30):
            await deliver(
                host, *(TASKS.asked("send", "me", "a", task_id=str(number)) for number in range(18))
            )

    assert most == 2
    assert len(values(host)) == 18


async def test_a_batch_of_messages_is_as_large_as_a_batch_of_tasks() -> None:
    async with started(ServiceExecutor(Mail, MailImpl, concurrency=4, batch=FULL)) as host:
        subscription = host.transport.subscription

    assert subscription is not None
    assert (subscription.max_batch_messages, subscription.max_in_flight_messages) == (3, 15)


async def test_without_batch_methods_the_configuration_changes_nothing() -> None:
    class Plain:
        def double(self, number: int) -> int:
            return 2 * number

    async with started(ServiceExecutor("Mail", Plain, batch=FULL)) as host:
        await told(host, TaskCompleted, TASKS.asked("double", 1))
