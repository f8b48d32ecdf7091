"""Internal records as positional CBOR arrays: the form of messages and of history.

A record is an attrs class with a number. Its encoding is the array ``[number, field, field, …]`` in
the order of the fields. Fields are only ever added at the end, with a default: an older reader
ignores what it does not know, a newer one takes the default for what is missing. Numbers are never
reused. Functions per class are built once, at import.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs
import cbor2

from infinitic_common.exceptions import UndecodableMessage

Convert = Callable[[object], object]
RecordClass = TypeVar("RecordClass", bound=type)

_SCALARS: tuple[object, ...] = (str, int, float, bool, bytes, type(None), object)
_classes: dict[int, type] = {}
_readers: dict[object, Callable[[list[object]], object]] = {}


def record(number: int) -> Callable[[RecordClass], RecordClass]:
    """Register an attrs class as the record of that number.

    Raises:
        TypeError: The number is taken, or a field has a type that a record cannot hold.
    """

    def register(cls: RecordClass) -> RecordClass:
        if number in _classes:
            msg = f"record number {number} of {cls.__name__} is that of {_classes[number].__name__}"
            raise TypeError(msg)
        _classes[number] = cls
        return cls

    return register


def encode(value: object) -> bytes:
    """The bytes of a record."""
    return cbor2.dumps(_writers[type(value)](value))


def encode_items(plain: Sequence[object]) -> bytes:
    """The bytes of plain values one after the other; to be joined to the array that they are in."""
    return cbor2.dumps(plain)[len(array_head(len(plain))) :]


@cache
def array_head(size: int) -> bytes:
    """What the bytes of an array of that size begin with."""
    return cbor2.dumps([None] * size)[: -size or None]


def decode(data: bytes) -> object:
    """The record in these bytes.

    Raises:
        UndecodableMessage: The bytes are no record, or one of a number unknown to this release.
    """
    try:
        plain = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, UnicodeDecodeError) as error:
        msg = f"{len(data)} bytes are no CBOR: {error}"
        raise UndecodableMessage(msg) from error
    return from_plain(plain)


def to_plain(value: object) -> list[object]:
    """The array of a record, before it becomes bytes."""
    return _writers[type(value)](value)


def from_plain(plain: object) -> object:
    """The record of an array.

    Raises:
        UndecodableMessage: It is no array of a record, or one of a number unknown to this release.
    """
    if not isinstance(plain, list) or not plain:
        msg = f"a record is an array that starts with its number, not {plain!r:.100}"
        raise UndecodableMessage(msg)
    array = cast("list[object]", plain)
    number = array[0]
    try:
        reader = _readers[number]
    except (LookupError, TypeError):
        reader = _build_reader(number)
    try:
        return reader(array)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        msg = f"record {number!r} does not have the fields of its class: {error}"
        raise UndecodableMessage(msg) from error


class _Writers(dict[type, Callable[[object], list[object]]]):
    """How the records of each class become arrays; what is missing is built."""

    def __missing__(self, cls: type) -> Callable[[object], list[object]]:
        self[cls] = writer = _build_writer(cls)
        return writer


_writers: Final = _Writers()


def _build_writer(cls: type) -> Callable[[object], list[object]]:
    number = next((n for n, known in _classes.items() if known is cls), None)
    if number is None:
        msg = f"{cls.__name__} is no record: give it a number with @record"
        raise TypeError(msg)
    hints = get_type_hints(cls)
    names = [field.name for field in attrs.fields(cls)]
    converters = [_to_plain(hints[name]) for name in names]
    return _writer(number, names, converters)


def _writer(
    number: int, names: list[str], converters: list[Convert | None]
) -> Callable[[object], list[object]]:
    values = _values(names)
    special = [(i + 1, convert) for i, convert in enumerate(converters) if convert is not None]

    def write(value: object) -> list[object]:
        plain = [number, *values(value)]
        for index, convert in special:
            plain[index] = convert(plain[index])
        return plain

    return write


def _values(names: list[str]) -> Callable[[object], tuple[object, ...]]:
    if len(names) == 1:
        single = attrgetter(names[0])
        return lambda value: (single(value),)
    return cast("Callable[[object], tuple[object, ...]]", attrgetter(*names)) if names else _none


def _none(_: object) -> tuple[object, ...]:
    return ()


def _build_reader(number: object) -> Callable[[list[object]], object]:
    cls = _classes.get(number) if isinstance(number, int) else None
    if cls is None:
        msg = f"record number {number!r} is unknown to this release: upgrade it"
        raise UndecodableMessage(msg)
    hints = get_type_hints(cls)
    names = [field.name for field in attrs.fields(cls)]
    special = [
        (i + 1, convert)
        for i, name in enumerate(names)
        if (convert := _from_plain(hints[name])) is not None
    ]
    limit = len(names) + 1

    def read(plain: list[object]) -> object:
        size = len(plain)
        for index, convert in special:
            if index < size:
                plain[index] = convert(plain[index])
        return cls(*plain[1:limit])

    _readers[number] = read
    return read


def _to_plain(hint: object) -> Convert | None:
    """How a field becomes plain data; None when it already is."""
    return _conversion(hint, enum=_enum_value, many=list, unordered=_sorted, one=to_plain)


def _from_plain(hint: object) -> Convert | None:
    """How plain data becomes a field; None when it already is."""
    return _conversion(hint, enum=_enum_member(hint), many=tuple, unordered=_frozen, one=from_plain)


def _conversion(  # noqa: PLR0911 - one line for each kind of field
    hint: object, *, enum: Convert, many: Callable[..., object], unordered: Convert, one: Convert
) -> Convert | None:
    if hint in _SCALARS or get_origin(hint) is Mapping:
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return enum
    if isinstance(hint, type) and attrs.has(hint):
        return one
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        inner = [
            _conversion(m, enum=enum, many=many, unordered=unordered, one=one) for m in members
        ]
        if all(convert is None for convert in inner):
            return None
        return _optional(cast("Convert", inner[0])) if type(None) in arguments else inner[0]
    if origin is tuple:
        each = _conversion(arguments[0], enum=enum, many=many, unordered=unordered, one=one)
        return many if each is None else _each(many, each)
    if origin is frozenset:
        return unordered
    msg = f"a record's field cannot be a {hint}"
    raise TypeError(msg)


def _optional(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _each(many: Callable[..., object], convert: Convert) -> Convert:
    return lambda values: many([convert(v) for v in cast("list[object]", values)])


def _enum_value(value: object) -> object:
    return cast("Enum", value).value


def _enum_member(hint: object) -> Convert:
    return hint if isinstance(hint, type) and issubclass(hint, Enum) else _enum_value


def _frozen(values: object) -> frozenset[object]:
    return frozenset(cast("list[object]", values))


def _sorted(values: object) -> list[str]:
    return sorted(cast("frozenset[str]", values))
