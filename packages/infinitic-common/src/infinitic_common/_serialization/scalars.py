"""Values without parts: numbers, text, instants, enumerations, literals."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TypeGuard, TypeVar, cast, get_args
from uuid import UUID

from infinitic_common._serialization.node import BadHint, Mismatch, Node, mismatch
from infinitic_common._serialization.wire import (
    DATE,
    DATETIME,
    DECIMAL,
    MICROSECOND,
    TIME,
    TIMEDELTA,
    UUID_BYTES,
    Tag,
)

V = TypeVar("V")

NAIVE = (
    "a datetime without time zone names no instant: "
    "give it one, for example datetime.now(timezone.utc)"
)


def _native(cls: type[V], plain: Callable[[V], object], exact: frozenset[type]) -> Node:
    """Make the node of a type that CBOR knows; `plain` removes a subclass."""
    label = cls.__name__

    def encode(value: object) -> object:
        if type(value) in exact:
            return value
        if isinstance(value, cls):
            return plain(value)
        raise mismatch(label, value)

    def decode(data: object, _: object) -> object:
        if type(data) in exact:
            return data
        raise mismatch(label, data)

    return Node(label, encode, decode, frozenset({cls}), exact)


def _none() -> Node:
    label = "None"

    def encode(value: object) -> object:
        if value is None:
            return None
        raise mismatch(label, value)

    none = frozenset({type(None)})
    return Node(label, encode, lambda data, _: encode(data), none, none)


def _float() -> Node:
    label = "float"

    def encode(value: object) -> object:
        if type(value) is float:
            return value
        if isinstance(value, (float, int)):
            return _to_float(value)
        raise mismatch(label, value)

    floats = frozenset({float})
    return Node(label, encode, lambda data, _: encode(data), floats, floats)


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        msg = "the integer is too large for a float: declare int"
        raise Mismatch(msg) from error


def _tagged(cls: type[V], pack: Callable[[V], object], *, refused: type | None = None) -> Node:
    """Make the node of a type that has its own tag, so that reading gives it back at once."""
    label = cls.__name__

    def encode(value: object) -> object:
        if isinstance(value, cls) and not (refused and isinstance(value, refused)):
            return pack(value)
        raise mismatch(label, value)

    def decode(data: object, _: object) -> object:
        if type(data) is cls:
            return data
        raise mismatch(label, data)

    return Node(label, encode, decode, frozenset({cls}))


def pack_datetime(value: datetime) -> object:
    """Write an instant with its UTC offset, to the microsecond."""
    if value.utcoffset() is None:
        raise Mismatch(NAIVE)
    return Tag(DATETIME, value.isoformat())


def pack_date(value: date) -> object:
    """Write a calendar date."""
    return Tag(DATE, value.isoformat())


def pack_time(value: time) -> object:
    """Write a time of day."""
    return Tag(TIME, value.isoformat())


def pack_timedelta(value: timedelta) -> object:
    """Write a duration as a count of microseconds."""
    return Tag(TIMEDELTA, value // MICROSECOND)


def pack_decimal(value: Decimal) -> object:
    """Write a decimal as text: CBOR's own form forgets the sign of zero."""
    return Tag(DECIMAL, str(value))


def pack_uuid(value: UUID) -> object:
    """Write a UUID as its 16 bytes."""
    return Tag(UUID_BYTES, value.bytes)


SCALAR_NODES: dict[object, Node] = {
    type(None): _none(),
    bool: _native(bool, bool, frozenset({bool})),
    int: _native(int, int.__int__, frozenset({int, bool})),
    float: _float(),
    str: _native(str, str.__str__, frozenset({str})),
    bytes: _native(bytes, bytes, frozenset({bytes})),
    datetime: _tagged(datetime, pack_datetime),
    date: _tagged(date, pack_date, refused=datetime),
    time: _tagged(time, pack_time),
    timedelta: _tagged(timedelta, pack_timedelta),
    Decimal: _tagged(Decimal, pack_decimal),
    UUID: _tagged(UUID, pack_uuid),
}


def enum_to_plain(member: Enum) -> object:
    """Return what represents a member: its value, or its name if the values are not plain."""
    return member.value if _by_value(type(member)) else member.name


def _by_value(cls: type[Enum]) -> bool:
    return all(type(member.value) in {str, int, bool} for member in cls)


def is_enum(cls: type) -> TypeGuard[type[Enum]]:
    """Tell whether a class is an enumeration."""
    return issubclass(cls, Enum)


def enum_node(cls: type[Enum]) -> Node:
    """Make the node of an enumeration, written by value if all are text or integers, else by name.

    The rule looks at the whole class, so that a member means the same on both sides.
    """
    label = cls.__qualname__
    by_value = _by_value(cls)

    def encode(value: object) -> object:
        if isinstance(value, cls):
            return cast("object", value.value) if by_value else value.name
        raise mismatch(label, value)

    def decode(data: object, _: object) -> object:
        try:
            return cls(data) if by_value else cls[cast("str", data)]
        except (ValueError, KeyError) as error:
            msg = f"{label} has no member {data!r}"
            raise Mismatch(msg) from error

    kinds = frozenset(type(enum_to_plain(member)) for member in cls)
    return Node(label, encode, decode, kinds)


def literal_node(hint: object) -> Node:
    """Make the node of a `Literal`."""
    label = str(hint).removeprefix("typing.")
    plain: dict[tuple[type, object], object] = {}
    values: dict[tuple[type, object], object] = {}
    for value in cast("tuple[object, ...]", get_args(hint)):
        data = enum_to_plain(value) if isinstance(value, Enum) else value
        if (type(data), data) in values:
            msg = f"two values of {label} are both written as {data!r}"
            raise BadHint(msg)
        plain[type(value), value] = data
        values[type(data), data] = value

    return Node(
        label,
        lambda value: _look_up(plain, value, label),
        lambda data, _: _look_up(values, data, label),
        frozenset(kind for kind, _ in values),
    )


def _look_up(table: dict[tuple[type, object], object], value: object, label: str) -> object:
    try:
        return table[type(value), value]
    except (KeyError, TypeError):  # TypeError: not hashable, so not one of the values
        raise mismatch(label, value) from None
