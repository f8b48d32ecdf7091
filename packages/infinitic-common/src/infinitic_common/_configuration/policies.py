"""Policies that several components share: retries and batches."""

import random
from collections.abc import Iterable
from functools import cache
from typing import Annotated

from attrs import Factory, field, frozen

from infinitic_common._configuration.checks import Above, AtLeast, Between, NotBlank
from infinitic_common._configuration.classes import load_exceptions
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.settings import Settings


@frozen
class ExceptionOrName:
    """A class of exceptions, or a dotted name."""

    def demand(self, value: object) -> str | None:
        """See ``Check``."""
        if isinstance(value, str):
            return NotBlank().demand(value)
        fine = isinstance(value, type) and issubclass(value, Exception)
        return None if fine else "must be an Exception"

    def in_schema(self) -> dict[str, object]:
        """See ``Check``; in YAML it is a name."""
        return {"type": "string", "minLength": 1}


IgnoredException = Annotated[str | type[Exception], ExceptionOrName()]


@cache
def _classes(given: tuple[IgnoredException, ...], place: str) -> tuple[type[Exception], ...]:
    found = (
        load_exceptions((one,), place=place) if isinstance(one, str) else (one,) for one in given
    )
    return tuple(cls for classes in found for cls in classes)


def _default_maximum(backoff: "ExponentialBackoff") -> float:
    return 1000 * backoff.minimum_seconds


@frozen(kw_only=True)
class ExponentialBackoff(Settings):
    """When a failed attempt is made again.

    The delay before attempt *n* + 1 is ``minimum_seconds * backoff_coefficient ** n``, at most
    ``maximum_seconds``, then multiplied by a random factor around 1.

    Attributes:
        minimum_seconds: First delay.
        maximum_seconds: Longest delay before randomness; by default 1000 times the first.
        backoff_coefficient: Growth of the delay from one attempt to the next.
        random_factor: Greatest relative deviation, 0 for none.
        maximum_retries: How many attempts may follow the first; 0 for none.
        ignored_exceptions: Exceptions that are not retried, nor their subclasses: classes, or their
            dotted names.
    """

    minimum_seconds: Annotated[float, Above(0)] = 1.0
    maximum_seconds: float = Factory(_default_maximum, takes_self=True)
    backoff_coefficient: Annotated[float, AtLeast(1)] = 2.0
    random_factor: Annotated[float, Between(0, 1)] = 0.5
    maximum_retries: Annotated[int, AtLeast(0)] = 11
    ignored_exceptions: tuple[IgnoredException, ...] = ()

    def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
        """See ``RetryPolicy``.

        Raises:
            ConfigurationError: An ignored exception is not found, or is no exception.
        """
        if attempt >= self.maximum_retries or isinstance(exception, self.ignored_classes()):
            return None
        try:
            delay = self.minimum_seconds * float(self.backoff_coefficient) ** attempt
        except OverflowError:
            delay = self.maximum_seconds
        delay = min(self.maximum_seconds, delay)
        spread = self.random_factor * random.uniform(-1, 1)  # noqa: S311 - keeps nobody out
        return delay * (1 + spread)

    def ignored_classes(self, *, place: str = "retry") -> tuple[type[Exception], ...]:
        """The classes of the ignored exceptions.

        Args:
            place: The key of these settings, for messages.

        Raises:
            ConfigurationError: One is not found, or is no exception.
        """
        return _classes(self.ignored_exceptions, f"{place}.ignoredExceptions")

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        if self.maximum_seconds <= self.minimum_seconds:
            bound = f"must be > minimumSeconds ({self.minimum_seconds:g})"
            yield Problem("maximumSeconds", f"{bound}, is {self.maximum_seconds:g}")


@frozen(kw_only=True)
class BatchConfiguration(Settings):
    """How many messages are handled together.

    Attributes:
        max_messages: Most messages in a batch.
        max_seconds: Longest wait for a batch to fill; engines never wait.
    """

    max_messages: Annotated[int, Above(0)] = field(
        default=1000, metadata={"aliases": ("maxEvents",)}
    )
    max_seconds: Annotated[float, Above(0)] = 1.0
