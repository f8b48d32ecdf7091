"""Objects with named fields: dataclasses, attrs classes, named tuples, typed dictionaries.

They are CBOR maps from field name to data. cattrs generates the functions, one pair per class; the
search for the field at fault happens only once they have failed.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Annotated, Final, NotRequired, Required, cast, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import (
    make_dict_structure_fn_from_attrs,
    make_dict_unstructure_fn_from_attrs,
    override,
)

from infinitic_common._serialization.hints import class_label, declared_hints
from infinitic_common._serialization.node import (
    BadHint,
    Mismatch,
    Node,
    any_deep,
    mismatch,
)

_CONVERTER: Final = Converter(detailed_validation=False)
_MAP: Final = frozenset[type]({dict})


@attrs.frozen
class Field:
    """A field of an object.

    Attributes:
        name: key in the data and name of the attribute.
        alias: name of the constructor's parameter.
        hint: its type.
        required: whether it has no default.
        init: whether the constructor takes it.
    """

    name: str
    alias: str
    hint: object
    required: bool
    init: bool = True


def fields_of(hint: object, cls: type) -> list[Field] | None:
    """Return the fields of a class made of fields, None for any other class.

    Args:
        hint: the class, with its arguments if it is generic.
        cls: the class.

    Raises:
        BadHint: a field has no type, or the constructor needs what no field keeps.
    """
    if attrs.has(cls):
        typed = {f.name: f.type for f in attrs.fields(cls)}
        hints = _complete(cls, typed, declared_hints(hint))
        return [
            Field(f.name, f.alias or f.name, hints[f.name], f.default is attrs.NOTHING, f.init)
            for f in attrs.fields(cls)
        ]
    if dataclasses.is_dataclass(cls):
        _refuse_init_only(cls)
        hints = declared_hints(hint)
        return [
            Field(f.name, f.name, hints[f.name], not _has_default(f), f.init)
            for f in dataclasses.fields(cls)
        ]
    if is_named_tuple(cls):
        names = cast("tuple[str, ...]", getattr(cls, "_fields", ()))
        defaults = cast("Mapping[str, object]", getattr(cls, "_field_defaults", {}))
        hints = _complete(cls, dict.fromkeys(names), declared_hints(hint))
        return [Field(name, name, hints[name], name not in defaults) for name in names]
    return None


def has_fields(cls: type) -> bool:
    """Tell whether `fields_of` knows the fields of a class."""
    return attrs.has(cls) or dataclasses.is_dataclass(cls) or is_named_tuple(cls)


def is_named_tuple(cls: type) -> bool:
    """Tell whether a class is a named tuple."""
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def _complete(
    cls: type, fallback: Mapping[str, object], hints: Mapping[str, object]
) -> dict[str, object]:
    complete = {name: hints.get(name, hint) for name, hint in fallback.items()}
    for name, hint in complete.items():
        if hint is None and name not in hints:
            msg = f"field '{name}' of {class_label(cls)} has no type hint"
            raise BadHint(msg)
    return complete


def _has_default(field: "dataclasses.Field[object]") -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _refuse_init_only(cls: type) -> None:
    fields = cast(
        "Mapping[str, dataclasses.Field[object]]", getattr(cls, "__dataclass_fields__", {})
    )
    for field in fields.values():
        # dataclasses tells init-only parameters by this private name alone
        kind = str(getattr(field, "_field_type", ""))
        if kind.endswith("_FIELD_INITVAR") and not _has_default(field):
            msg = f"{class_label(cls)} needs '{field.name}' (InitVar) but does not keep it"
            raise BadHint(msg)


@attrs.frozen
class Part:
    """A field with the conversion of its values."""

    field: Field
    node: Node


def record_node(cls: type, parts: list[Part]) -> Node:
    """Make the node of the objects of exactly this class."""
    label = class_label(cls)
    attributes = _attributes(label, parts)
    to_map = make_dict_unstructure_fn_from_attrs(
        attributes, cls, _CONVERTER, _cattrs_include_init_false=True
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

    return Node(label, encode, decode, _MAP, deep=any_deep(part.node for part in parts))


def _constructor(cls: type, parts: list[Part]) -> Callable[[Mapping[str, object]], object]:
    taken = [part for part in parts if part.field.init]
    build = make_dict_structure_fn_from_attrs(
        _attributes(class_label(cls), taken),
        cls,
        _CONVERTER,
        {parameter.__name__: object for parameter in getattr(cls, "__parameters__", ())},
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
                default=attrs.NOTHING if part.field.required else None,
                init=part.field.init,
                kw_only=True,
                type=Annotated[
                    object,
                    override(unstruct_hook=part.node.encode, struct_hook=part.node.decode),
                ],
            )
            for part in parts
        },
        init=False,
    )
    return list(attrs.fields(described))


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


def is_typed_dict(hint: object) -> bool:
    """Tell whether a hint is a TypedDict, of typing or of typing_extensions."""
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


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
        return _convert_keys(label, parts, table, lambda node, item: node.encode(item))

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        table = cast("dict[object, object]", data)
        return _convert_keys(label, parts, table, lambda node, item: node.decode(item, None))

    return Node(label, encode, decode, _MAP, deep=any_deep(part.node for part in parts))


def _convert_keys(
    label: str,
    parts: list[Part],
    table: Mapping[object, object],
    convert: Callable[[Node, object], object],
) -> dict[str, object]:
    converted: dict[str, object] = {}
    for part in parts:
        name = part.field.name
        if name in table:
            try:
                converted[name] = convert(part.node, table[name])
            except Mismatch as error:
                raise error.under(f"[{name!r}]") from error.__cause__
        elif part.field.required:
            msg = f"key '{name}' of {label} is missing"
            raise Mismatch(msg)
    return converted


def typed_dict_fields(hint: object, cls: type) -> list[Field]:
    """Return the keys of a TypedDict."""
    required = cast("frozenset[str]", getattr(cls, "__required_keys__", frozenset()))
    return [
        Field(name, name, annotation, _is_required(annotation, name in required))
        for name, annotation in declared_hints(hint).items()
    ]


def _is_required(annotation: object, listed: bool) -> bool:  # noqa: FBT001 - private helper
    """Tell whether a key is required; textual annotations hide their qualifier from the class."""
    origin = get_origin(annotation)
    return origin is Required or (listed and origin is not NotRequired)
