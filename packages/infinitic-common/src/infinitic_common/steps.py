"""What a workflow waits for, and whether it is there: one rule for the engine and for replay.

A step is a leaf or a combination of steps. "All" is completed when all members are, and fails with
the first member that does not succeed. "Any" is completed by its first success; when no member can
succeed any more it fails as the last one did. "First" ends as its first member to end did, success or
failure: a wait with a time limit must not outlast the failure of what it waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import attrs

from infinitic_common.failures import DeferredError


@attrs.frozen
class Leaf:
    """Waits for the command at a position; for a receive, for its signal number ``index``."""

    position: int
    index: int = 0


@attrs.frozen
class AllOf:
    """Waits for every member."""

    members: tuple[Step, ...]


@attrs.frozen
class AnyOf:
    """Waits for the first member that succeeds."""

    members: tuple[Step, ...]


@attrs.frozen
class FirstOf:
    """Waits for the first member that ends, in whatever way."""

    members: tuple[Step, ...]


Step = Leaf | AllOf | AnyOf | FirstOf


@attrs.frozen
class Outcome:
    """How a command ended.

    Attributes:
        order: Its place in the history of the method run: of two outcomes the smaller came first.
        value: The encoded value of a success.
        error: Why there is none.
    """

    order: int
    value: bytes = b""
    error: DeferredError | None = None


@attrs.frozen
class Resolution:
    """How a step ended.

    Attributes:
        order: When; the place of the outcome that decided.
        error: Why it failed; None for a success.
        leaves: For a success, the leaves whose values make the step's value, in order; for "any"
            and "first" the leaves of the winning member.
    """

    order: int
    error: DeferredError | None
    leaves: tuple[Leaf, ...]


OutcomeOf = Callable[[Leaf], "Outcome | None"]


def evaluate(step: Step, outcome_of: OutcomeOf) -> Resolution | None:
    """How the step ended, given the outcomes so far; None while it waits.

    Args:
        step: What is waited for.
        outcome_of: The outcome of a leaf; None while there is none.
    """
    if isinstance(step, Leaf):
        outcome = outcome_of(step)
        return None if outcome is None else Resolution(outcome.order, outcome.error, (step,))
    members = [evaluate(member, outcome_of) for member in step.members]
    return _RULES[type(step)](members)


def _all(members: Sequence[Resolution | None]) -> Resolution | None:
    ended = [member for member in members if member is not None]
    failed = [member for member in ended if member.error is not None]
    if failed:
        return min(failed, key=_order)
    if len(ended) < len(members):
        return None
    leaves = tuple(leaf for member in ended for leaf in member.leaves)
    return Resolution(max((member.order for member in ended), default=0), None, leaves)


def _any(members: Sequence[Resolution | None]) -> Resolution | None:
    ended = [member for member in members if member is not None]
    succeeded = [member for member in ended if member.error is None]
    if succeeded:
        return min(succeeded, key=_order)
    if len(ended) < len(members):
        return None
    return max(ended, key=_order)


def _first(members: Sequence[Resolution | None]) -> Resolution | None:
    return min((member for member in members if member is not None), key=_order, default=None)


def _order(resolution: Resolution) -> int:
    return resolution.order


_RULES = {AllOf: _all, AnyOf: _any, FirstOf: _first}
_NAMES = {AllOf: "all", AnyOf: "any", FirstOf: "first"}
_COMBINATIONS: dict[str, Callable[[tuple[Step, ...]], Step]] = {
    "all": AllOf,
    "any": AnyOf,
    "first": FirstOf,
}


def leaves_of(step: Step) -> list[Leaf]:
    """All leaves of a step, from left to right."""
    if isinstance(step, Leaf):
        return [step]
    return [leaf for member in step.members for leaf in leaves_of(member)]


def step_to_plain(step: Step) -> object:
    """A step as plain data: a position, ``[position, index]``, or ``["all", member, …]``."""
    if isinstance(step, Leaf):
        return [step.position, step.index] if step.index else step.position
    return [_NAMES[type(step)], *(step_to_plain(member) for member in step.members)]


def step_from_plain(plain: object) -> Step:
    """The step of plain data.

    Raises:
        ValueError: It is none.
    """
    if isinstance(plain, int):
        return Leaf(plain)
    match cast("Sequence[object]", plain) if isinstance(plain, list | tuple) else ():
        case [int() as position, int() as index]:
            return Leaf(position, index)
        case [str() as name, *members] if name in _COMBINATIONS:
            return _COMBINATIONS[name](tuple(map(step_from_plain, members)))
        case _:
            msg = f"{plain!r:.100} is no step"
            raise ValueError(msg)


def fingerprint(step: Step) -> object:
    """What identifies a step when code is checked: the order of members does not count."""
    if isinstance(step, Leaf):
        return (step.position, step.index)
    name = _NAMES[type(step)]
    return (name, tuple(sorted(repr(fingerprint(member)) for member in step.members)))
