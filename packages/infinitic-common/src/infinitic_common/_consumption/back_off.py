"""How long to wait before trying again."""

import attrs


@attrs.frozen
class BackOff:
    """Waiting times that double from the first to the longest.

    Attributes:
        first: Seconds before the second try.
        longest: Seconds that are never exceeded.
    """

    first: float = 0.1
    longest: float = 10.0

    def seconds(self, failures: int) -> float:
        """The wait after that many failures (at least 1)."""
        # The exponent is bounded because a count from the broker is not.
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
