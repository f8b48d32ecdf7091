from datetime import timedelta

import pytest

from infinitic_common import retry, timeout
from infinitic_common.configuration import ConfigurationError
from infinitic_common.decorators import retry_of, timeout_of
from infinitic_common.exceptions import UsageError
from infinitic_common.policies import (
    ExponentialBackoff,
    FixedTimeout,
    as_retry_policy,
    seconds_told_by,
)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("minimum_seconds", -1, "minimumSeconds: must be > 0"),
        ("maximum_seconds", 0, "maximumSeconds: must be > minimumSeconds"),
        ("maximum_seconds", 0.5, "maximumSeconds: must be > minimumSeconds"),
        ("backoff_coefficient", 0.9, "backoffCoefficient: must be >= 1"),
        ("maximum_retries", -1, "maximumRetries: must be >= 0"),
        ("random_factor", -1, "randomFactor: must be between 0 and 1"),
        ("random_factor", 1.1, "randomFactor: must be between 0 and 1"),
        ("ignored_exceptions", (SystemExit,), "ignoredExceptions: item 0 must be an Exception"),
        ("ignored_exceptions", ("",), "ignoredExceptions: item 0 must not be blank"),
    ],
)
def test_retries_05_a_backoff_out_of_bounds_names_the_parameter(
    name: str, value: object, complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        ExponentialBackoff(**{name: value})  # type: ignore[arg-type]  # what is refused


def test_retries_07_the_delays_of_a_backoff_double_up_to_the_longest_one() -> None:
    backoff = ExponentialBackoff(random_factor=0)

    delays = [backoff.seconds_before_retry(n, ValueError()) for n in range(12)]

    assert delays == [*(2.0**n for n in range(10)), 1000.0, None]


def test_retries_07_a_backoff_without_end_does_not_overflow() -> None:
    backoff = ExponentialBackoff(random_factor=0, maximum_retries=10**9, maximum_seconds=60)

    assert backoff.seconds_before_retry(10**6, ValueError()) == 60
    steep = ExponentialBackoff(random_factor=0, maximum_retries=10**9, backoff_coefficient=1e300)
    assert steep.seconds_before_retry(10**6, ValueError()) == 1000


def test_retries_07_randomness_stays_within_its_factor() -> None:
    backoff = ExponentialBackoff(random_factor=0.25)

    delays = [backoff.seconds_before_retry(2, ValueError()) or 0.0 for _ in range(1000)]

    assert 3.0 <= min(delays) < 3.5
    assert 4.5 < max(delays) <= 5.0


def test_ignored_exceptions_are_classes_or_their_names_and_count_with_subclasses() -> None:
    backoff = ExponentialBackoff(ignored_exceptions=(ArithmeticError, "LookupError"))

    assert backoff.seconds_before_retry(0, ZeroDivisionError()) is None
    assert backoff.seconds_before_retry(0, KeyError()) is None
    assert backoff.seconds_before_retry(0, ValueError()) is not None


@pytest.mark.parametrize(
    ("name", "complaint"), [("no.Such", "not found"), ("builtins.int", "must be an Exception")]
)
def test_an_ignored_exception_must_be_one(name: str, complaint: str) -> None:
    backoff = ExponentialBackoff(ignored_exceptions=(name,))
    with pytest.raises(ConfigurationError, match=complaint):
        backoff.ignored_classes(place="services.S.retry")


def test_no_retry_is_a_backoff_of_none() -> None:
    assert ExponentialBackoff(maximum_retries=0).seconds_before_retry(0, ValueError()) is None


def test_a_policy_is_an_object_or_its_class_or_a_function() -> None:
    class Policy:
        def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
            del exception
            return attempt + 0.5

    def decide(attempt: int, exception: Exception) -> float | None:
        del exception
        return attempt + 0.5

    for given in (Policy, Policy(), decide):
        policy = as_retry_policy(given, "here")
        assert policy.seconds_before_retry(1, ValueError()) == 1.5
    with pytest.raises(UsageError, match="here: 3 is no retry policy"):
        as_retry_policy(3, "here")


def test_marks_of_some_parents_can_be_left_out() -> None:
    @timeout(timedelta(seconds=1))
    class Parent:
        @timeout(timedelta(seconds=2))
        def method(self) -> None: ...

    @retry(lambda _attempt, _exception: 0)
    class Child(Parent):
        def method(self) -> None: ...

    assert timeout_of(Child, "method") == FixedTimeout(timedelta(seconds=2))
    assert timeout_of(Child, "method", but=lambda cls: cls is Parent) is None
    policy = retry_of(Child, "method")
    assert policy is not None
    assert policy.seconds_before_retry(0, ValueError()) == 0


class Told:
    def __init__(self, value: object) -> None:
        self.value = value

    def timeout_seconds(self) -> float | None:
        return self.value  # type: ignore[return-value]  # a wrong answer

    def grace_seconds(self) -> float:
        return 0.0


@pytest.mark.parametrize("value", ["soon", True, float("nan"), timedelta(seconds=1)])
def test_a_timeout_that_is_no_number_names_policy_and_value(value: object) -> None:
    with pytest.raises(UsageError, match=r"Told.timeout_seconds\(\) gives .* return seconds"):
        seconds_told_by(Told(value), "timeout_seconds")


@pytest.mark.parametrize("value", [None, 2, 0.5])
def test_a_timeout_is_seconds_or_none(value: float | None) -> None:
    assert seconds_told_by(Told(value), "timeout_seconds") == value
