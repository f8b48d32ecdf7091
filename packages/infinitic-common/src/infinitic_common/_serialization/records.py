"""Objects with named fields: CBOR maps from field name to data.

cattrs generates the functions, one pair per class; the search for the field at fault happens only
once they have failed.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, cast

import attrs
from cattrs import Converter
from cattrs.gen import (
    make_dict_structure_fn_from_attrs,  # pyright: ignore[reportUnknownVariableType] - bare generics
    make_dict_unstructure_fn_from_attrs,  # pyright: ignore[reportUnknownVariableType] - the same
    override,
)

from infinitic_common._serialization.fields import Part
from infinitic_common._serialization.hints import class_label
from infinitic_common._serialization.node import DICT, Mismatch, Node, any_deep, mismatch

_CONVERTER: Final = Converter(detailed_validation=False)


def record_node(cls: type, parts: list[Part]) -> Node:
    """Make the node of the objects of exactly this class."""
    label = class_label(cls)
    attributes = _attributes(label, parts)
    to_map = cast(
        "Callable[[object], object]",
        make_dict_unstructure_fn_from_attrs(
            attributes, cls, _CONVERTER, _cattrs_include_init_false=True
        ),
    )
    from_map = _constructor(cls, parts)

    def encode(value: object) -> object:
        if type(value) is not cls:
            raise mismatch(label, value)
        try:
            return to_map(value)
        except (Mismatch, AttributeError) as error:
            raise _find_encode_error(label, parts, value, error) from error.__cause__

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        table = cast("dict[str, object]", data)
        try:
            return from_map(table)
        except RecursionError:
            raise
        except Exception as error:  # a constructor is the user's code: it may raise anything
            raise _find_decode_error(label, parts, table, error) from error

    return Node(label, encode, decode, DICT, deep=any_deep(part.node for part in parts))


def _constructor(cls: type, parts: list[Part]) -> Callable[[Mapping[str, object]], object]:
    taken = [part for part in parts if part.field.init]
    build = cast(
        "Callable[[Mapping[str, object], type], object]",
        make_dict_structure_fn_from_attrs(
            _attributes(class_label(cls), taken),
            cls,
            _CONVERTER,
            {parameter.__name__: object for parameter in getattr(cls, "__parameters__", ())},
        ),
    )
    others = [part for part in parts if not part.field.init]

    def build_and_set(data: Mapping[str, object]) -> object:
        value = build(data, cls)
        for part in others:
            if part.field.name in data:
                field_value = part.node.decode(data[part.field.name], None)
                object.__setattr__(value, part.field.name, field_value)  # it may be frozen
        return value

    return build_and_set if others else lambda data: build(data, cls)


def _attributes(label: str, parts: list[Part]) -> list["attrs.Attribute[object]"]:
    """Describe fields to cattrs, each with its own functions in its annotation.

    cattrs also takes them as keyword arguments, but there a field named `cl` is an accident.
    """
    described = attrs.make_class(
        label,
        {
            part.field.name: attrs.field(
                alias=part.field.alias,
                default=cast("object", attrs.NOTHING if part.field.required else None),
                init=part.field.init,
                kw_only=True,
                type=cast("type", _annotation(part.node)),
            )
            for part in parts
        },
        init=False,
    )
    return list(attrs.fields(described))


def _annotation(node: Node) -> object:
    functions = override(
        unstruct_hook=node.encode,
        struct_hook=node.decode,
    )
    return Annotated[object, functions]


def _find_encode_error(label: str, parts: list[Part], value: object, error: Exception) -> Mismatch:
    for part in parts:
        name = part.field.name
        try:
            part.node.encode(getattr(value, name))
        except Mismatch as found:
            return found.under(f".{name}")
        except AttributeError:
            return Mismatch(f"field '{name}' of {label} has no value")
    return Mismatch(f"{label}: {error}")


def _find_decode_error(
    label: str, parts: list[Part], data: Mapping[str, object], error: Exception
) -> Mismatch:
    for part in parts:
        name = part.field.name
        if name in data:
            try:
                part.node.decode(data[name], None)
            except Mismatch as found:
                return found.under(f".{name}")
        elif part.field.required and part.field.init:
            return Mismatch(f"field '{name}' of {label} is missing and has no default")
    return Mismatch(f"{label} refuses its fields: {type(error).__name__}: {error}")
