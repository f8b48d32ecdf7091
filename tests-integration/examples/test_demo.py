"""The demo, and that it would tell when something went wrong."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from demo_shop import OrderResult
from demo_shop.journal import Entry
from demo_stage.play import Seen
from demo_stage.script import plans
from demo_stage.view import mistakes

DEMO = Path(__file__).resolve().parent.parent.parent / "tools" / "demo.py"
PLANS = plans(timedelta(seconds=1))


def _as_planned() -> Seen:
    seen = Seen()
    for plan in PLANS:
        order_id = plan.order.id
        seen.results[order_id] = OrderResult(plan.outcome, "")
        seen.journal += [
            Entry(order_id, step, f"{order_id} {step}", ended=False, at=0) for step in plan.steps
        ]
    return seen


def test_the_demo_in_memory_ends_well() -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, DEMO], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every order ended as it should" in done.stdout


def test_steps_decided_once_are_no_mistake_however_often_they_ran() -> None:
    seen = _as_planned()
    seen.journal *= 2
    assert mistakes(PLANS, seen) == []


def test_a_step_decided_twice_is_a_mistake() -> None:
    seen = _as_planned()
    seen.journal.append(Entry("order 1", "ship", "another task", ended=False, at=0))
    (mistake,) = mistakes(PLANS, seen)
    assert mistake.startswith("order 1 must decide charge, ask, ship once")


def test_an_order_that_ends_otherwise_or_not_is_a_mistake() -> None:
    seen = _as_planned()
    seen.results["order 1"] = OrderResult("refunded: refused", "")
    del seen.results["order 2"]
    assert len(mistakes(PLANS, seen)) == 2
