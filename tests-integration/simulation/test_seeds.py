"""Random faults, all decided by a seed.

``INFINITIC_SIMULATION_SEEDS=17`` or ``=0-5000`` (the last one included) runs others.
"""

import os

import pytest
from simulation.simulator.chaos import Rates
from simulation.simulator.plans import plan_of_seed
from simulation.simulator.simulation import Plan, SimulationError, simulate
from simulation.simulator.world import Mode

_VARIABLE = "INFINITIC_SIMULATION_SEEDS"
_PER_TEST = 25


def _batches() -> list[range]:
    first, _, last = os.environ.get(_VARIABLE, "0-299").partition("-")
    seeds = range(int(first), int(last or first) + 1)
    return [seeds[start : start + _PER_TEST] for start in range(0, len(seeds), _PER_TEST)]


@pytest.mark.parametrize("seeds", _batches(), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_programs_survive_all_faults_together(seeds: range) -> None:
    for seed in seeds:
        simulate(plan_of_seed(seed))


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_seed_gives_the_same_run_each_time(seed: int) -> None:
    assert simulate(plan_of_seed(seed)) == simulate(plan_of_seed(seed))


def test_a_failure_shows_its_seed_and_its_timeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.simulator.store.Database.write", lambda *_: True)

    with pytest.raises(SimulationError) as failure:
        simulate(Plan(7, ["sequential"], Mode(), Rates()))

    text = str(failure.value)
    assert "seed 7" in text
    assert "engine#1" in text
    assert "DispatchWorkflow" in text


def test_programs_survive_when_their_code_takes_longer_than_a_turn_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infinitic_workflow_engine._turns.PATIENCE_SECONDS", 0)

    for seed in range(25):
        simulate(plan_of_seed(seed))
