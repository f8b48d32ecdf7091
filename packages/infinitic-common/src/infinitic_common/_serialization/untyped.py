"""Values that describe themselves, for places without a declared type.

What CBOR has no type for carries a tag; an object carries the name of its class and the data of
that class. Reading never imports: a name means a class that this process knows already.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, TypeAlias, cast
from uuid import UUID

from infinitic_common._serialization.containers import pack_mapping
from infinitic_common._serialization.node import (
    SCALARS,
    Encode,
    Mismatch,
    Node,
    convert_each,
    handle_refusal,
    type_name,
)
from infinitic_common._serialization.scalars import (
    pack_date,
    pack_datetime,
    pack_decimal,
    pack_time,
    pack_timedelta,
    pack_uuid,
)
from infinitic_common._serialization.wire import FROZENSET, SET, TUPLE, Tag, sorted_by_bytes

PackObject: TypeAlias = Callable[[object], object]


class Packer:
    """Turns any value into self-describing data.

    Args:
        pack_object: what to do with a value of a type unknown here.
    """

    def __init__(self, pack_object: PackObject) -> None:
        self._pack_object = pack_object
        self._by_type: dict[type, Encode] = {
            **dict.fromkeys(SCALARS, _as_is),
            list: self._list,
            dict: self._dict,
            tuple: self._tuple,
            set: self._set,
            frozenset: self._frozenset,
            datetime: cast("Encode", pack_datetime),
            date: cast("Encode", pack_date),
            time: cast("Encode", pack_time),
            timedelta: cast("Encode", pack_timedelta),
            Decimal: cast("Encode", pack_decimal),
            UUID: cast("Encode", pack_uuid),
        }

    def pack(self, value: object) -> object:
        """Return the data of a value."""
        pack = self._by_type.get(type(value))
        return pack(value) if pack else self._pack_object(value)

    def learn(self, cls: type, pack: Encode) -> None:
        """Remember how to write the objects of a class."""
        self._by_type[cls] = pack

    def pack_as_base(self, value: object) -> object:
        """Return the data of a value whose class inherits from a built-in one.

        Raises:
            Mismatch: nothing tells how to write it.
        """
        for base, plain in _BASES.items():
            if isinstance(value, base):
                return self.pack(plain(value))
        raise Mismatch(refusal(value))

    def _list(self, value: object) -> object:
        items = cast("list[object]", value)
        return items if SCALARS.issuperset(map(type, items)) else convert_each(items, self.pack)

    def _dict(self, value: object) -> object:
        table = cast("dict[object, object]", value)
        if SCALARS.issuperset(map(type, table.values())) and SCALARS.issuperset(map(type, table)):
            return table
        return pack_mapping(table, self.pack, self.pack)

    def _tuple(self, value: object) -> object:
        return Tag(TUPLE, self._list(list(cast("tuple[object, ...]", value))))

    def _set(self, value: object) -> object:
        return Tag(SET, sorted_by_bytes([self.pack(v) for v in cast("set[object]", value)]))

    def _frozenset(self, value: object) -> object:
        items = [self.pack(v) for v in cast("frozenset[object]", value)]
        return Tag(FROZENSET, sorted_by_bytes(items))


def _as_is(value: object) -> object:
    return value


def _plain_str(value: object) -> object:
    return str.__str__(cast("str", value))


def _plain_int(value: object) -> object:
    return int.__int__(cast("int", value))


def _plain_float(value: object) -> object:
    return float.__float__(cast("float", value))


def _plain_dict(value: object) -> object:
    return dict(cast("Mapping[object, object]", value))


_BASES: Final[dict[type, Callable[[object], object]]] = {
    str: _plain_str,
    int: _plain_int,
    float: _plain_float,
    dict: _plain_dict,
    datetime: lambda value: datetime.fromisoformat(cast("datetime", value).isoformat()),
}
"""Subclasses that lose nothing they are compared by when they become their base."""


def refusal(value: object) -> str:
    """Tell why a value cannot be written without a type."""
    if (why := handle_refusal(type(value))) is not None:
        return why
    if isinstance(value, BaseException):
        return f"an exception is not a value: got {type_name(value)}, send its message instead"
    return (
        f"{type_name(value)} is not a type of values: use a dataclass, an attrs class, "
        "a pydantic model or built-in types"
    )


def untyped_node(packer: Packer) -> Node:
    """Make the node of `Any` and `object`; reading has done the work already."""
    anything = frozenset[type]({object})
    return Node("Any", packer.pack, lambda data, _: data, anything, deep=True)
