"""When a failed attempt is made again, and how long something may last."""

from datetime import timedelta
from typing import Protocol

import attrs


class RetryPolicy(Protocol):
    """Decides after a failed attempt."""

    def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
        """Seconds until the next attempt; 0 or less for at once, None for no more attempts.

        Args:
            attempt: Number of automatic retries so far; 0 after the first failure.
            exception: What the attempt raised.
        """
        ...


class TimeoutPolicy(Protocol):
    """Limits how long something lasts."""

    def timeout_seconds(self) -> float | None:
        """The limit, in seconds; None for none."""
        ...

    def grace_seconds(self) -> float:
        """Seconds, after the limit, during which an attempt may still finish by itself."""
        ...


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
