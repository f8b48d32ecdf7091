"""When a failed attempt is made again."""

import logging
from typing import Protocol

import pytest
from service_doubles import FAILURE, REQUESTER, Tasks, started, told

from infinitic_common import RetryPolicy, Task, retry
from infinitic_common.configuration import (
    ConfigurationError,
    ServiceConfiguration,
    ServiceExecutorConfiguration,
)
from infinitic_common.exceptions import UsageError
from infinitic_common.failures import TaskFailedError
from infinitic_common.messages import ExecuteTask, TaskCompleted, TaskFailed
from infinitic_common.outcomes import to_exception
from infinitic_common.policies import ExponentialBackoff
from infinitic_common.serialization import decode_untyped
from infinitic_common.transport import Topic, TopicKind
from infinitic_task_executor import ServiceExecutor

TASKS = Tasks("Flaky")
RETRY_TOPIC = Topic(TopicKind.SERVICE_EXECUTOR_RETRY, "Flaky")
TASK_TOPIC = Topic(TopicKind.SERVICE_EXECUTOR, "Flaky")


class Flaky(Protocol):
    def work(self, how: str) -> str: ...
    async def work_later(self, how: str) -> str: ...


class FlakyImpl(Flaky):
    def work(self, how: str) -> str:
        return _work(how)

    async def work_later(self, how: str) -> str:
        return _work(how)


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise SystemExit


def _work(how: str) -> str:
    Task.meta[f"attempt {Task.retry_index}"] = b"made"
    match how:
        case "exit":
            raise SystemExit
        case "unprintable":
            raise UnprintableError
        case "lookup":
            raise IndexError(how)
        case "memory":
            raise MemoryError(how)
        case "recursion":
            return _work(how)
        case "deferred":
            raise to_exception(TaskFailedError("Other", "m", "id", FAILURE))
        case "third" if Task.retry_index == 2:
            return ", ".join(sorted(Task.meta))
        case "meta":
            Task.meta["number"] = 1  # type: ignore[assignment]  # the mistake itself
            raise ValueError(how)
        case _:
            raise ValueError(how)


class ThreeSeconds:
    def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
        del attempt, exception
        return 3.0


async def _retried_after_three_seconds(implementation: type) -> None:
    asked = TASKS.asked("work", "fails", retry_sequence=2, retry_index=1, meta={"foo": b"bar"})
    async with started(ServiceExecutor(Flaky, implementation)) as host:
        again = await told(host, ExecuteTask, asked)

    ((topic, (outgoing,)),) = host.transport.published
    assert topic == RETRY_TOPIC
    assert outgoing.deliver_at == 1_234 + 3000
    assert (again.task_id, again.retry_sequence, again.retry_index) == ("t", 2, 2)
    assert again.requester == REQUESTER
    assert again.arguments == asked.arguments
    assert again.meta == {"foo": b"bar", "attempt 1": b"made"}
    assert again.last_failure is not None
    assert again.last_failure.worker_name == "worker"
    assert again.last_failure.exception.name == "ValueError"
    assert again.last_failure.seconds_before_retry == 3.0


async def test_retries_01_the_service_object_is_the_policy() -> None:
    class Own(FlakyImpl, ThreeSeconds):
        pass

    await _retried_after_three_seconds(Own)


async def test_retries_01_the_service_object_may_name_the_policy_among_its_parents() -> None:
    class Own(FlakyImpl, RetryPolicy):
        def seconds_before_retry(self, attempt: int, exception: Exception) -> float:
            del attempt, exception
            return 3.0 if Task.task_id == "t" else 0.0

    await _retried_after_three_seconds(Own)


async def test_retries_01_a_class_without_contract_is_its_own_policy() -> None:
    class Own:
        def work(self, how: str) -> str:
            return _work(how)

        def seconds_before_retry(self, attempt: int, exception: Exception) -> float:
            del attempt, exception
            return 3.0

    asked = TASKS.asked("work", "fails")
    async with started(ServiceExecutor("Flaky", Own)) as host:
        assert (await told(host, ExecuteTask, asked)).retry_index == 1


async def test_retries_02_a_policy_on_the_method() -> None:
    class Marked(FlakyImpl):
        @retry(ThreeSeconds)
        def work(self, how: str) -> str:
            return _work(how)

    await _retried_after_three_seconds(Marked)


async def test_retries_03_a_policy_on_the_class() -> None:
    @retry(ThreeSeconds())
    class Marked(FlakyImpl):
        pass

    await _retried_after_three_seconds(Marked)


async def test_a_policy_may_be_a_function() -> None:
    @retry(lambda _attempt, _exception: 3.0)
    class Marked(FlakyImpl):
        pass

    await _retried_after_three_seconds(Marked)


async def test_the_method_wins_over_the_class_and_the_class_over_its_own_policy() -> None:
    @retry(lambda _attempt, _exception: 2.0)
    class Marked(FlakyImpl, ThreeSeconds):
        @retry(lambda _attempt, _exception: 1.0)
        def work(self, how: str) -> str:
            return _work(how)

    async with started(ServiceExecutor(Flaky, Marked)) as host:
        await told(host, ExecuteTask, TASKS.asked("work", "fails"))
        await told(host, ExecuteTask, TASKS.asked("work_later", "fails"))

    due = [message.deliver_at for _, burst in host.transport.published for message in burst]
    assert due == [2_234, 3_234]


async def test_the_executor_wins_over_the_code() -> None:
    executor = ServiceExecutor(Flaky, Decorated, retry=lambda _attempt, _exception: 1.0)
    async with started(executor) as host:
        await told(host, ExecuteTask, TASKS.asked("work", "fails"))

    assert host.transport.published[0][1][0].deliver_at == 2_234


async def test_an_executor_that_never_retries_wins_over_the_code() -> None:
    async with started(ServiceExecutor(Flaky, Decorated, retry=None)) as host:
        await told(host, TaskFailed, TASKS.asked("work", "fails"))


@retry(ThreeSeconds)
class Decorated(FlakyImpl):
    pass


@pytest.mark.parametrize("method", ["work", "work_later"])
async def test_retries_09_without_policy_there_is_one_attempt(method: str) -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl)) as host:
        failed = await told(host, TaskFailed, TASKS.asked(method, "fails"))

    assert failed.failure.seconds_before_retry is None
    assert len(host.transport.messages) == 1


async def test_retries_11_meta_is_kept_over_attempts_and_carried_by_the_result() -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 0)) as host:
        second = await told(host, ExecuteTask, TASKS.asked("work", "third"))
        third = await told(host, ExecuteTask, second)
        completed = await told(host, TaskCompleted, third)

    assert decode_untyped(completed.value) == "attempt 0, attempt 1, attempt 2"
    assert sorted(completed.meta) == ["attempt 0", "attempt 1", "attempt 2"]


async def test_failures_are_chained() -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=ExponentialBackoff())) as host:
        asked = TASKS.asked("work", "fails")
        for _ in range(11):
            asked = await told(host, ExecuteTask, asked)
        failed = await told(host, TaskFailed, asked)

    failure, indexes = failed.failure, [failed.failure.retry_index]
    while failure.previous is not None:
        failure = failure.previous
        indexes.append(failure.retry_index)
    assert indexes == list(range(11, -1, -1))


async def test_a_task_that_never_ends_to_fail_does_not_grow_without_end() -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 0)) as host:
        asked = TASKS.asked("work", "fails")
        for _ in range(40):
            asked = await told(host, ExecuteTask, asked)

    failure, count = asked.last_failure, 0
    while failure is not None:
        failure, count = failure.previous, count + 1
    assert (asked.retry_index, count) == (40, 20)


async def test_earlier_failures_are_left_out_when_the_broker_has_no_room_for_them() -> None:
    executor = ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 0)
    async with started(executor, max_message_bytes=5_000) as host:
        asked = TASKS.asked("work", "fails")
        for _ in range(10):
            asked = await told(host, ExecuteTask, asked)

    assert asked.retry_index == 10


async def test_a_delay_of_zero_or_less_goes_straight_to_the_executor() -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: -1)) as host:
        again = await told(host, ExecuteTask, TASKS.asked("work", "fails"))

    ((topic, (outgoing,)),) = host.transport.published
    assert (topic, outgoing.deliver_at) == (TASK_TOPIC, None)
    assert again.last_failure is not None
    assert again.last_failure.seconds_before_retry == 0.0


async def test_the_same_failure_is_retried_by_the_same_message() -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 1)) as host:
        first = await told(host, ExecuteTask, TASKS.asked("work", "fails"))
        twin = await told(host, ExecuteTask, TASKS.asked("work", "fails"))
        later = await told(host, ExecuteTask, first)

    assert first.message_id == twin.message_id != later.message_id


@pytest.mark.parametrize("how", ["lookup", "recursion"])
async def test_exceptions_that_are_ignored_and_their_subclasses_are_not_retried(how: str) -> None:
    policy = ExponentialBackoff(ignored_exceptions=(LookupError, "builtins.RecursionError"))
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=policy)) as host:
        await told(host, TaskFailed, TASKS.asked("work", how))
        await told(host, ExecuteTask, TASKS.asked("work", "fails"))


@pytest.mark.parametrize("method", ["work", "work_later"])
async def test_a_memory_error_is_a_failure_like_others(method: str) -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 1)) as host:
        again = await told(host, ExecuteTask, TASKS.asked(method, "memory"))

    assert again.last_failure is not None
    assert again.last_failure.exception.name == "MemoryError"


async def test_an_exception_of_which_nothing_can_be_told_is_not_retried() -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 1)) as host:
        failed = await told(host, TaskFailed, TASKS.asked("work", "unprintable"))

    assert "UnprintableError, of which nothing can be told" in failed.failure.exception.message


@pytest.mark.parametrize("how", ["exit", "deferred"])
@pytest.mark.parametrize("method", ["work", "work_later"])
async def test_what_asks_to_end_and_failed_workflows_are_not_retried(method: str, how: str) -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 1)) as host:
        await told(host, TaskFailed, TASKS.asked(method, how))


@pytest.mark.parametrize("answer", ["soon", float("nan"), ZeroDivisionError(), SystemExit()])
async def test_a_decision_that_fails_fails_the_task_with_its_own_cause(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    def decide(_attempt: int, _exception: Exception) -> float:
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[return-value]  # the mistake itself

    with caplog.at_level(logging.ERROR):
        async with started(ServiceExecutor(Flaky, FlakyImpl, retry=decide)) as host:
            failed = await told(host, TaskFailed, TASKS.asked("work", "fails"))

    assert failed.failure.exception.name == "ValueError"
    assert "retry policy of Flaky.work" in caplog.text


async def test_arguments_and_results_that_do_not_fit_are_not_retried() -> None:
    class Wrong(FlakyImpl):
        def work(self, how: str) -> str:
            return len(how)  # type: ignore[return-value]  # the mistake itself

    async with started(ServiceExecutor(Flaky, Wrong, retry=lambda *_: 1)) as host:
        await told(host, TaskFailed, TASKS.asked("work", "x"))
        await told(host, TaskFailed, TASKS.asked("work", 7))
        await told(host, TaskFailed, TASKS.asked("work"))
        await told(host, TaskFailed, TASKS.asked("unknown"))


async def test_meta_that_cannot_travel_fail_the_task() -> None:
    async with started(ServiceExecutor(Flaky, FlakyImpl, retry=lambda *_: 1)) as host:
        failed = await told(host, TaskFailed, TASKS.asked("work", "meta"))

    assert "Task.meta['number']" in failed.failure.exception.message
    assert failed.failure.exception.cause is not None
    assert failed.failure.exception.cause.message == "meta"


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(UsageError, match="retry of the executor of Flaky"):
        ServiceExecutor(Flaky, FlakyImpl, retry=3)  # type: ignore[arg-type]  # what is refused


def test_a_configuration_with_an_unknown_exception_is_refused() -> None:
    configuration = ServiceConfiguration(
        name="Payments",
        executor=ServiceExecutorConfiguration(
            class_name="executor_samples.PaymentsImpl",
            retry=ExponentialBackoff(ignored_exceptions=("no.Such",)),
        ),
    )
    with pytest.raises(ConfigurationError, match=r"services.Payments.retry.ignoredExceptions"):
        ServiceExecutor.from_configuration(configuration)
