from collections.abc import Callable

import pytest

from infinitic_common.failures import TaskTimedOutError
from infinitic_common.steps import (
    AllOf,
    AnyOf,
    FirstOf,
    Leaf,
    Outcome,
    OutcomeOf,
    Resolution,
    Step,
    evaluate,
    fingerprint,
    leaves_of,
    step_from_plain,
    step_to_plain,
)

A, B, C = Leaf(0), Leaf(1), Leaf(2)
ERROR = TaskTimedOutError("Service", "method", "id")
NOTHING: dict[Leaf, Outcome] = {}
LATER_ERROR = TaskTimedOutError("Service", "method", "later")


def test_a_leaf_ends_with_its_command() -> None:
    assert evaluate(A, NOTHING.get) is None
    assert evaluate(A, {A: Outcome(3, b"v")}.get) == Resolution(3, None, (A,))


def test_all_keeps_the_order_of_its_members() -> None:
    outcomes = {B: Outcome(1), A: Outcome(2)}
    assert evaluate(AllOf((A, B)), {B: Outcome(1)}.get) is None
    assert evaluate(AllOf((A, B)), outcomes.get) == Resolution(2, None, (A, B))


def test_all_fails_with_the_first_failure() -> None:
    outcomes = {A: Outcome(5, error=LATER_ERROR), B: Outcome(4, error=ERROR)}
    assert evaluate(AllOf((A, B, C)), outcomes.get) == Resolution(4, ERROR, (B,))


def test_any_is_its_first_success_even_after_a_failure() -> None:
    outcomes = {A: Outcome(1, error=ERROR)}
    assert evaluate(AnyOf((A, B)), outcomes.get) is None
    outcomes[B] = Outcome(7)
    assert evaluate(AnyOf((A, B)), outcomes.get) == Resolution(7, None, (B,))


def test_any_fails_with_the_last_failure_once_nothing_can_succeed() -> None:
    outcomes = {A: Outcome(9, error=LATER_ERROR), B: Outcome(1, error=ERROR)}
    assert evaluate(AnyOf((A, B)), outcomes.get) == Resolution(9, LATER_ERROR, (A,))


def test_first_ends_with_a_failure_that_comes_first() -> None:
    outcomes = {A: Outcome(1, error=ERROR), B: Outcome(2)}
    assert evaluate(FirstOf((A, B)), outcomes.get) == Resolution(1, ERROR, (A,))
    assert evaluate(FirstOf((A, B)), NOTHING.get) is None


def test_any_of_a_leaf_and_a_pair_is_won_by_the_complete_pair() -> None:
    step = AnyOf((A, AllOf((B, C))))
    assert evaluate(step, {B: Outcome(1), C: Outcome(2)}.get) == Resolution(2, None, (B, C))


def test_steps_travel_as_plain_data() -> None:
    step = FirstOf((AnyOf((A, AllOf((B, Leaf(2, 1))))), Leaf(4)))
    assert step_to_plain(step) == ["first", ["any", 0, ["all", 1, [2, 1]]], 4]
    assert step_from_plain(step_to_plain(step)) == step
    assert leaves_of(step) == [A, B, Leaf(2, 1), Leaf(4)]


def test_a_fingerprint_does_not_depend_on_the_order_of_members() -> None:
    assert fingerprint(AllOf((A, AnyOf((B, C))))) == fingerprint(AllOf((AnyOf((C, B)), A)))
    assert fingerprint(AllOf((A, B))) != fingerprint(AnyOf((A, B)))


# --- rows of the catalogue ------------------------------------------------------------------------


def ended(*positions: int) -> OutcomeOf:
    """The commands at these positions have completed, in this order."""
    outcomes = {Leaf(position): Outcome(order) for order, position in enumerate(positions)}
    return outcomes.get


@pytest.mark.parametrize("combine", [AnyOf, AllOf, lambda members: members[0]])
def test_andor_08_over_a_single_command(combine: Callable[[tuple[Step, ...]], Step]) -> None:
    step = combine((A,))
    assert evaluate(step, ended()) is None
    assert evaluate(step, ended(0)) is not None


def test_andor_09_all_of_two_keeps_their_order() -> None:
    step = AllOf((A, B))
    assert evaluate(step, ended(0)) is None
    found = evaluate(step, ended(1, 0))
    assert found is not None
    assert found.leaves == (A, B)


def test_andor_10_any_gives_the_winner_alone() -> None:
    found = evaluate(AnyOf((A, B)), ended(0))
    assert found is not None
    assert found.leaves == (A,)


def test_andor_13_all_inside_all() -> None:
    step = AllOf((A, AllOf((B, C))))
    assert evaluate(step, ended(0, 1)) is None
    found = evaluate(step, ended(2, 0, 1))
    assert found is not None
    assert found.leaves == (A, B, C)


def test_andor_14_all_inside_any() -> None:
    step = AnyOf((A, AllOf((B, C))))
    assert evaluate(step, ended(1)) is None
    found = evaluate(step, ended(1, 2))
    assert found is not None
    assert found.leaves == (B, C)


RECORDED: dict[str, tuple[object, Step]] = {
    "single": ([7, 2], Leaf(7, 2)),
    "plain": (7, Leaf(7)),
    "all": (["all", 0, 1], AllOf((B, A))),
    "any": (["any", 0, ["all", 1, [3, 1]]], AnyOf((AllOf((Leaf(3, 1), B)), A))),
    "first": (["first", 0, 1], FirstOf((A, B))),
}
"""Steps as releases have stored them, and the code that waits for them: keep every line."""


@pytest.mark.parametrize("stored", RECORDED)
def test_andor_16_steps_of_earlier_releases_are_recognised_in_any_order(stored: str) -> None:
    plain, step = RECORDED[stored]
    assert fingerprint(step_from_plain(plain)) == fingerprint(step)
    assert step_from_plain(plain) == step_from_plain(step_to_plain(step_from_plain(plain)))
