"""Typed dictionaries: CBOR maps that stay dictionaries."""

from collections.abc import Callable, Mapping
from typing import cast

from infinitic_common._serialization.fields import Part
from infinitic_common._serialization.hints import class_label
from infinitic_common._serialization.node import (
    DICT,
    Encode,
    Mismatch,
    Node,
    any_deep,
    convert_at,
    mismatch,
    reading,
    step_to,
)


def typed_dict_node(cls: type, parts: list[Part]) -> Node:
    """Make the node of a TypedDict, written in the order of its declaration."""
    label = class_label(cls)
    known = {part.field.name for part in parts}

    def encode(value: object) -> object:
        if not isinstance(value, dict):
            raise mismatch(label, value)
        table = cast("dict[object, object]", value)
        if extra := sorted(str(key) for key in table if key not in known):
            msg = f"{label} has no key {extra[0]!r}"
            raise Mismatch(msg)
        return _convert_keys(label, parts, table, _writing)

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        table = cast("dict[object, object]", data)
        return _convert_keys(label, parts, table, reading)

    return Node(label, encode, decode, DICT, deep=any_deep(part.node for part in parts))


def _writing(node: Node) -> Encode:
    return node.encode


def _convert_keys(
    label: str,
    parts: list[Part],
    table: Mapping[object, object],
    convert: Callable[[Node], Encode],
) -> dict[str, object]:
    converted: dict[str, object] = {}
    for part in parts:
        name = part.field.name
        if name in table:
            converted[name] = convert_at(convert(part.node), table[name], step_to(name))
        elif part.field.required:
            msg = f"key '{name}' of {label} is missing"
            raise Mismatch(msg)
    return converted
