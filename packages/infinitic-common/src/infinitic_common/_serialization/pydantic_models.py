"""Models and dataclasses of pydantic, which convert themselves.

Nothing here imports pydantic: whoever has a model has imported it. The two attributes used are
those that pydantic documents on its models.
"""

import sys
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol, cast

from infinitic_common._serialization.hints import class_label
from infinitic_common._serialization.node import (
    DICT,
    KLASS,
    Mismatch,
    Node,
    handle_refusal,
    mismatch,
)
from infinitic_common._serialization.scalars import enum_to_plain
from infinitic_common._serialization.untyped import Packer

_ROOT: Final = "root"


class _Serializer(Protocol):
    def to_python(
        self, value: object, *, by_alias: bool, round_trip: bool, exclude: set[str] | None
    ) -> object: ...


class _Validator(Protocol):
    def validate_python(
        self, data: object, *, by_alias: bool, by_name: bool, extra: str | None = None
    ) -> object: ...


class _Model(Protocol):
    __pydantic_serializer__: _Serializer
    __pydantic_validator__: _Validator


def is_pydantic(cls: type) -> bool:
    """Tell whether a class is a pydantic model or a pydantic dataclass."""
    return hasattr(cls, "__pydantic_validator__") and hasattr(cls, "__pydantic_serializer__")


def pydantic_node(cls: type, hidden: frozenset[str] = frozenset()) -> Node:
    """Make the node of the objects of exactly this class, without some of its fields."""
    excluded = set(hidden) or None
    label = class_label(cls)
    model = cast("_Model", cls)
    is_root = bool(getattr(cls, "__pydantic_root_model__", False))
    pack = _model_packer().pack

    def encode(value: object) -> object:
        if type(value) is not cls:
            raise mismatch(label, value)
        fields = model.__pydantic_serializer__.to_python(
            value, by_alias=False, round_trip=True, exclude=excluded
        )
        return pack({_ROOT: fields} if is_root else fields)

    def decode(data: object, _: object) -> object:
        if type(data) is not dict:
            raise mismatch(label, data)
        fields = cast("dict[str, object]", data)
        if hidden or KLASS in fields:  # ours, and a model may refuse or keep what it does not know
            dropped = {KLASS, *hidden}
            fields = {name: item for name, item in fields.items() if name not in dropped}
        return _validate(model, label, fields.get(_ROOT) if is_root else fields)

    return Node(label, encode, decode, DICT, deep=True)


def _validate(model: _Model, label: str, data: object) -> object:
    validate = model.__pydantic_validator__.validate_python
    try:
        try:
            return validate(data, by_alias=False, by_name=True)
        except ValueError as error:
            if "extra_forbidden" not in str(error):
                raise
            # A closed model, here or inside, meets a field of a later release.
            return validate(data, by_alias=False, by_name=True, extra="ignore")
    except RecursionError:
        raise
    except Exception as error:  # validators are the user's code: they may raise anything
        msg = f"{label} refuses its fields: {error}"
        raise Mismatch(msg) from error


def _model_packer() -> Packer:
    """Return what writes the values of fields: pydantic knows how to read enums and URLs back."""

    def pack_object(value: object) -> object:
        if isinstance(value, Enum):
            return packer.pack(enum_to_plain(value))
        if (why := handle_refusal(type(value))) is not None:
            raise Mismatch(why)
        try:
            return packer.pack_as_base(value)
        except Mismatch:
            return _to_text(value)

    packer = Packer(pack_object)
    return packer


def _to_text(value: object) -> object:
    if hasattr(value, "get_secret_value"):
        msg = "a secret is hidden when it is written: declare a plain type, or a serializer"
        raise Mismatch(msg)
    core = sys.modules["pydantic_core"]
    to_plain = cast("Callable[[object], object]", core.to_jsonable_python)
    return to_plain(value)
