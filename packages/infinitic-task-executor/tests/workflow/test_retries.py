"""Code that raised and runs again by itself: who decides, and what never does."""

from collections.abc import Callable
from datetime import timedelta

import attrs
import pytest
from executor_doubles import FakeEngine, FunctionWorkflow, Instance
from executor_samples import Order, OrderImpl, OrderImpl_1

from infinitic_common import check_mode, retry, version
from infinitic_common.configuration import (
    UNSET,
    ConfigurationError,
    ExponentialBackoff,
    Unset,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
)
from infinitic_common.exceptions import InvalidImplementation, TaskTimedOut, UsageError
from infinitic_common.failures import TaskTimedOutError, WorkflowExecutorFailedError
from infinitic_common.policies import FunctionRetry, RetryPolicy
from infinitic_common.serialization import SerializationError
from infinitic_common.workflow_tasks import WorkflowTask, WorkflowTaskResult
from infinitic_task_executor import WorkflowExecutor
from infinitic_task_executor._workflow.execution import Execution
from infinitic_task_executor._workflow.runner import RunnerSettings, WorkflowTaskRunner

TWICE = FunctionRetry(lambda attempt, _: None if attempt > 1 else 0.5 * (attempt + 1))


def raising(error: BaseException) -> Callable[[Instance], object]:
    def program(instance: Instance) -> object:
        del instance
        raise error

    return program


@attrs.define(eq=False)
class Engine(FakeEngine):
    """An engine whose tasks were retried so often."""

    retries: int = 0

    def task(self) -> WorkflowTask:
        return attrs.evolve(super().task(), retry_index=self.retries)


async def result_of(
    error: BaseException,
    *,
    setting: RetryPolicy | Unset | None = UNSET,
    marked: RetryPolicy | None = None,
    retries: int = 0,
) -> WorkflowTaskResult:
    definition = FunctionWorkflow(function=raising(error), retry=marked)
    settings = RunnerSettings("test", 1, 60.0, always_replay=False, max_live_runs=10)
    handler = WorkflowTaskRunner(settings, Execution({0: definition}, None, "worker", setting))
    result = await Engine(handler, retries=retries).start()
    handler.close()
    return result


@pytest.mark.parametrize(("retries", "expected"), [(0, 500), (1, 1000), (2, None)])
async def test_a_policy_says_when(retries: int, expected: int | None) -> None:
    result = await result_of(ValueError("a"), setting=TWICE, retries=retries)

    assert result.retry_after_ms == expected
    assert isinstance(result.error, WorkflowExecutorFailedError)
    failure = result.error.failure
    assert failure.retry_index == retries
    assert failure.seconds_before_retry == (None if expected is None else expected / 1000)


async def test_without_a_policy_code_is_not_run_again() -> None:
    assert (await result_of(ValueError("a"))).retry_after_ms is None


@pytest.mark.parametrize(("setting", "expected"), [(UNSET, 500), (None, None)])
async def test_the_class_decides_when_the_executor_says_nothing(
    setting: Unset | None, expected: int | None
) -> None:
    result = await result_of(ValueError("a"), setting=setting, marked=TWICE)
    assert result.retry_after_ms == expected


@pytest.mark.parametrize(
    "error", [UsageError("mend the code"), SerializationError("mend the type"), SystemExit(1)]
)
async def test_what_only_other_code_mends_is_not_run_again(error: BaseException) -> None:
    assert (await result_of(error, setting=TWICE)).retry_after_ms is None


@pytest.mark.parametrize("answer", [float("nan"), float("inf"), "soon", SystemExit()])
async def test_a_policy_that_fails_is_no_policy(answer: object) -> None:
    def decide(_attempt: int, _exception: Exception) -> float:
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[return-value]  # the mistake itself

    result = await result_of(ValueError("a"), setting=FunctionRetry(decide))
    assert result.retry_after_ms is None
    assert isinstance(result.error, WorkflowExecutorFailedError)
    assert result.error.failure.exception.name == "ValueError"


@pytest.mark.parametrize("answer", ["soon", timedelta(seconds=3), float("nan")])
async def test_what_a_policy_must_give_is_told(
    caplog: pytest.LogCaptureFixture, answer: object
) -> None:
    def decide(_attempt: int, _exception: Exception) -> float:
        return answer  # type: ignore[return-value]  # the mistake itself

    await result_of(ValueError("a"), setting=FunctionRetry(decide))
    assert f"gives {answer!r}: give seconds, or None" in caplog.text


async def test_an_uncaught_failure_of_a_task_is_not_run_again() -> None:
    result = await result_of(TaskTimedOut("S", "do", "id"), setting=TWICE)
    assert result.error == TaskTimedOutError("S", "do", "id")
    assert result.retry_after_ms is None


def test_settings_are_told_in_one_line() -> None:
    told = str(WorkflowExecutor(Order, OrderImpl, OrderImpl_1, retry=None, check_mode="strict"))
    assert told == (
        "WorkflowExecutor Order: versions 0, 1, concurrency 1, timeout 60 s, retry none, "
        "check mode strict"
    )


def test_the_configuration_has_a_policy_too() -> None:
    configuration = WorkflowConfiguration(
        name="Order",
        executor=WorkflowExecutorConfiguration(
            class_names=("executor_samples.OrderImpl",), retry=ExponentialBackoff()
        ),
    )
    assert "ExponentialBackoff" in str(WorkflowExecutor.from_configuration(configuration))


def test_an_ignored_exception_that_is_none_is_refused() -> None:
    backoff = ExponentialBackoff(ignored_exceptions=("executor_samples.Order",))
    configuration = WorkflowConfiguration(
        name="Order",
        executor=WorkflowExecutorConfiguration(
            class_names=("executor_samples.OrderImpl",), retry=backoff
        ),
    )
    with pytest.raises(ConfigurationError, match=r"workflows\.Order\.retry"):
        WorkflowExecutor.from_configuration(configuration)


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no retry policy"):
        WorkflowExecutor(Order, OrderImpl, retry=3)  # type: ignore[arg-type]  # what is refused


@version(4)
@retry(TWICE)
@check_mode("none")
class Marked(OrderImpl):
    pass


@version(4)
class MarkedToo(OrderImpl):
    pass


def test_config_14_two_classes_marked_with_one_version_are_refused() -> None:
    with pytest.raises(InvalidImplementation, match="both are version 4"):
        WorkflowExecutor(Order, Marked, MarkedToo)
    assert "versions 0, 4" in str(WorkflowExecutor(Order, Marked, OrderImpl))


def test_config_14_marked_classes_may_have_any_name() -> None:
    executor = WorkflowExecutorConfiguration(
        class_names=(f"{__name__}.Marked", "executor_samples.OrderImpl")
    )
    assert list(executor.conflicts()) == []


async def test_an_instance_that_cannot_be_made_is_told_and_not_retried() -> None:
    class Broken(OrderImpl):
        def __init__(self) -> None:
            message = "no setting"
            raise KeyError(message)

    executor = WorkflowExecutor(Order, Broken, retry=TWICE)
    engine = NamedEngine(executor)  # type: ignore[arg-type]  # in place of a runner
    result = await engine.start()

    assert result.retry_after_ms is None
    assert isinstance(result.error, WorkflowExecutorFailedError)
    message = result.error.failure.exception.message
    assert (
        message == "no instance of version 0 of workflow Order can be made: KeyError: 'no setting'"
    )
    await executor.stop(0)


@attrs.define(eq=False)
class NamedEngine(FakeEngine):
    """The engine of the order workflow."""

    def task(self) -> WorkflowTask:
        return attrs.evolve(super().task(), method_name="context", workflow_name="Order")
