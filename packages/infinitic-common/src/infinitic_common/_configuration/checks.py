"""Bounds of single values, declared beside their type: ``Annotated[float, Above(0)]``."""

import re
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from attrs import frozen

_REFERENCES = ("${", "{{")
"""How a reference begins, which a text may hold instead of what is wanted."""


@runtime_checkable
class Check(Protocol):
    """A condition on one value whose type is already right."""

    def demand(self, value: object) -> str | None:
        """Return what the value must be, or None if it is.

        Args:
            value: The value.
        """
        ...

    def in_schema(self) -> dict[str, object]:
        """Return the condition in the words of JSON Schema."""
        ...


@frozen
class Above:
    """A number greater than the bound."""

    bound: float

    def demand(self, value: object) -> str | None:
        """See ``Check``."""
        fine = isinstance(value, int | float) and value > self.bound
        return None if fine else f"must be > {self.bound:g}"

    def in_schema(self) -> dict[str, object]:
        """See ``Check``."""
        return {"exclusiveMinimum": self.bound}


@frozen
class AtLeast:
    """A number not less than the bound."""

    bound: float

    def demand(self, value: object) -> str | None:
        """See ``Check``."""
        fine = isinstance(value, int | float) and value >= self.bound
        return None if fine else f"must be >= {self.bound:g}"

    def in_schema(self) -> dict[str, object]:
        """See ``Check``."""
        return {"minimum": self.bound}


@frozen
class Between:
    """A number within both bounds."""

    lower: float
    upper: float

    def demand(self, value: object) -> str | None:
        """See ``Check``."""
        fine = isinstance(value, int | float) and self.lower <= value <= self.upper
        return None if fine else f"must be between {self.lower:g} and {self.upper:g}"

    def in_schema(self) -> dict[str, object]:
        """See ``Check``."""
        return {"minimum": self.lower, "maximum": self.upper}


@frozen
class NotBlank:
    """A text with something in it."""

    def demand(self, value: object) -> str | None:
        """See ``Check``."""
        return None if str(value).strip() else "must not be blank"

    def in_schema(self) -> dict[str, object]:
        """See ``Check``."""
        return {"minLength": 1}


@frozen
class BeginsWith:
    """A text that begins with one of the prefixes."""

    prefixes: tuple[str, ...]

    def demand(self, value: object) -> str | None:
        """See ``Check``."""
        if str(value).startswith(self.prefixes):
            return None
        return f"must begin with {' or '.join(self.prefixes)}"

    def in_schema(self) -> dict[str, object]:
        """See ``Check``."""
        return {"pattern": f"^({_escaped((*self.prefixes, *_REFERENCES))})"}


@frozen
class Matches:
    """A text of a certain form."""

    pattern: str
    form: str

    def demand(self, value: object) -> str | None:
        """See ``Check``."""
        return None if re.fullmatch(self.pattern, str(value)) else f"must be {self.form}"

    def in_schema(self) -> dict[str, object]:
        """See ``Check``."""
        return {"pattern": f"^({self.pattern})$|{_escaped(_REFERENCES)}"}


def _escaped(texts: Iterable[str]) -> str:
    return "|".join(map(re.escape, texts))
