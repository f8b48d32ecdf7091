"""Lists, tuples, sets, mappings and their abstract parents."""

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias, cast

from infinitic_common._serialization.node import (
    DICT,
    LIST,
    SCALARS,
    Encode,
    Mismatch,
    Node,
    any_deep,
    convert_at,
    convert_each,
    convert_table,
    mismatch,
    reading,
    step_to,
)
from infinitic_common._serialization.wire import PAIRS, Tag, sorted_by_bytes

Build: TypeAlias = Callable[[list[object]], object]

NOT_COLLECTIONS: Final = (str, bytes, bytearray, memoryview, Mapping)


def sequence_node(label: str, item: Node, accepts: type, build: Build) -> Node:
    """Make the node of a homogeneous collection, rebuilt by `build`."""
    exact, write, read = item.exact, item.encode, reading(item)

    def encode(value: object) -> object:
        if not _is_collection(value, accepts):
            raise mismatch(label, value)
        items = _listed(cast("Collection[object]", value))
        if not exact.issuperset(map(type, items)):
            items = convert_each(items, write)
        return sorted_by_bytes(items) if isinstance(value, AbstractSet) else items

    def decode(data: object, _: object) -> object:
        if type(data) is not list:
            raise mismatch(label, data)
        items = cast("list[object]", data)
        if not exact.issuperset(map(type, items)):
            items = convert_each(items, read)
        return build(items)

    return Node(label, encode, decode, LIST, deep=item.deep)


def _listed(items: Collection[object]) -> list[object]:
    return items if isinstance(items, list) else list(items)


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
    writers = [item.encode for item in items]
    readers = [reading(item) for item in items]

    def encode(value: object) -> object:
        if not isinstance(value, tuple):
            raise mismatch(label, value)
        return _convert_parts(label, writers, cast("tuple[object, ...]", value))

    def decode(data: object, _: object) -> object:
        if type(data) is not list:
            raise mismatch(label, data)
        return tuple(_convert_parts(label, readers, cast("list[object]", data)))

    return Node(label, encode, decode, LIST, deep=any_deep(items))


def _convert_parts(label: str, convert: list[Encode], parts: Sequence[object]) -> list[object]:
    if len(parts) != len(convert):
        msg = f"expected {label}, got {len(parts)} items"
        raise Mismatch(msg)
    return [convert_at(c, part, step_to(i)) for i, (c, part) in enumerate(zip(convert, parts))]  # noqa: B905 - as long, checked above


def mapping_node(
    label: str, key: Node, value: Node, accepts: type, build: Callable[[object], object]
) -> Node:
    """Make the node of a mapping: a CBOR map if its keys are plain, else a list of pairs.

    Insertion order is kept, it is part of what is encoded.
    """
    if not key.kinds <= SCALARS:
        return _pairs_node(label, key, value, accepts, build)

    write_key, write, read_key, read = key.encode, value.encode, reading(key), reading(value)

    def encode(given: object) -> object:
        if not isinstance(given, accepts):
            raise mismatch(label, given)
        table = cast("Mapping[object, object]", given)
        return table if _is_plain(table, key, value) else convert_table(table, write_key, write)

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        table = cast("dict[object, object]", data)
        plain = _is_plain(table, key, value)
        return build(table if plain else convert_table(table, read_key, read))

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
    read = reading(value)

    def encode(given: object) -> object:
        if not isinstance(given, accepts):
            raise mismatch(label, given)
        return pack_mapping(cast("Mapping[object, object]", given), key.encode, value.encode)

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        return build(convert_table(cast("dict[object, object]", data), _as_is, read))

    return Node(label, encode, decode, DICT, deep=True)


def _as_is(key: object) -> object:
    return key


def pack_mapping(table: Mapping[object, object], key: Encode, value: Encode) -> object:
    """Write a mapping of unknown keys: a CBOR map if they are plain, else tagged pairs."""
    if SCALARS.issuperset(map(type, table)):
        return convert_table(table, _as_is, value)
    pairs = [
        [convert_at(key, k, step_to(k)), convert_at(value, v, step_to(k))] for k, v in table.items()
    ]
    return Tag(PAIRS, pairs)


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
