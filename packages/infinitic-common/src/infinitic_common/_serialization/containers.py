"""Lists, tuples, sets, mappings and their abstract parents."""

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final, TypeAlias, cast

from infinitic_common._serialization.node import (
    DICT,
    LIST,
    SCALARS,
    Encode,
    Mismatch,
    Node,
    any_deep,
    convert_each,
    decode_each,
    mismatch,
    step_to,
)
from infinitic_common._serialization.wire import PAIRS, Tag, sorted_by_bytes

Build: TypeAlias = Callable[[list[object]], object]

NOT_COLLECTIONS: Final = (str, bytes, bytearray, memoryview, Mapping)


def sequence_node(label: str, item: Node, accepts: type, build: Build) -> Node:
    """Make the node of a homogeneous collection, rebuilt by `build`."""
    exact, encode_item, decode_item = item.exact, item.encode, item.decode

    def encode(value: object) -> object:
        if not _is_collection(value, accepts):
            raise mismatch(label, value)
        items = list(cast("Collection[object]", value))
        if not exact.issuperset(map(type, items)):
            items = convert_each(items, encode_item)
        return sorted_by_bytes(items) if isinstance(value, AbstractSet) else items

    def decode(data: object, _: object) -> object:
        if type(data) is not list:
            raise mismatch(label, data)
        items = cast("list[object]", data)
        if not exact.issuperset(map(type, items)):
            items = decode_each(items, decode_item)
        return build(items)

    return Node(label, encode, decode, LIST, deep=item.deep)


def _is_collection(value: object, accepts: type) -> bool:
    return isinstance(value, accepts) and not isinstance(value, NOT_COLLECTIONS)


def _same(items: list[object]) -> object:
    return items


SEQUENCES: Final[dict[object, tuple[type, Build]]] = {
    list: (list, _same),
    deque: (deque, deque),
    set: (set, set),
    frozenset: (frozenset, frozenset),
    AbstractSet: (AbstractSet, set),
    Sequence: (Sequence, _same),
    Collection: (Collection, _same),
}
"""For each kind of collection: what it accepts, and what reading gives back."""


def tuple_node(label: str, items: list[Node]) -> Node:
    """Make the node of a tuple of fixed length."""

    def encode(value: object) -> object:
        if not isinstance(value, tuple):
            raise mismatch(label, value)
        parts = _same_length(label, items, cast("tuple[object, ...]", value))
        return [_at(i, node.encode, part) for i, (node, part) in enumerate(parts)]

    def decode(data: object, _: object) -> object:
        if type(data) is not list:
            raise mismatch(label, data)
        parts = _same_length(label, items, cast("list[object]", data))
        return tuple(
            _at(i, partial(_decode_part, node), part) for i, (node, part) in enumerate(parts)
        )

    return Node(label, encode, decode, LIST, deep=any_deep(items))


def _decode_part(node: Node, part: object) -> object:
    return node.decode(part, None)


def _same_length(
    label: str, items: list[Node], parts: Sequence[object]
) -> list[tuple[Node, object]]:
    if len(parts) != len(items):
        msg = f"expected {label}, got {len(parts)} items"
        raise Mismatch(msg)
    return list(zip(items, parts, strict=True))


def _at(index: int, convert: Encode, part: object) -> object:
    try:
        return convert(part)
    except Mismatch as error:
        raise error.under(step_to(index)) from error.__cause__


def mapping_node(
    label: str, key: Node, value: Node, accepts: type, build: Callable[[object], object]
) -> Node:
    """Make the node of a mapping: a CBOR map if its keys are plain, else a list of pairs.

    Insertion order is kept, it is part of what is encoded.
    """
    if not key.kinds <= SCALARS:
        return _pairs_node(label, key, value, accepts, build)

    def encode(given: object) -> object:
        if not isinstance(given, accepts):
            raise mismatch(label, given)
        table = cast("Mapping[object, object]", given)
        if _is_plain(table, key, value):
            return table
        return {_in_key(key.encode, k): _in_value(value.encode, v, k) for k, v in table.items()}

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        table = cast("dict[object, object]", data)
        if _is_plain(table, key, value):
            return build(table)
        return build(
            {
                _in_key(lambda d: key.decode(d, None), k): _in_value(
                    lambda d: value.decode(d, None), v, k
                )
                for k, v in table.items()
            }
        )

    return Node(label, encode, decode, DICT, deep=value.deep)


def _is_plain(table: Mapping[object, object], key: Node, value: Node) -> bool:
    return (
        isinstance(table, dict)
        and key.exact.issuperset(map(type, cast("Mapping[object, object]", table)))
        and value.exact.issuperset(map(type, table.values()))
    )


def _pairs_node(
    label: str, key: Node, value: Node, accepts: type, build: Callable[[object], object]
) -> Node:
    pair = tuple_node(f"item of {label}", [key, value])
    pairs = sequence_node(label, pair, list, _same)

    def encode(given: object) -> object:
        if not isinstance(given, accepts):
            raise mismatch(label, given)
        return pairs.encode(list(cast("Mapping[object, object]", given).items()))

    def decode(data: object, _: object) -> object:
        return build(dict(cast("list[tuple[object, object]]", pairs.decode(data, None))))

    return Node(label, encode, decode, LIST, deep=pair.deep)


def open_mapping_node(
    label: str, key: Node, value: Node, accepts: type, build: Callable[[object], object]
) -> Node:
    """Make the node of a mapping whose keys describe themselves."""

    def encode(given: object) -> object:
        if not isinstance(given, accepts):
            raise mismatch(label, given)
        return pack_mapping(cast("Mapping[object, object]", given), key.encode, value.encode)

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        items = cast("dict[object, object]", data).items()
        return build({k: _in_value(lambda d: value.decode(d, None), v, k) for k, v in items})

    return Node(label, encode, decode, DICT, deep=True)


def pack_mapping(table: Mapping[object, object], key: Encode, value: Encode) -> object:
    """Write a mapping of unknown keys: a CBOR map if they are plain, else tagged pairs."""
    if SCALARS.issuperset(map(type, table)):
        return {k: _in_value(value, v, k) for k, v in table.items()}
    return Tag(PAIRS, [[_in_key(key, k), _in_value(value, v, k)] for k, v in table.items()])


def _in_key(convert: Encode, key: object) -> object:
    try:
        return convert(key)
    except Mismatch as error:
        raise error.under(step_to(key)) from error.__cause__


def _in_value(convert: Encode, value: object, key: object) -> object:
    try:
        return convert(value)
    except Mismatch as error:
        raise error.under(step_to(key)) from error.__cause__


def _plain_dict(table: object) -> object:
    return table


def _ordered(table: object) -> object:
    return OrderedDict(cast("dict[object, object]", table))


MAPPINGS: Final[dict[object, tuple[type, Callable[[object], object]]]] = {
    dict: (dict, _plain_dict),
    OrderedDict: (OrderedDict, _ordered),
    Mapping: (Mapping, _plain_dict),
}
"""For each kind of mapping: what it accepts, and what reading gives back."""
