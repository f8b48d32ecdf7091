"""What a field of a configuration class accepts, found out from its type hint."""

from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, cast, get_args, get_origin

from attrs import evolve, frozen

from infinitic_common._configuration.checks import Check


class Unset(Enum):
    """The type of ``UNSET``."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Nothing was said, so that annotations or defaults decide; None means "explicitly none"."""


@frozen
class Shape:
    """What a value may be.

    Attributes:
        kind: Its class; ``tuple`` and ``Mapping`` for collections.
        item: The shape of each element of a tuple.
        choices: The only texts allowed, if they are fixed.
        checks: Conditions beyond the class.
        nullable: Whether None is allowed.
        unsettable: Whether ``UNSET`` is allowed.
    """

    kind: type[object] = object
    item: "Shape | None" = None
    choices: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    nullable: bool = False
    unsettable: bool = False

    def demand(self, value: object) -> str | None:
        """Return what a value must be, or None if it is.

        Args:
            value: A value given by hand, or read.
        """
        if (value is None and self.nullable) or (value is UNSET and self.unsettable):
            return None
        if not self._is_of_kind(value):
            return f"must be {self.noun}"
        if self.kind is tuple and self.item is not None:
            return self._demand_of_items(cast("tuple[object, ...]", value), self.item)
        return next((text for check in self.checks if (text := check.demand(value))), None)

    @property
    def noun(self) -> str:
        """What the value is, for messages."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        return _NOUNS.get(self.kind, f"a {self.kind.__name__}")

    @property
    def is_scalar(self) -> bool:
        """Whether a source gives it as a single value."""
        return self.kind in {str, int, float, bool}

    def _is_of_kind(self, value: object) -> bool:
        if self.choices:
            return value in self.choices
        if isinstance(value, bool):
            return self.kind in {bool, object}
        return isinstance(value, int | float if self.kind is float else self.kind)

    @staticmethod
    def _demand_of_items(values: tuple[object, ...], item: "Shape") -> str | None:
        demands = ((index, item.demand(value)) for index, value in enumerate(values))
        return next((f"item {index} {text}" for index, text in demands if text), None)


_NOUNS: Mapping[type, str] = {
    str: "text",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    cast("type", Mapping): "a block of keys",
}


def shape_of(hint: object) -> Shape:
    """Return the shape that a type hint means.

    Args:
        hint: A class, a Literal of texts, a tuple of any length, a mapping, Annotated with checks,
            or a union of one of them with None and ``Unset``.
    """
    origin, arguments = cast("object", get_origin(hint)), cast("tuple[object, ...]", get_args(hint))
    if origin is Annotated:
        checks = tuple(extra for extra in arguments[1:] if isinstance(extra, Check))
        return evolve(shape_of(arguments[0]), checks=checks)
    if origin is Union or origin is UnionType:
        return _shape_of_union(arguments)
    if origin is Literal:
        return Shape(str, choices=tuple(str(argument) for argument in arguments))
    if origin is tuple:
        return Shape(tuple, shape_of(arguments[0]))
    if isinstance(origin, type):
        return Shape(origin)
    return Shape(hint if isinstance(hint, type) else object)


def _shape_of_union(members: tuple[object, ...]) -> Shape:
    values = [member for member in members if member is not NoneType and member is not Unset]
    shape = shape_of(values[0]) if len(values) == 1 else Shape()
    return evolve(shape, nullable=NoneType in members, unsettable=Unset in members)
