"""What goes wrong, and when: from a seed, or at one point only."""

from __future__ import annotations

from random import Random

import attrs

_MOST_FAULTS = 80
"""Of a run: without end, faults make more messages than are ever worked off."""


@attrs.frozen
class Rates:
    """Probabilities of faults, each at every occasion."""

    crash: float = 0.0
    overlap: float = 0.0
    duplicate: float = 0.0
    lost_acknowledgement: float = 0.0
    lost_race: float = 0.0
    store_unavailable: float = 0.0
    broker_unavailable: float = 0.0
    jitter_seconds: float = 0.0


@attrs.frozen
class CrashPoint:
    """A crash of an actor at its n-th boundary, counted from 0 over all its incarnations.

    Attributes:
        overlap: The old incarnation lives on while the new one begins: only its reading and its
            acknowledgements are gone, as when a broker takes it for dead.
    """

    actor: str
    boundary: int
    overlap: bool = False

    def __str__(self) -> str:
        return f"{self.actor}@{self.boundary}{'+overlap' if self.overlap else ''}"


class Chaos:
    """Decides on faults."""

    def __init__(self, random: Random, rates: Rates, point: CrashPoint | None = None) -> None:
        self.random = random
        self.rates = rates
        self.point = point
        self.active = True
        self._left = _MOST_FAULTS

    def happens(self, rate: float) -> bool:
        """Whether a fault of that probability happens now."""
        if not self.active or rate <= 0 or self.random.random() >= rate:
            return False
        self._left -= 1
        self.active = self._left > 0
        return True

    def crash(self, actor: str, boundary: int) -> str | None:
        """Whether the actor crashes here: "crash", "overlap", or None."""
        if self.point is not None and (actor, boundary) == (self.point.actor, self.point.boundary):
            return "overlap" if self.point.overlap else "crash"
        if self.happens(self.rates.crash):
            return "overlap" if self.happens(self.rates.overlap) else "crash"
        return None

    def seconds(self) -> float:
        """How long something takes that takes a moment."""
        return 0.001 + self.random.random() * self.rates.jitter_seconds


def rates_of(random: Random) -> Rates:
    """The mood of a seed: some faults are frequent, others absent."""

    def rate(longest: float) -> float:
        return random.choice((0.0, longest / 4, longest))

    return Rates(
        crash=rate(0.02),
        overlap=random.choice((0.0, 0.5)),
        duplicate=rate(0.2),
        lost_acknowledgement=rate(0.2),
        lost_race=rate(0.2),
        store_unavailable=rate(0.1),
        broker_unavailable=rate(0.05),
        jitter_seconds=random.choice((0.0, 0.02, 0.5)),
    )
