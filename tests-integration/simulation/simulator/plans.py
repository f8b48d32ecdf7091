"""Plans of the tests."""

from __future__ import annotations

from simulation.simulator.programs import TASKS
from simulation.simulator.simulation import Plan
from simulation.simulator.world import Mode

MODES = (Mode(), Mode(always_replay=True), Mode(remote=True))


def plan_of_seed(seed: int) -> Plan:
    """All programs, once or twice, in one of the modes."""
    return Plan(seed, [*TASKS] * (1 + seed % 2), MODES[seed % len(MODES)])
