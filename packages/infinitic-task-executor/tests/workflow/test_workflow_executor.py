"""The component, with workflows as authors write them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import attrs
import pytest
from executor_doubles import FakeEngine
from executor_samples import Order, OrderImpl, OrderImpl_01, OrderImpl_1
from host_doubles import Host, received

from infinitic_common.codec import decode, encode
from infinitic_common.configuration import (
    ConfigurationError,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
    WorkflowStateEngineConfiguration,
)
from infinitic_common.exceptions import InvalidImplementation, InvalidSetting
from infinitic_common.failures import WorkflowExecutorFailedError
from infinitic_common.history import ReceiveCommand, TaskCommand, TimerCommand
from infinitic_common.messages import ExecuteWorkflowTask, WorkflowTaskCompleted
from infinitic_common.serialization import encode_untyped, value_codec
from infinitic_common.transport import ReceivedMessage, Topic, TopicKind
from infinitic_common.workflow_tasks import (
    RemoteWorkflowTask,
    StepAwaited,
    WorkflowTask,
    WorkflowTaskResult,
)
from infinitic_task_executor import WorkflowExecutor

INSTANT = value_codec(timedelta, place="x")


@pytest.fixture(params=["live", "replayed"])
async def executor(request: pytest.FixtureRequest) -> AsyncIterator[WorkflowExecutor]:
    executor = WorkflowExecutor(Order, OrderImpl, always_replay=request.param == "replayed")
    yield executor
    await executor.stop(0)


@attrs.define(eq=False)
class Engine(FakeEngine):
    """The engine of one method of the order workflow."""

    method: str = "process"

    def task(self) -> WorkflowTask:
        return attrs.evolve(super().task(), method_name=self.method, workflow_name="Order")


def engine_of(executor: WorkflowExecutor, method: str, *arguments: str) -> Engine:
    encoded = tuple(map(encode_untyped, arguments))
    return Engine(executor, encoded, method=method)  # type: ignore[arg-type]  # in place of a runner


async def test_sync_02_calls_one_after_the_other(executor: WorkflowExecutor) -> None:
    engine = engine_of(executor, "process", "order")
    first = await engine.start()
    for number in range(3):
        engine.complete(2 * number, f"[{number}]")
        await engine.resume()

    assert [issued.command for issued in first.commands] == [
        TaskCommand("Payments", "charge", (encode_untyped("order"), encode_untyped(0.0)))
    ]
    assert first.commands[0].location.startswith("tests/executor_samples.py:")
    assert first.step is not None
    assert first.step.location == first.commands[0].location
    assert engine.value == "[0][1][2]"
    assert first.discarding_channels == ("approvals",)


async def test_properties_are_given_as_they_change(executor: WorkflowExecutor) -> None:
    engine = engine_of(executor, "process", "order")
    first = await engine.start()
    engine.complete(0, "a")
    second = await engine.resume()

    assert set(first.properties) == {"created_by", "created_with", "notes"}
    assert second is not None
    assert second.properties == {"notes": encode_untyped(["a"])}


async def test_async_02_async_03_results_are_taken_in_any_order(executor: WorkflowExecutor) -> None:
    engine = engine_of(executor, "parallel")
    result = await engine.start()
    engine.complete(1, "second ")
    await engine.resume()
    engine.complete(0, "first")
    await engine.resume()

    assert len(result.commands) == 2
    assert engine.value == "second first"


async def test_coroutines_wait_as_plain_methods_do(executor: WorkflowExecutor) -> None:
    engine = engine_of(executor, "later", "order")
    await engine.start()
    engine.complete(1, "b")
    engine.complete(0, "a")
    await engine.resume()

    assert engine.value == "ba"


async def test_asyncio_in_a_workflow_is_refused(executor: WorkflowExecutor) -> None:
    result = await engine_of(executor, "sleeps").start()

    assert isinstance(result.error, WorkflowExecutorFailedError)
    assert "self.timer" in result.error.failure.exception.message


async def test_context_01_context_02_constructors_know_the_workflow(
    executor: WorkflowExecutor,
) -> None:
    engine = engine_of(executor, "context")
    await engine.start()

    assert engine.value == ["w", ["tag"]]


@pytest.mark.parametrize("approved", [True, False])
async def test_a_signal_or_the_end_of_patience(
    executor: WorkflowExecutor,
    approved: bool,  # noqa: FBT001 - of a case
) -> None:
    engine = engine_of(executor, "approval")
    result = await engine.start()
    assert [type(issued.command) for issued in result.commands] == [ReceiveCommand, TimerCommand]
    if approved:
        engine.signal(0, True)  # noqa: FBT003 - a signal
    else:
        engine.complete(1, None)
    await engine.resume()

    assert engine.value is approved


async def test_an_unknown_method_is_an_error_that_names_the_known_ones(
    executor: WorkflowExecutor,
) -> None:
    result = await engine_of(executor, "unknown").start()

    assert isinstance(result.error, WorkflowExecutorFailedError)
    assert "process" in result.error.failure.exception.message


# --- versions and configuration ---------------------------------------------------------------


async def test_versioning_01_the_highest_version_runs() -> None:
    executor = WorkflowExecutor(Order, OrderImpl, OrderImpl_1)
    engine = engine_of(executor, "context")
    await engine.start()
    await executor.stop(0)

    assert engine.workflow_version == 1
    assert engine.value == ["version 1"]


def test_two_classes_of_one_version_are_refused() -> None:
    with pytest.raises(InvalidImplementation, match="OrderImpl_1 and OrderImpl_01 both are ver"):
        WorkflowExecutor("Order", OrderImpl_1, OrderImpl_01)


def test_no_class_and_no_concurrency_are_refused() -> None:
    with pytest.raises(InvalidImplementation, match="has no implementation"):
        WorkflowExecutor(Order)
    with pytest.raises(ValueError, match="concurrency=0"):
        WorkflowExecutor(Order, OrderImpl, concurrency=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"concurrency": "2"},
        {"batch": 5},
        {"timeout": 60},
        {"check_mode": "lax"},
        {"events": "no"},
        {"always_replay": 1},
        {"max_live_runs": -1},
    ],
)
def test_settings_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(wrong))):
        WorkflowExecutor(Order, OrderImpl, **wrong)  # type: ignore[arg-type]  # what is refused


async def test_a_configuration_makes_it() -> None:
    configuration = WorkflowConfiguration(
        name="Order",
        executor=WorkflowExecutorConfiguration(
            class_names=("executor_samples.OrderImpl", "executor_samples.OrderImpl_1"),
            concurrency=2,
            check_mode="strict",
            timeout_seconds=1.5,
        ),
    )
    executor = WorkflowExecutor.from_configuration(configuration)
    engine = engine_of(executor, "context")
    await engine.start()
    await executor.stop(0)

    assert executor.workflow_name == "Order"
    assert engine.value == ["version 1"]


def test_a_configuration_without_executor_is_refused() -> None:
    configuration = WorkflowConfiguration(
        name="Order", state_engine=WorkflowStateEngineConfiguration()
    )
    with pytest.raises(ConfigurationError, match=r"workflows\.Order"):
        WorkflowExecutor.from_configuration(configuration)


# --- tasks that come as messages ----------------------------------------------------------------


@pytest.fixture
async def host(executor: WorkflowExecutor) -> Host:
    host = Host()
    await executor.start(host)
    return host


def asked(engine: Engine, attempt: int = 0) -> ExecuteWorkflowTask:
    """The message that asks another process to run the task of an engine."""
    task = engine.task()
    remote = RemoteWorkflowTask(
        task_id=task.task_id,
        workflow_name=task.workflow_name,
        workflow_id=task.workflow_id,
        workflow_version=task.workflow_version,
        tags=task.tags,
        meta=task.meta,
        method_id=task.method_id,
        method_name=task.method_name,
        arguments=task.arguments,
        history=tuple(encode(entry) for entry in task.history[: task.visible]),
        state_version=task.state_version,
    )
    identifier = f"{task.task_id} attempt {attempt}"
    names = ("Order", task.workflow_id, task.method_id, task.task_id)
    return ExecuteWorkflowTask(identifier, *names, encode(remote), 0)


async def test_a_remote_task_gives_the_same_result(executor: WorkflowExecutor, host: Host) -> None:
    engine = engine_of(executor, "process", "order")
    here = await engine.start()
    engine.complete(0, "a")
    local = await engine.resume()
    engine.log.pop()
    engine.log.pop()

    await host.transport.deliver(asked(engine))

    (answer,) = host.transport.messages
    assert isinstance(answer, WorkflowTaskCompleted)
    assert (answer.workflow_id, answer.method_id, answer.emitted_at) == ("w", "w", 1_234)
    assert answer.workflow_task_id == engine.task().task_id
    assert decode(answer.result) == local
    assert local != here
    assert host.transport.published[0][0] == Topic(TopicKind.WORKFLOW_STATE_ENGINE, "Order")


async def test_answers_have_an_id_per_attempt(executor: WorkflowExecutor, host: Host) -> None:
    engine = engine_of(executor, "context")
    await engine.start()
    del engine.log[1:]
    for attempt in (0, 0, 1):
        await host.transport.deliver(asked(engine, attempt))

    ids = [message.id for _, burst in host.transport.published for message in burst]
    assert ids[0] == ids[1] != ids[2]


async def test_what_cannot_be_read_is_given_back(executor: WorkflowExecutor, host: Host) -> None:
    engine = engine_of(executor, "context")
    damaged = received(asked(engine), b"damaged")
    foreign = attrs.evolve(asked(engine), task=encode(StepAwaited(0, 0)))
    odd = attrs.evolve(asked(engine), task=encode(attrs.evolve(_remote(engine), history=(b"x",))))

    back = await host.transport.deliver(damaged, foreign, odd)

    assert len(back) == 3
    assert not host.transport.published
    assert isinstance(back[0], ReceivedMessage)
    assert back[0].body == b"damaged"


def _remote(engine: Engine) -> RemoteWorkflowTask:
    remote = decode(asked(engine).task)
    assert isinstance(remote, RemoteWorkflowTask)
    return remote


async def test_a_dead_letter_is_answered_with_an_error(
    executor: WorkflowExecutor, host: Host
) -> None:
    engine = engine_of(executor, "context")
    await host.transport.bury(received(asked(engine), b"damaged"), "cannot be read")
    assert not host.transport.published
    await host.transport.bury(asked(engine), "gave up")

    (answer,) = host.transport.messages
    assert isinstance(answer, WorkflowTaskCompleted)
    result = decode(answer.result)
    assert isinstance(result, WorkflowTaskResult)
    assert isinstance(result.error, WorkflowExecutorFailedError)
    assert "gave up" in result.error.failure.exception.message


async def test_a_result_too_large_for_the_broker_is_an_error(
    executor: WorkflowExecutor, host: Host
) -> None:
    engine = engine_of(executor, "process", "x" * 20_000)
    await engine.start()
    del engine.log[1:]

    await host.transport.deliver(asked(engine))

    (answer,) = host.transport.messages
    assert isinstance(answer, WorkflowTaskCompleted)
    result = decode(answer.result)
    assert isinstance(result, WorkflowTaskResult)
    assert isinstance(result.error, WorkflowExecutorFailedError)
    assert result.error.failure.exception.name.endswith("PayloadTooLarge")


async def test_it_consumes_by_workflow_in_order(executor: WorkflowExecutor, host: Host) -> None:
    subscription = host.transport.subscription

    assert subscription is not None
    assert [str(topic) for topic in subscription.topics] == ["workflow-executor:Order"]
    assert subscription.ordered
    assert executor.label == "WorkflowExecutor"
    assert executor.counts == host.transport.consumption.counts


def test_before_it_starts_nothing_is_counted() -> None:
    assert WorkflowExecutor(Order, OrderImpl).counts.received == 0
