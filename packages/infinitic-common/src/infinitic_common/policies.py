"""When a failed attempt is made again, and how long something may last."""

from collections.abc import Callable
from datetime import timedelta
from math import isnan
from typing import Protocol, cast

import attrs

from infinitic_common._configuration.policies import ExponentialBackoff
from infinitic_common.exceptions import InfiniticError, UsageError

__all__ = [
    "ExecutionTimedOut",
    "ExponentialBackoff",
    "FixedTimeout",
    "FunctionRetry",
    "RetryFunction",
    "RetryPolicy",
    "TimeoutPolicy",
    "as_retry_policy",
    "seconds_told_by",
]


class ExecutionTimedOut(InfiniticError, TimeoutError):  # noqa: N818 - it says what happened
    """An attempt of a task lasted longer than its executor allows; retry policies get it too."""


class RetryPolicy(Protocol):
    """Decides after a failed attempt."""

    def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
        """Seconds until the next attempt; 0 or less for at once, None for no more attempts.

        Args:
            attempt: Number of automatic retries so far; 0 after the first failure.
            exception: What the attempt raised.
        """
        ...


RetryFunction = Callable[[int, Exception], float | None]
"""A ``RetryPolicy`` as a plain function."""


@attrs.frozen
class FunctionRetry:
    """A ``RetryPolicy`` made of a function."""

    function: RetryFunction

    def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
        """See ``RetryPolicy``."""
        return self.function(attempt, exception)


def as_retry_policy(given: object, place: str) -> RetryPolicy:
    """A policy from a policy, a class of policies, or a function.

    Args:
        given: What an author wrote.
        place: Where, for the message.

    Raises:
        UsageError: It is none of these.
    """
    made = cast("Callable[[], object]", given)() if isinstance(given, type) else given
    if hasattr(made, "seconds_before_retry"):
        return cast("RetryPolicy", made)
    if callable(made):
        return FunctionRetry(cast("RetryFunction", made))
    msg = (
        f"{place}: {given!r} is no retry policy: give a function of attempt and exception, or an "
        "object with seconds_before_retry(attempt, exception)"
    )
    raise UsageError(msg)


class TimeoutPolicy(Protocol):
    """Limits how long something lasts."""

    def timeout_seconds(self) -> float | None:
        """The limit, in seconds; None for none."""
        ...

    def grace_seconds(self) -> float:
        """Seconds, after the limit, during which an attempt may still finish by itself."""
        ...


def seconds_told_by(policy: TimeoutPolicy, method: str) -> float | None:
    """The seconds that a policy tells; None for no limit.

    Args:
        policy: The policy.
        method: Name of the method that is asked: ``timeout_seconds`` or ``grace_seconds``.

    Raises:
        UsageError: What it tells is no number.
    """
    told = cast("Callable[[], object]", getattr(policy, method))()
    if told is None:
        return None
    if isinstance(told, bool) or not isinstance(told, int | float) or isnan(told):
        msg = (
            f"{type(policy).__name__}.{method}() gives {told!r}, which is no number: return "
            "seconds, as 2.5 or timedelta(minutes=1).total_seconds(), or None for no limit"
        )
        raise UsageError(msg)
    return told


@attrs.frozen
class FixedTimeout:
    """A ``TimeoutPolicy`` that is always the same."""

    limit: timedelta
    grace: timedelta = timedelta(0)

    def timeout_seconds(self) -> float:
        """See ``TimeoutPolicy``."""
        return self.limit.total_seconds()

    def grace_seconds(self) -> float:
        """See ``TimeoutPolicy``."""
        return self.grace.total_seconds()
