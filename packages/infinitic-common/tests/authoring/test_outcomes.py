import traceback

import attrs
import pytest

from infinitic_common import (
    DeferredCanceled,
    DeferredException,
    DeferredFailed,
    DeferredTimedOut,
    DeferredTimeout,
    DeferredUnknown,
    TaskFailed,
    WorkflowExecutorFailed,
    WorkflowFailed,
)
from infinitic_common.codec import encode
from infinitic_common.configuration import ConfigurationError
from infinitic_common.exceptions import UnknownWorkflowVersion, WorkflowChanged
from infinitic_common.failures import (
    DeferredError,
    TaskFailedError,
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowExecutorFailedError,
    WorkflowFailedError,
    WorkflowTimedOutError,
    WorkflowUnknownError,
)
from infinitic_common.outcomes import detail_of, error_of, failure_of, name_of, to_exception
from infinitic_common.serialization import SerializationError


class CustomError(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.custom_string = "42"
        self.custom_int = 42
        self.custom_double = 42.0
        self.custom_list = list(range(10))
        self.connection = object()
        self._private = "hidden"


def fail() -> None:
    try:
        int("card")
    except ValueError as error:
        msg = "sorry"
        raise CustomError(msg) from error


def caught() -> CustomError:
    with pytest.raises(CustomError) as info:
        fail()
    return info.value


FAILURE = failure_of(caught(), worker_name="worker", retry_index=1, seconds_before_retry=None)
TASK = TaskFailedError("Payments", "charge", "task-1", FAILURE)
ERRORS: list[tuple[DeferredError, type[DeferredException]]] = [
    (TASK, DeferredFailed),
    (TaskTimedOutError("Payments", "charge", "task-1"), DeferredTimedOut),
    (WorkflowFailedError("Order", "id", "process", "id", TASK), DeferredFailed),
    (WorkflowExecutorFailedError("Order", "id", "workflow-task", FAILURE), DeferredFailed),
    (WorkflowTimedOutError("Order", "id", "process", "run"), DeferredTimedOut),
    (WorkflowCanceledError("Order", "id", None, None), DeferredCanceled),
    (WorkflowUnknownError("Order", "id", "process", "run"), DeferredUnknown),
]


@pytest.mark.parametrize(("error", "family"), ERRORS)
def test_each_error_has_an_exception_of_its_family(
    error: DeferredError, family: type[DeferredException]
) -> None:
    exception = to_exception(error)
    assert isinstance(exception, family)
    assert str(exception)


@pytest.mark.parametrize(("error", "family"), ERRORS)
def test_an_exception_becomes_its_error_again(
    error: DeferredError, family: type[DeferredException]
) -> None:
    assert error_of(to_exception(error)) == error
    assert issubclass(family, DeferredException)


def test_a_timeout_of_a_wait_is_an_error_of_the_code() -> None:
    timeout = DeferredTimeout(2.0)
    assert error_of(timeout) is None
    assert error_of(WorkflowFailed("Order", "id", "process", "id", timeout)) is None


def test_a_failure_tells_the_remote_exception() -> None:
    detail = FAILURE.exception
    assert detail.name == f"{__name__}.CustomError"
    assert detail.message == "sorry"
    assert detail.cause is not None
    assert detail.cause.name == "ValueError"
    assert "in fail" in FAILURE.stack_trace


def test_public_attributes_of_an_exception_travel() -> None:
    properties = FAILURE.exception.custom_properties()
    assert properties.pop("connection") == "cannot be encoded: object"
    assert properties == {
        "custom_string": "42",
        "custom_int": 42,
        "custom_double": 42.0,
        "custom_list": list(range(10)),
    }


def test_a_task_failure_shows_the_remote_traceback() -> None:
    exception = to_exception(TASK)
    assert str(exception) == (
        f"task Payments.charge (task-1) failed: {__name__}.CustomError: sorry"
    )
    text = "".join(traceback.format_exception(exception))
    assert "On worker:" in text
    assert "in fail" in text


def test_a_workflow_failure_is_caused_by_what_it_did_not_catch() -> None:
    exception = to_exception(WorkflowFailedError("Order", "id", "process", "id", TASK))
    assert isinstance(exception, WorkflowFailed)
    assert isinstance(exception.cause, TaskFailed)
    assert exception.__cause__ is exception.cause
    assert exception.cause.last_failure == FAILURE


def test_code_that_raises_is_told_by_its_failure() -> None:
    error = WorkflowExecutorFailedError("Order", "id", "workflow-task", FAILURE)
    exception = to_exception(error)
    assert isinstance(exception, WorkflowExecutorFailed)
    assert exception.last_failure.exception.message == "sorry"


def test_an_exception_keeps_its_fields_as_arguments() -> None:
    exception = TaskFailed("Payments", "charge", "task-1", FAILURE)
    assert exception.args == ("Payments", "charge", "task-1", FAILURE)


def test_a_cycle_of_causes_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    detail = detail_of(first)
    assert detail.cause is not None
    assert detail.cause.cause is None


def test_a_suppressed_context_is_no_cause() -> None:
    error = ValueError("a")
    error.__context__ = KeyError("b")
    assert detail_of(error).cause is not None
    error.__suppress_context__ = True
    assert detail_of(error).cause is None


def test_an_exception_whose_text_fails_is_told_by_its_arguments() -> None:
    class Mute(Exception):  # noqa: N818 - what it is
        def __str__(self) -> str:
            raise RuntimeError

    assert detail_of(Mute(1)).message == "(1,)"


def test_a_text_that_is_no_unicode_is_told_escaped() -> None:
    failure = failure_of(FileNotFoundError(2, "no file", "a\udcffb"), worker_name="worker")
    assert failure.exception.message == "[Errno 2] no file: 'a\\udcffb'"
    text = failure_of(ValueError("a\udcffb"), worker_name="worker")
    assert text.exception.message == "a\\udcffb"
    assert encode(failure)
    assert encode(text)


def test_attributes_in_slots_travel_too() -> None:
    @attrs.define(eq=False)
    class Slotted(Exception):  # noqa: N818 - what it is
        code: int

    assert detail_of(Slotted(7)).custom_properties() == {"code": 7}


def test_very_long_texts_are_cut() -> None:
    failure = failure_of(ValueError("x" * 100_000), worker_name="worker")
    assert len(failure.exception.message) < 11_000
    assert len(failure.stack_trace) < 21_000


def test_changed_code_says_what_is_recorded_and_what_is_asked_for() -> None:
    error = WorkflowChanged("Order", "process", 3, "Payments::charge (a.py:1)", "timer (a.py:2)")
    assert "Order.process has changed at position 3" in str(error)
    assert "Payments::charge (a.py:1)" in str(error)
    assert "timer (a.py:2)" in str(error)


def test_an_unknown_version_names_those_there_are() -> None:
    assert "version 2" in str(UnknownWorkflowVersion("Order", 2, (0, 1)))
    assert "registered: 0, 1" in str(UnknownWorkflowVersion("Order", 2, (0, 1)))


def test_errors_of_the_framework_are_named_as_they_are_imported() -> None:
    names = [name_of(SerializationError), name_of(ConfigurationError)]
    assert names == [
        "infinitic_common.serialization.SerializationError",
        "infinitic_common.configuration.ConfigurationError",
    ]
