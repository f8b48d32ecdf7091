"""One crash in a run without other faults: at each boundary of each actor."""

import pytest
from simulation.simulator.chaos import CrashPoint, Rates
from simulation.simulator.plans import MODES
from simulation.simulator.programs import FIRST, PROGRAMS
from simulation.simulator.simulation import Plan, simulate
from simulation.simulator.world import Mode

_LOCAL_STRIDE, _REMOTE_STRIDE = 2, 8
"""Of the longer programs some boundaries are enough: all take long, and seeds try others."""


@pytest.mark.parametrize("overlap", [False, True], ids=["crash", "overlap"])
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("program", FIRST)
def test_rel_10_rel_11_a_program_survives_a_crash_at_each_boundary(
    program: str, mode: Mode, *, overlap: bool
) -> None:
    boundaries = simulate(Plan(1, [program], mode, Rates()))

    for actor, passed in boundaries.items():
        for number in range(len(passed)):
            point = CrashPoint(actor, number, overlap)
            simulate(Plan(1, [program], mode, Rates(), point))


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name not in FIRST])
def test_tags_children_and_retries_survive_a_crash_at_many_boundaries(program: str) -> None:
    for actor, passed in simulate(Plan(1, [program], Mode(), Rates())).items():
        for number in range(0, len(passed), _LOCAL_STRIDE):
            simulate(Plan(1, [program], Mode(), Rates(), CrashPoint(actor, number)))


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name not in FIRST])
def test_tags_children_and_retries_survive_two_incarnations_at_once(program: str) -> None:
    mode = Mode(remote=True)
    for actor, passed in simulate(Plan(1, [program], mode, Rates())).items():
        for number in range(1, len(passed), _REMOTE_STRIDE):
            simulate(Plan(1, [program], mode, Rates(), CrashPoint(actor, number, overlap=True)))


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
    tags = simulate(Plan(1, ["methods"], Mode(), Rates()))["tags"]
    assert {"receive", "publish", "acknowledge"} <= set(tags)
    assert kinds - {"read", "has read", "write", "has written"} <= set(boundaries["service"])
