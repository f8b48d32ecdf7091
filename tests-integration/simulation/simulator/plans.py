"""Plans of the tests."""

from __future__ import annotations

from random import Random

from simulation.simulator.programs import PROGRAMS
from simulation.simulator.simulation import Plan
from simulation.simulator.world import Mode

MODES = (Mode(), Mode(always_replay=True), Mode(remote=True))
_TOGETHER = 4


def plan_of_seed(seed: int) -> Plan:
    """Some programs, once or twice, in one of the modes."""
    programs = Random(seed).sample([*PROGRAMS], _TOGETHER)  # noqa: S311 - to be the same again
    return Plan(seed, programs * (1 + seed % 2), MODES[seed % len(MODES)])
