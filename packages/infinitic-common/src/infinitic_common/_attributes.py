"""The attributes that an object itself has."""

from collections.abc import Iterator
from typing import cast


def attributes_of(value: object) -> dict[str, object]:
    """Names and values of the attributes of an object, those in slots included."""
    found = dict(cast("dict[str, object]", getattr(value, "__dict__", {})))
    for name in _slots(type(value)):
        if hasattr(value, name):
            found[name] = getattr(value, name)
    return found


def _slots(cls: type) -> Iterator[str]:
    for parent in cls.__mro__:
        slots = cast("str | tuple[str, ...]", vars(parent).get("__slots__", ()))
        names = (slots,) if isinstance(slots, str) else slots
        yield from (name for name in names if not name.startswith("__"))
