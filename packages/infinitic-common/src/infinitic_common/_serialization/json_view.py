"""Encoded values as JSON, for filters, events and people, without knowing their types."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from math import isfinite
from typing import Final, cast
from uuid import UUID

from infinitic_common._serialization.errors import DeserializationError
from infinitic_common._serialization.node import KLASS
from infinitic_common._serialization.wire import (
    DATE,
    DATETIME,
    DECIMAL,
    FROZENSET,
    MEMBER,
    MICROSECOND,
    OBJECT,
    PAIRS,
    SET,
    TIME,
    TIMEDELTA,
    TUPLE,
    UUID_BYTES,
    TagDecoder,
    load,
)

_AS_IS: Final = frozenset[type]({str, int, bool, type(None)})


def to_json(data: bytes) -> object:
    """Return an encoded value in terms of JSON.

    Instants, dates and durations become ISO 8601 text, bytes Base64, decimals and UUIDs text, sets
    and tuples lists, NaN and infinities text; an object that tells its class has it in `#klass`.
    Keys that are not text become text; a mapping whose keys have parts is a list of pairs.

    Raises:
        DeserializationError: the bytes are damaged.
    """
    try:
        return _to_json(load(data, _DECODERS))
    except Exception as error:  # cbor2 raises whatever its callbacks do
        msg = f"these {len(data)} bytes are no encoded value: {error}"
        raise DeserializationError(msg, place="JSON view") from error


def _to_json(value: object) -> object:
    convert = _CONVERSIONS.get(type(value))
    return convert(value) if convert else str(value)


def _list(value: object) -> object:
    items = cast("list[object]", value)
    return items if _AS_IS.issuperset(map(type, items)) else [_to_json(item) for item in items]


def _dict(value: object) -> object:
    table = cast("dict[object, object]", value)
    return {
        key if type(key) is str else _key(key): item if type(item) in _AS_IS else _to_json(item)
        for key, item in table.items()
    }


def _key(key: object) -> str:
    if isinstance(key, bytes):
        return _base64(key)
    return _KEYWORDS.get(key, str(key)) if key is None or isinstance(key, bool) else str(key)


_KEYWORDS: Final[dict[object, str]] = {None: "null", True: "true", False: "false"}


def _base64(value: object) -> str:
    return b64encode(cast("bytes", value)).decode()


def _float(value: object) -> object:
    number = cast("float", value)
    return number if isfinite(number) else str(number)


def _as_is(value: object) -> object:
    return value


_CONVERSIONS: Final[dict[type, Callable[[object], object]]] = {
    **dict.fromkeys(_AS_IS, _as_is),
    float: _float,
    bytes: _base64,
    list: _list,
    dict: _dict,
}


def _keep(value: object, _: bool) -> object:  # noqa: FBT001 - cbor2's convention
    return value


def _object(pair: object, _: bool) -> object:  # noqa: FBT001 - cbor2's convention
    name, data = cast("tuple[str, object]", pair)
    if not isinstance(data, dict):
        return data
    klass = name.partition(":")[2].rpartition("<locals>.")[2]
    return {KLASS: klass, **cast("dict[str, object]", data)}


def _duration(count: object, _: bool) -> object:  # noqa: FBT001 - cbor2's convention
    span = cast("int", count) * MICROSECOND
    sign, span = ("-", -span) if span < timedelta(0) else ("", span)
    whole, micros = divmod(span // MICROSECOND, 1_000_000)
    fraction = f".{micros:06}".rstrip("0") if micros else ""
    return f"{sign}PT{whole}{fraction}S"


_DECODERS: Final[dict[int, TagDecoder]] = {
    **dict.fromkeys((DATETIME, DATE, TIME, DECIMAL, TUPLE, SET, FROZENSET, PAIRS), _keep),
    UUID_BYTES: lambda raw, _: str(UUID(bytes=cast("bytes", raw))),
    TIMEDELTA: _duration,
    MEMBER: lambda pair, _: cast("tuple[str, object]", pair)[1],
    OBJECT: _object,
}
