"""What one type hint becomes when it is registered: a pair of plain functions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

Encode: TypeAlias = Callable[[object], object]
Decode: TypeAlias = Callable[[object, object], object]  # cattrs passes (data, type) to its hooks

KLASS: Final = "#klass"
"""Name of the field that tells which class an object is made of."""

SCALARS: Final = frozenset[type]({str, int, bool, float, bytes, type(None)})
"""The types that CBOR stores as they are."""

_SHOWN: Final = frozenset[type]({str, int, bool})
DICT: Final = frozenset[type]({dict})
LIST: Final = frozenset[type]({list})


@frozen
class Node:
    """The conversion of one type.

    Attributes:
        label: readable name of the type; tells apart the members of a union.
        encode: turns a value into what CBOR writes, raises `Mismatch` for any other value.
        decode: the reverse; its second argument is ignored.
        kinds: Python types of the encoded form, as CBOR reads it back.
        exact: types whose values are written unchanged, so that a container may skip them.
        deep: whether values may nest without a limit known from the type.
    """

    label: str
    encode: Encode
    decode: Decode
    kinds: frozenset[type]
    exact: frozenset[type] = frozenset()
    deep: bool = False


class Mismatch(Exception):  # noqa: N818 - never leaves the package: codecs translate it
    """A value, or data, is not of the expected type."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def under(self, step: str) -> "Mismatch":
        """Return this error seen from the enclosing object."""
        self.path = step + self.path
        return self

    def __str__(self) -> str:
        return f"{self.reason} (at {self.path})" if self.path else self.reason


class WrongType(Mismatch):
    """A value is of another type than expected, and nothing in it has been looked at."""


class BadHint(Exception):  # noqa: N818 - never leaves the package: codecs translate it
    """A hint cannot be compiled."""


def mismatch(label: str, value: object) -> Mismatch:
    """Return the error for a value that is not a `label`."""
    return WrongType(handle_refusal(type(value)) or f"expected {label}, got {type_name(value)}")


def type_name(value: object) -> str:
    """Return the name of a value's type, for messages."""
    return "None" if value is None else type(value).__qualname__


def handle_refusal(cls: type) -> str | None:
    """Tell why an object of this class is a handle and not a value, if it is one."""
    if hasattr(cls, "__infinitic_deferred__"):
        return "a Deferred is not a value: pass what its result() returns"
    if hasattr(cls, "__infinitic_stub__"):
        return "a stub is not a value: pass an id or a tag, and make a new stub from it"
    return None


def step_to(key: object) -> str:
    """Return how a path names the item at a key."""
    return f"[{key!r}]" if type(key) in _SHOWN else f"[key of type {type_name(key)}]"


def convert_each(items: list[object], convert: Encode) -> list[object]:
    """Convert every item; an error tells the index of the item."""
    try:
        return [convert(item) for item in items]
    except Mismatch:
        for index, item in enumerate(items):
            convert_at(convert, item, step_to(index))
        raise


def convert_table(
    table: Mapping[object, object], key: Encode, value: Encode
) -> dict[object, object]:
    """Convert the keys and the values of a mapping; an error tells the key."""
    try:
        return {key(k): value(v) for k, v in table.items()}
    except Mismatch:
        for k, v in table.items():
            convert_at(key, k, step_to(k))
            convert_at(value, v, step_to(k))
        raise


def convert_at(convert: Encode, part: object, step: str) -> object:
    """Convert a part; an error tells the step that leads to it."""
    try:
        return convert(part)
    except Mismatch as error:
        raise error.under(step) from error.__cause__


def reading(node: Node) -> Encode:
    """Return the function that reads the data of a node."""
    decode = node.decode
    return lambda data: decode(data, None)


def late_node(label: str) -> tuple[Node, Callable[[Node], None]]:
    """Make a stand-in for a node under construction, and the function that settles it."""
    settled: list[Node] = []
    late = Node(
        label,
        lambda value: settled[0].encode(value),  # noqa: PLW0108 - it is empty as yet
        lambda data, _: settled[0].decode(data, None),
        DICT,
        deep=True,
    )
    return late, settled.append


def any_deep(nodes: Iterable[Node]) -> bool:
    """Tell whether one of the nodes may nest without limit."""
    return any(node.deep for node in nodes)
