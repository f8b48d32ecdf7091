"""One crash in a run without other faults: at each boundary of each actor."""

import pytest
from simulation.simulator.chaos import CrashPoint, Rates
from simulation.simulator.plans import MODES
from simulation.simulator.programs import TASKS
from simulation.simulator.simulation import Plan, simulate
from simulation.simulator.world import Mode


@pytest.mark.parametrize("overlap", [False, True], ids=["crash", "overlap"])
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("program", TASKS)
def test_a_program_survives_a_crash_at_each_boundary(
    program: str, mode: Mode, *, overlap: bool
) -> None:
    boundaries = simulate(Plan(1, [program], mode, Rates()))

    for actor, passed in boundaries.items():
        for number in range(len(passed)):
            point = CrashPoint(actor, number, overlap)
            simulate(Plan(1, [program], mode, Rates(), point))


def test_every_kind_of_boundary_is_passed() -> None:
    boundaries = simulate(Plan(1, ["sequential"], Mode(), Rates()))

    kinds = {
        "receive",
        "read",
        "has read",
        "write",
        "has written",
        "publish",
        "published",
        "acknowledge",
        "acknowledged",
    }
    assert kinds <= set(boundaries["engine"])
    assert kinds - {"read", "has read", "write", "has written"} <= set(boundaries["service"])
