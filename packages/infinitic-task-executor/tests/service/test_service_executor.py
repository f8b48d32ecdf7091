"""What becomes of the tasks of a service."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextvars import ContextVar
from functools import partial
from typing import Protocol

import attrs
import pytest
from host_doubles import Host, received
from service_doubles import FAILURE, REQUESTER, Tasks, until

from infinitic_common import TaskFailed as TaskFailedException
from infinitic_common.codec import encode
from infinitic_common.failures import TaskFailedError
from infinitic_common.messages import (
    ExecuteTask,
    TaskCompleted,
    TaskFailed,
    WaitWorkflow,
)
from infinitic_common.outcomes import to_exception
from infinitic_common.requesters import ClientRequester
from infinitic_common.serialization import decode_untyped
from infinitic_common.task_context import Task
from infinitic_common.transport import Topic, TopicKind
from infinitic_task_executor import ServiceExecutor

TASK_FAILED = TaskFailedError("Other", "m", "id", FAILURE)
TAGS = frozenset({"foo", "bar"})

holder: ContextVar[str] = ContextVar("holder", default="clean")
slow = threading.Event()
at_once: list[int] = []
pairs = asyncio.Barrier(2)

asked = partial(Tasks("Util").asked, meta={"foo": b"bar"})


class Util(Protocol):
    def product(self, a: int, b: int) -> int: ...
    def repeated(self, count: int, text: str) -> str: ...
    async def later(self, text: str) -> str: ...
    async def raises_later(self) -> str: ...
    async def in_pairs(self) -> None: ...
    def context(self) -> list[object]: ...
    def sequence(self) -> str: ...
    def leaks(self) -> str: ...
    def fails(self, how: str) -> None: ...
    async def fails_later(self, how: str) -> None: ...
    def large(self, size: int) -> str: ...
    def wrong(self) -> int: ...
    def slow(self) -> str: ...
    def marks(self) -> None: ...


class CustomError(Exception):
    def __init__(self) -> None:
        super().__init__("sorry")
        self.code = 42


class Unprintable(Exception):  # noqa: N818 - a sample
    def __str__(self) -> str:
        raise SystemExit


RAISED: dict[str, BaseException] = {
    "interrupt": KeyboardInterrupt(),
    "generator": GeneratorExit(),
    "cancelled": asyncio.CancelledError(),
    "unprintable": Unprintable(),
}


class UtilImpl(Util):
    def product(self, a: int, b: int) -> int:
        return a * b

    def repeated(self, count: int, text: str) -> str:
        return text * count

    async def later(self, text: str) -> str:
        await asyncio.sleep(0)
        return f"{text} of {Task.workflow_id}"

    async def raises_later(self) -> str:
        raise SystemExit

    async def in_pairs(self) -> None:
        at_once.append(at_once[-1] + 1 if at_once else 1)
        await pairs.wait()
        at_once.append(at_once[-1] - 1)

    def context(self) -> list[object]:
        names = [Task.worker_name, Task.service_name, Task.method_name, Task.task_id]
        workflow = [Task.workflow_id, Task.workflow_name, Task.workflow_version]
        return [*names, *workflow, sorted(Task.tags), Task.meta, Task.retry_index, Task.client]

    def sequence(self) -> str:
        return str(Task.retry_sequence * 6)

    def leaks(self) -> str:
        found = holder.get()
        holder.set("leaked")
        return found

    def fails(self, how: str) -> None:
        if how == "exit":
            raise SystemExit
        if how == "deferred":
            raise to_exception(TASK_FAILED)
        if how == "recursion":
            self.fails(how)
        if how in RAISED:
            raise RAISED[how]
        raise CustomError

    async def fails_later(self, how: str) -> None:
        await asyncio.sleep(0)
        self.fails(how)

    def large(self, size: int) -> str:
        return "x" * size

    def wrong(self) -> int:
        return "no number"  # type: ignore[return-value]  # the mistake itself

    def slow(self) -> str:
        slow.wait(60)
        return "slow"

    def marks(self) -> None:
        Task.meta["mark"] = b"1"


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """A worker that runs the service with two tasks at once."""
    slow.clear()
    host = Host()
    executor = ServiceExecutor(Util, UtilImpl, concurrency=2)
    await executor.start(host)
    yield host
    slow.set()
    await executor.stop(1.0)


async def report_of(host: Host, message: ExecuteTask) -> object:
    assert not await host.transport.deliver(message)
    (report,) = host.transport.messages
    return report


async def value_of(host: Host, message: ExecuteTask) -> object:
    report = await report_of(host, message)
    assert isinstance(report, TaskCompleted)
    return decode_untyped(report.value)


async def failure_of(host: Host, message: ExecuteTask) -> TaskFailed:
    report = await report_of(host, message)
    assert isinstance(report, TaskFailed)
    return report


# --- results --------------------------------------------------------------------------------


async def test_executor_01_the_result_goes_to_the_engine_of_the_workflow(host: Host) -> None:
    report = await report_of(host, asked("product", 6, 7))

    assert isinstance(report, TaskCompleted)
    assert decode_untyped(report.value) == 42
    assert (report.workflow_name, report.workflow_id, report.method_id) == ("Order", "w", "m")
    assert (report.position, report.task_id, report.emitted_at) == (4, "t", 1_234)
    assert host.transport.published[0][0] == Topic(TopicKind.WORKFLOW_STATE_ENGINE, "Order")


async def test_executor_02_arguments_have_the_types_of_the_method(host: Host) -> None:
    assert await value_of(host, asked("repeated", 2, "ab")) == "abab"


async def test_executor_08_code_reads_its_manual_retries(host: Host) -> None:
    assert await value_of(host, asked("sequence", retry_sequence=12)) == "72"


async def test_executor_03_a_method_is_found_by_its_name_alone(host: Host) -> None:
    assert await value_of(host, asked("repeated", 3, "a")) == "aaa"


async def test_coroutines_run_on_the_event_loop_and_know_their_task(host: Host) -> None:
    assert await value_of(host, asked("later", "text")) == "text of w"


async def test_context_04_context_05_context_06_code_reads_whose_task_it_is(host: Host) -> None:
    assert not await host.transport.deliver(asked("context", tags=TAGS))
    (report,) = [one for one in host.transport.messages if isinstance(one, TaskCompleted)]

    assert decode_untyped(report.value) == [
        *("worker", "Util", "context", "t"),
        *("w", "Order", 2),
        *(["bar", "foo"], {"foo": b"bar"}, 0, "the client"),
    ]


async def test_changes_of_meta_travel_with_the_result(host: Host) -> None:
    report = await report_of(host, asked("marks"))

    assert isinstance(report, TaskCompleted)
    assert report.meta == {"foo": b"bar", "mark": b"1"}


async def test_tasks_do_not_see_the_context_variables_of_others(host: Host) -> None:
    await host.transport.deliver(asked("leaks"))
    await host.transport.deliver(asked("leaks"))

    assert [decode_untyped(one.value) for one in host.transport.messages] == ["clean"] * 2  # type: ignore[attr-defined]  # all are results


async def test_the_same_attempt_has_the_same_report_id_and_others_have_not(host: Host) -> None:
    attempts = [
        asked("product", 1, 1),
        asked("product", 1, 1),
        asked("product", 1, 1, retry_index=1),
        asked("product", 1, 1, retry_sequence=1),
        asked("product", 1, 1, task_id="u"),
        asked("fails", ""),
    ]
    for attempt in attempts:
        await host.transport.deliver(attempt)

    ids = [message.id for _, burst in host.transport.published for message in burst]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5


async def test_executor_09_that_a_task_runs_is_told_to_nobody(host: Host) -> None:
    delivery = asyncio.create_task(host.transport.deliver(asked("slow")))
    await until(lambda: any("service-Util" in t.name for t in threading.enumerate()))

    assert not host.transport.published
    slow.set()
    await delivery


async def test_a_batch_is_published_in_one_call(host: Host) -> None:
    await host.transport.deliver(*(asked("later", "x", task_id=str(n)) for n in range(2)))

    assert [len(burst) for _, burst in host.transport.published] == [2]


async def test_a_task_that_no_workflow_asked_for_is_told_to_nobody(host: Host) -> None:
    await host.transport.deliver(asked("product", 1, 1, requester=ClientRequester("c")))

    assert not host.transport.published


# --- failures -------------------------------------------------------------------------------


async def test_an_exception_is_told_with_its_attributes(host: Host) -> None:
    report = await failure_of(
        host, asked("fails", "", retry_sequence=1, retry_index=2, last_failure=FAILURE)
    )

    assert (report.service_name, report.method_name, report.task_id) == ("Util", "fails", "t")
    failure = report.failure
    assert (failure.worker_name, failure.retry_sequence, failure.retry_index) == ("worker", 1, 2)
    assert failure.exception.name.endswith("CustomError")
    assert decode_untyped(failure.exception.properties["code"]) == 42
    assert failure.previous == FAILURE
    assert failure.seconds_before_retry is None
    assert "raise CustomError" in failure.stack_trace


async def test_executor_12_a_failure_is_told_to_the_workflow_and_to_no_client(host: Host) -> None:
    report = await failure_of(host, asked("fails", ""))
    await host.transport.deliver(asked("fails", "", requester=ClientRequester("c")))

    assert (report.service_name, report.method_name, report.task_id) == ("Util", "fails", "t")
    assert report.deferred_error is None
    assert len(host.transport.messages) == 1


async def test_executor_12_a_workflow_error_that_a_task_met_is_told_as_such(host: Host) -> None:
    report = await failure_of(host, asked("fails", "deferred"))

    assert report.deferred_error == TASK_FAILED
    assert report.failure.exception.name.endswith(TaskFailedException.__name__)


@pytest.mark.parametrize("how", ["interrupt", "generator", "cancelled", "recursion", "unprintable"])
@pytest.mark.parametrize("method", ["fails", "fails_later"])
async def test_whatever_code_raises_is_a_failure_and_the_next_task_runs(
    host: Host, method: str, how: str
) -> None:
    await failure_of(host, asked(method, how))
    await host.transport.deliver(asked("product", 6, 7))

    assert isinstance(host.transport.messages[-1], TaskCompleted)


@pytest.mark.parametrize("message", [asked("fails", "exit"), asked("raises_later")])
async def test_even_exceptions_that_end_programs_are_failures(
    host: Host, message: ExecuteTask
) -> None:
    assert (await failure_of(host, message)).failure.exception.name == "SystemExit"


async def test_executor_05_a_service_without_implementation_here_fails_at_once(
    host: Host,
) -> None:
    report = await failure_of(host, attrs.evolve(asked("product", 6, 7), service_name="Other"))

    assert report.failure.exception.name.endswith("UsageError")
    assert "'Other' has no implementation" in report.failure.exception.message


async def test_executor_07_an_unknown_method_without_arguments_fails_at_once(host: Host) -> None:
    report = await failure_of(host, asked("produce"))

    assert "'produce'; it has product, repeated" in report.failure.exception.message


async def test_executor_06_an_unknown_method_fails_at_once(host: Host) -> None:
    report = await failure_of(host, asked("unknown"))

    assert report.failure.exception.name.endswith("MethodNotFound")
    assert "'unknown'" in report.failure.exception.message


@pytest.mark.parametrize("message", [asked("product", 1), asked("repeated", "a", "b")])
async def test_wrong_arguments_fail_at_once(host: Host, message: ExecuteTask) -> None:
    await failure_of(host, message)


async def test_a_result_of_another_type_is_a_failure(host: Host) -> None:
    assert "int" in (await failure_of(host, asked("wrong"))).failure.exception.message


async def test_a_result_too_large_for_the_broker_is_a_failure(host: Host) -> None:
    report = await failure_of(host, asked("large", 20_000))

    assert report.failure.exception.name.endswith("PayloadTooLarge")
    assert "Util.large" in report.failure.exception.message


async def test_an_instance_that_cannot_be_made_is_a_failure() -> None:
    def factory() -> UtilImpl:
        msg = "no instance"
        raise ValueError(msg)

    host = Host()
    executor = ServiceExecutor(Util, factory)
    await executor.start(host)

    report = await failure_of(host, asked("product", 1, 1))

    assert report.failure.exception.message == "no instance"
    await executor.stop(1.0)


# --- messages that cannot be read -------------------------------------------------------------


async def test_what_cannot_be_read_is_given_back_and_the_rest_is_done(host: Host) -> None:
    damaged = received(asked("product", 1, 1), b"damaged")
    foreign = received(
        asked("product", 1, 1), encode(WaitWorkflow("i", "W", "w", "m", REQUESTER, 0))
    )

    back = await host.transport.deliver(damaged, asked("product", 2, 3), foreign)

    assert list(back) == [damaged, foreign]
    assert len(host.transport.messages) == 1


async def test_a_dead_letter_fails_its_task_as_far_as_its_properties_tell(host: Host) -> None:
    await host.transport.bury(received(asked("product", 1, 1), b"damaged"), "cannot be read")

    (report,) = host.transport.messages
    assert isinstance(report, TaskFailed)
    assert (report.workflow_name, report.workflow_id, report.method_id) == ("Order", "w", "m")
    assert (report.position, report.task_id, report.service_name) == (4, "t", "Util")
    assert report.failure.exception.message == "cannot be read"


async def test_a_dead_letter_that_can_be_read_fails_its_task(host: Host) -> None:
    await host.transport.bury(asked("product", 1, 1), "gave up")

    (report,) = host.transport.messages
    assert isinstance(report, TaskFailed)
    assert report.method_name == "product"


# --- when it is settled -----------------------------------------------------------------------


async def test_a_batch_is_settled_only_when_its_results_are_published(host: Host) -> None:
    host.transport.gate = asyncio.Event()
    delivery = asyncio.create_task(host.transport.deliver(asked("later", "x")))
    await until(lambda: host.transport.waiting == 1)
    assert not delivery.done()
    host.transport.gate.set()
    await delivery

    assert len(host.transport.messages) == 1


async def test_while_the_broker_is_away_results_are_kept_and_tasks_run_once(host: Host) -> None:
    host.transport.outages = 1

    await host.transport.deliver(asked("product", 2, 3))

    assert host.transport.outages == 0
    assert len(host.transport.messages) == 1


async def test_a_slow_task_does_not_keep_back_the_result_of_another(host: Host) -> None:
    delivery = asyncio.create_task(
        host.transport.deliver(asked("slow", task_id="slow"), asked("product", 1, 1))
    )
    await until(lambda: len(host.transport.messages) == 1)
    assert not delivery.done()
    slow.set()
    await delivery

    assert len(host.transport.messages) == 2


async def test_plain_methods_run_at_once_on_threads_of_their_own(host: Host) -> None:
    deliveries = [
        asyncio.create_task(host.transport.deliver(asked("slow", task_id=str(n)))) for n in range(2)
    ]
    await until(lambda: sum("service-Util" in t.name for t in threading.enumerate()) >= 2)
    slow.set()
    await asyncio.gather(*deliveries)

    assert len(host.transport.messages) == 2


async def test_coroutines_at_once_are_as_many_as_asked_for(host: Host) -> None:
    at_once.clear()
    async with asyncio.timeout(30):
        await host.transport.deliver(*(asked("in_pairs", task_id=str(n)) for n in range(6)))

    assert max(at_once) == 2
    assert len(host.transport.messages) == 6
