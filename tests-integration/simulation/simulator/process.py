"""An incarnation of an actor, and the boundaries at which it may crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulation.simulator.chaos import Chaos
from simulation.simulator.timeline import Timeline


class Process:
    """One incarnation of an actor.

    Attributes:
        alive: False once it crashed: whatever it still asks for never returns and has no effect.
        reading: False once the broker has given its messages to somebody else.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what an incarnation shares with all others
        self,
        actor: str,
        incarnation: int,
        chaos: Chaos,
        timeline: Timeline,
        on_crash: Callable[[Process, str], None],
        boundaries: list[str],
    ) -> None:
        self.actor = actor
        self.name = f"{actor}#{incarnation}"
        self.chaos = chaos
        self.timeline = timeline
        self.alive = True
        self.reading = True
        self.boundaries = boundaries
        self._on_crash = on_crash
        self._hung: list[asyncio.Future[None]] = []

    async def boundary(self, what: str, detail: object = "") -> None:
        """Pass a boundary; never returns for a process that is dead or dies here."""
        if not self.passes(what, detail):
            await self.hang()

    def passes(self, what: str, detail: object = "") -> bool:
        """As ``boundary``, for callers that cannot wait: False when dead."""
        if not self.alive:
            return False
        self.timeline.add(self.name, what, detail)
        number = len(self.boundaries)
        self.boundaries.append(what)
        # An overlapping incarnation was replaced already, and a client is its user's to replace.
        may_crash = self.reading and self.actor != "client"
        if may_crash and (crash := self.chaos.crash(self.actor, number)) is not None:
            self.timeline.add(self.name, crash.upper(), f"at boundary {number}")
            self._on_crash(self, crash)
        return self.alive

    async def hang(self) -> None:
        """Wait for ever."""
        future = asyncio.get_running_loop().create_future()
        self._hung.append(future)
        await future

    async def moment(self) -> None:
        """Let a moment pass, in which it may die."""
        await asyncio.sleep(self.chaos.seconds())
        if not self.alive:
            await self.hang()
