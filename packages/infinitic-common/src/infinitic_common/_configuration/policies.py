"""Policies that several components share: retries and batches."""

from collections.abc import Iterable
from typing import Annotated

from attrs import Factory, field, frozen

from infinitic_common._configuration.checks import Above, AtLeast, Between, NotBlank
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.settings import Settings


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
        ignored_exceptions: Dotted names of exceptions that are not retried, nor their subclasses.
    """

    minimum_seconds: Annotated[float, Above(0)] = 1.0
    maximum_seconds: float = Factory(_default_maximum, takes_self=True)
    backoff_coefficient: Annotated[float, AtLeast(1)] = 2.0
    random_factor: Annotated[float, Between(0, 1)] = 0.5
    maximum_retries: Annotated[int, AtLeast(0)] = 11
    ignored_exceptions: tuple[Annotated[str, NotBlank()], ...] = ()

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
