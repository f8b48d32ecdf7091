"""Properties: which attributes of a workflow are its state, and how they become bytes."""

import inspect
import logging
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, cast, get_args, get_origin

import attrs

from infinitic_common._attributes import attributes_of
from infinitic_common._contracts.hints import MISSING, attribute_hint
from infinitic_common._serialization.views import views_of
from infinitic_common.decorators import Ignore
from infinitic_common.exceptions import InvalidImplementation
from infinitic_common.serialization import Codec, InvalidTypeHint, value_codec

_LOGGING = frozenset({"logging", "structlog", "loguru"})
_MUTABLE = (list, dict, set, bytearray)


@attrs.frozen(eq=False)
class Properties:
    """The attributes of a class of workflows that are its state.

    Every attribute that an instance itself has counts, with or without a leading underscore,
    except stubs, channels, loggers, and what is annotated ``Annotated[T, Ignore]``.
    """

    cls: type
    _ignored: frozenset[str]
    _codecs: dict[str, Codec] = attrs.field(init=False, factory=dict[str, Codec])

    def of(self, instance: object) -> Iterator[tuple[str, object]]:
        """Names and values of the properties of an instance."""
        for name, value in attributes_of(instance).items():
            if name not in self._ignored and not _is_handle(value):
                yield name, value

    def codec(self, name: str) -> Codec:
        """The codec of a property: by the annotation of the class, else self-describing.

        Raises:
            InvalidTypeHint: The annotation cannot be resolved, or its values cannot be sent.
        """
        known = self._codecs.get(name)
        if known is None:
            hint = attribute_hint(self.cls, name)
            typed = object if hint is MISSING else hint
            place = f"property '{name}' of {self.cls.__name__}"
            if hint is MISSING:
                place += f" (in the class, '{name}: Annotated[T, Ignore]' would leave it out)"
            if any(views_of(hint)):
                msg = f"{place}: what a view hides would be lost in every replay: leave it out"
                raise InvalidTypeHint(msg, place=place)
            known = self._codecs[name] = value_codec(typed, place=place)
        return known


def _is_handle(value: object) -> bool:
    cls = type(value)
    return (
        hasattr(cls, "__infinitic_stub__")
        or hasattr(cls, "__infinitic_channel__")
        or isinstance(value, logging.Logger | logging.LoggerAdapter)
        or cls.__module__.partition(".")[0] in _LOGGING
    )


def read_properties(cls: type) -> Properties:
    """Read which attributes of a class are state.

    Raises:
        InvalidImplementation: A list, dict or set is an attribute of the class, and so would be
            shared by all workflows.
    """
    for name, value in _class_attributes(cls).items():
        kind = type(value)
        if issubclass(kind, _MUTABLE) and not _is_constant(cls, name):
            msg = (
                f"{cls.__name__}.{name} is a {kind.__name__} that all workflows would "
                f"share: make it in __init__, or, if it never changes, annotate it ClassVar"
            )
            raise InvalidImplementation(msg)
    names = {name for owner in cls.__mro__ for name in inspect.get_annotations(owner)}
    return Properties(cls, frozenset(name for name in names if _is_ignored(cls, name)))


def _class_attributes(cls: type) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for owner in reversed(cls.__mro__[:-1]):
        found |= {name: value for name, value in vars(owner).items() if not name.startswith("__")}
    return {name: value for name, value in found.items() if not name.startswith("_abc_")}


def _is_constant(cls: type, name: str) -> bool:
    return (
        name.isupper()
        or _is_ignored(cls, name)
        or name in ("_is_protocol", "_is_runtime_protocol")
        or _origin(cls, name) is ClassVar
    )


def _origin(cls: type, name: str) -> object:
    try:
        hint = attribute_hint(cls, name)
    except InvalidTypeHint:
        return MISSING
    return ClassVar if hint is ClassVar else get_origin(hint)


def _is_ignored(cls: type, name: str) -> bool:
    try:
        hint = attribute_hint(cls, name)
    except InvalidTypeHint:
        # It may name what exists for type checkers only; it is refused if it is ever needed.
        return False
    if get_origin(hint) is not Annotated:
        return False
    marks = cast("tuple[object, ...]", get_args(hint))[1:]
    return any(mark is Ignore or isinstance(mark, Ignore) for mark in marks)
