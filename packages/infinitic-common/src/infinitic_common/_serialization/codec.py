"""Codecs of user values: what the rest of the framework sees of all this."""

import inspect
import re
from typing import Final, Never, Protocol, final

from infinitic_common._serialization.compiler import Compiler
from infinitic_common._serialization.errors import (
    DeserializationError,
    InvalidTypeHint,
    SerializationError,
)
from infinitic_common._serialization.node import BadHint, Mismatch, type_name
from infinitic_common._serialization.views import View, view_of
from infinitic_common._serialization.wire import MAX_DEPTH, dump, load, too_deep

_COMPILER: Final = Compiler()
_VIEWS: Final[dict[type[View], Compiler]] = {}
_codecs: dict[tuple[object, str], "ValueCodec"] = {}


class Codec(Protocol):
    """Conversion of the values of one place between Python and bytes.

    The same value always gives the same bytes. What `decode` returns equals what `encode` was
    given. Both are called from any thread.
    """

    @property
    def hint(self) -> object:
        """The type hint of the values."""
        ...

    def encode(self, value: object) -> bytes:
        """Return the bytes of a value.

        Raises:
            SerializationError: the value is not of the type.
        """
        ...

    def decode(self, data: bytes) -> object:
        """Return the value in these bytes.

        Raises:
            DeserializationError: they hold no value of the type.
        """
        ...


class DataConverter(Protocol):
    """How an application turns its values into bytes.

    All processes that exchange values need the same one.
    """

    def codec(self, hint: object, *, place: str) -> Codec:
        """Return the codec of a parameter, a result, a property or a signal.

        It is called at registration, never while a message is handled.

        Args:
            hint: the resolved type hint.
            place: what has the hint, for messages.

        Raises:
            InvalidTypeHint: values of that type cannot be sent.
        """
        ...


class CborDataConverter:
    """The default `DataConverter`: CBOR, by declared types."""

    def codec(self, hint: object, *, place: str) -> Codec:
        """Return the codec of a hint; see `value_codec`."""
        return value_codec(hint, place=place)


@final
class ValueCodec:
    """Conversion of the values of one type hint; made by `value_codec`."""

    __slots__ = ("_decode", "_decoders", "_deep", "_encode", "_label", "_place", "hint")

    def __init__(self, hint: object, compiler: Compiler, place: str) -> None:
        node = compiler.compile(hint)
        self.hint = hint
        self._decoders = compiler.decoders
        self._place = place
        self._label = node.label
        self._encode = node.encode
        self._decode = node.decode
        self._deep = node.deep

    def encode(self, value: object) -> bytes:
        """Return the bytes of a value.

        Raises:
            SerializationError: the value, or a part of it, is not of the declared type.
        """
        try:
            data = dump(self._encode(value))
            if self._deep:
                _check_depth(data)
        except Exception as error:  # noqa: BLE001 - properties and serializers are user code
            _refuse_value(value, self._label, self._place, error)
        return data

    def decode(self, data: bytes) -> object:
        """Return the value in these bytes.

        Raises:
            DeserializationError: they hold no value of the declared type.
        """
        try:
            return self._decode(load(data, self._decoders), None)
        except Exception as error:  # noqa: BLE001 - constructors and validators are user code
            _refuse_data(self._label, self._place, error)

    def __repr__(self) -> str:
        return f"ValueCodec({self._label}, place={self._place!r})"


def _check_depth(data: bytes) -> None:
    if too_deep(data):
        raise Mismatch(TOO_DEEP)


TOO_DEEP: Final = f"it nests more than {MAX_DEPTH} levels deep: send it in flatter form"


def value_codec(hint: object, *, place: str) -> ValueCodec:
    """Return the codec of a type hint, made once per hint and place.

    `Any` and `object` make values describe themselves.

    Args:
        hint: the resolved hint; `inspect.Parameter.empty` stands for a missing one.
        place: what has the hint, for messages: ``parameter 'amount' of PaymentService.charge``.

    Raises:
        InvalidTypeHint: the hint is missing, cannot be resolved, or its values cannot be sent.
    """
    try:
        known = _codecs.get((hint, place))
    except TypeError:  # a hint that cannot be hashed cannot be remembered either
        return _make_codec(hint, place)
    if known is None:
        known = _codecs[hint, place] = _make_codec(hint, place)
    return known


def _make_codec(hint: object, place: str) -> ValueCodec:
    if hint is inspect.Parameter.empty:
        msg = f"{place} has no type hint: add one, for example {_example(place)}"
        raise InvalidTypeHint(msg, place=place)
    try:
        return ValueCodec(hint, _compiler_of(hint), place)
    except BadHint as error:
        msg = f"{place}: {error}"
        raise InvalidTypeHint(msg, place=place) from error


def _compiler_of(hint: object) -> Compiler:
    view = view_of(hint)
    if view is None:
        return _COMPILER
    return _VIEWS.setdefault(view, Compiler(view, _COMPILER))


def _example(place: str) -> str:
    name = re.search(r"parameter '(\w+)'", place)
    return f"'{name[1]}: str'" if name else "'str'"


def register_type(*classes: type) -> None:
    """Make classes known, so that values which name them can be read.

    Needed for classes that no type hint mentions: subclasses defined elsewhere, and values of
    undeclared types (inline results, properties of exceptions) read in another process.

    Raises:
        InvalidTypeHint: objects of a class cannot be sent.
    """
    for cls in classes:
        place = f"register_type({cls.__qualname__})"
        try:
            _COMPILER.register(cls)
        except BadHint as error:
            msg = f"{place}: {error}"
            raise InvalidTypeHint(msg, place=place) from error


def encode_untyped(value: object) -> bytes:
    """Return the bytes of a value of undeclared type; they tell its types.

    Raises:
        SerializationError: the value, or a part of it, cannot be sent.
    """
    return _UNTYPED.encode(value)


def decode_untyped(data: bytes) -> object:
    """Return the value in bytes made by `encode_untyped`.

    Raises:
        DeserializationError: they are damaged, or name a type that this process does not know.
    """
    return _UNTYPED.decode(data)


_UNTYPED: Final = ValueCodec(object, _COMPILER, "a value without declared type")


def _refuse_value(value: object, label: str, place: str, error: Exception) -> Never:
    msg = f"{place}: {_reason(error, f'{type_name(value)} as {label}')}"
    raise SerializationError(msg, place=place) from error


def _refuse_data(label: str, place: str, error: Exception) -> Never:
    cause = error
    while not isinstance(cause, Mismatch) and isinstance(cause.__cause__, Exception):
        cause = cause.__cause__  # cbor2 wraps what its callbacks raise
    found = cause if isinstance(cause, Mismatch) else error
    msg = f"{place}: {_reason(found, f'data as {label}')}"
    raise DeserializationError(msg, place=place) from found


def _reason(error: Exception, what: str) -> str:
    if isinstance(error, Mismatch):
        return str(error)
    if isinstance(error, RecursionError):
        return TOO_DEEP
    return f"cannot convert {what}: {type(error).__name__}: {error}"
