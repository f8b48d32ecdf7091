"""The fields of objects: dataclasses, attrs classes, named tuples, typed dictionaries."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import ClassVar, NotRequired, Protocol, Required, TypeGuard, cast, get_origin

import attrs

from infinitic_common._serialization.hints import class_label, declared_hints
from infinitic_common._serialization.node import BadHint, Node


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


@attrs.frozen
class Part:
    """A field with the conversion of its values."""

    field: Field
    node: Node


def fields_of(hint: object, cls: type) -> list[Field] | None:
    """Return the fields of a class made of fields, None for any other class.

    Args:
        hint: the class, with its arguments if it is generic.
        cls: the class.

    Raises:
        BadHint: a field has no type, or the constructor needs what no field keeps.
    """
    if _is_attrs(cls):
        typed = {f.name: f.type for f in attrs.fields(cls)}
        hints = _complete(cls, typed, declared_hints(hint))
        return [
            Field(f.name, f.alias or f.name, hints[f.name], f.default is attrs.NOTHING, f.init)
            for f in attrs.fields(cls)
        ]
    if _is_dataclass(cls):
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
    return _is_attrs(cls) or _is_dataclass(cls) or is_named_tuple(cls)


def _is_attrs(cls: type) -> TypeGuard["type[attrs.AttrsInstance]"]:
    return attrs.has(cls)


def _is_dataclass(cls: type) -> TypeGuard["type[_Dataclass]"]:
    return dataclasses.is_dataclass(cls)


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, "dataclasses.Field[object]"]]


def is_named_tuple(cls: type) -> bool:
    """Tell whether a class is a named tuple."""
    return hasattr(cls, "_fields") and tuple in cls.__mro__


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


def _refuse_init_only(cls: "type[_Dataclass]") -> None:
    for field in cls.__dataclass_fields__.values():
        # dataclasses tells init-only parameters by this private name alone
        kind = str(getattr(field, "_field_type", ""))
        if kind.endswith("_FIELD_INITVAR") and not _has_default(field):
            msg = f"{class_label(cls)} needs '{field.name}' (InitVar) but does not keep it"
            raise BadHint(msg)


def is_typed_dict(hint: object) -> bool:
    """Tell whether a hint is a TypedDict, of typing or of typing_extensions."""
    return isinstance(hint, type) and hasattr(hint, "__required_keys__") and dict in hint.__mro__


def typed_dict_fields(hint: object, cls: type) -> list[Field]:
    """Return the keys of a TypedDict."""
    required = cast("Collection[str]", getattr(cls, "__required_keys__", ()))
    return [
        Field(name, name, annotation, _is_required(annotation, name in required))
        for name, annotation in declared_hints(hint).items()
    ]


def _is_required(annotation: object, listed: bool) -> bool:  # noqa: FBT001 - private helper
    """Tell whether a key is required; textual annotations hide their qualifier from the class."""
    origin = get_origin(annotation)
    return origin is Required or (listed and origin is not NotRequired)
