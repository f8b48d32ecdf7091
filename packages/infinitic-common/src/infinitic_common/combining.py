"""Many deferreds as one: all of them, or the first that succeeds."""

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast, overload

from infinitic_common.deferred import AllDeferred, AnyDeferred, Deferred
from infinitic_common.exceptions import UsageError

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
T6 = TypeVar("T6")
T7 = TypeVar("T7")
T8 = TypeVar("T8")


@overload
def all_of(
    a: Deferred[T1],
    b: Deferred[T2],
    /,
) -> Deferred[tuple[T1, T2]]: ...
@overload
def all_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    /,
) -> Deferred[tuple[T1, T2, T3]]: ...
@overload
def all_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    /,
) -> Deferred[tuple[T1, T2, T3, T4]]: ...
@overload
def all_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    /,
) -> Deferred[tuple[T1, T2, T3, T4, T5]]: ...
@overload
def all_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    f: Deferred[T6],
    /,
) -> Deferred[tuple[T1, T2, T3, T4, T5, T6]]: ...
@overload
def all_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    f: Deferred[T6],
    g: Deferred[T7],
    /,
) -> Deferred[tuple[T1, T2, T3, T4, T5, T6, T7]]: ...
@overload
def all_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    f: Deferred[T6],
    g: Deferred[T7],
    h: Deferred[T8],
    /,
) -> Deferred[tuple[T1, T2, T3, T4, T5, T6, T7, T8]]: ...
@overload
def all_of(deferreds: Sequence[Deferred[T]], /) -> Deferred[list[T]]: ...
def all_of(*deferreds: Deferred[object] | Sequence[Deferred[object]]) -> Deferred[object]:
    """Wait for all of the deferreds.

    Separate arguments give a tuple of their values, a list of deferreds gives a list. The first
    that does not succeed makes the whole fail like it.
    """
    if len(deferreds) == 1 and not isinstance(deferreds[0], Deferred):
        return AllDeferred(tuple(deferreds[0]), list)
    return AllDeferred(cast("Sequence[Deferred[object]]", deferreds), tuple)


@overload
def any_of(
    a: Deferred[T1],
    b: Deferred[T2],
    /,
) -> Deferred[T1 | T2]: ...
@overload
def any_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    /,
) -> Deferred[T1 | T2 | T3]: ...
@overload
def any_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    /,
) -> Deferred[T1 | T2 | T3 | T4]: ...
@overload
def any_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    /,
) -> Deferred[T1 | T2 | T3 | T4 | T5]: ...
@overload
def any_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    f: Deferred[T6],
    /,
) -> Deferred[T1 | T2 | T3 | T4 | T5 | T6]: ...
@overload
def any_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    f: Deferred[T6],
    g: Deferred[T7],
    /,
) -> Deferred[T1 | T2 | T3 | T4 | T5 | T6 | T7]: ...
@overload
def any_of(
    a: Deferred[T1],
    b: Deferred[T2],
    c: Deferred[T3],
    d: Deferred[T4],
    e: Deferred[T5],
    f: Deferred[T6],
    g: Deferred[T7],
    h: Deferred[T8],
    /,
) -> Deferred[T1 | T2 | T3 | T4 | T5 | T6 | T7 | T8]: ...
@overload
def any_of(deferreds: Sequence[Deferred[T]], /) -> Deferred[T]: ...
def any_of(*deferreds: Deferred[object] | Sequence[Deferred[object]]) -> Deferred[object]:
    """Wait for the first of the deferreds that succeeds; its value is the value.

    When none can succeed any more it fails like the last one did.

    Raises:
        UsageError: There is none to wait for.
    """
    parts = (
        deferreds[0]
        if len(deferreds) == 1 and not isinstance(deferreds[0], Deferred)
        else deferreds
    )
    if not parts:
        msg = "any_of() of nothing would wait for ever: give it a deferred"
        raise UsageError(msg)
    return AnyDeferred(tuple(cast("Iterable[Deferred[object]]", parts)))
