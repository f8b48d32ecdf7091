"""The bytes: CBOR, the tags in use, and the fingerprint of a value.

Numbers below 49152 are registered tags (RFC 8949, RFC 8943). The others are private: nobody else
reads these bytes, the JSON view is for that.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Final, TypeAlias, cast

import cbor2
from attrs import frozen

DATETIME: Final = 0
UUID_BYTES: Final = 37
DATE: Final = 1004
TIME: Final = 49152
TIMEDELTA: Final = 49153
DECIMAL: Final = 49154
TUPLE: Final = 49155
SET: Final = 49156
FROZENSET: Final = 49157
PAIRS: Final = 49158
OBJECT: Final = 49159
MEMBER: Final = 49160

MAX_DEPTH: Final = 128
"""Containers a value may nest: what is written must be readable on any stack."""

TagDecoder: TypeAlias = Callable[[object, bool], object]

dump = cbor2.dumps
"""Write plain data. cbor2 shares neither strings nor objects unless told to, so equal data give
equal bytes."""

Tag = cbor2.CBORTag

MICROSECOND: Final = timedelta(microseconds=1)


@frozen
class Member:
    """Data of the member of a union that its shape alone does not tell."""

    label: str
    data: object


def load(data: bytes, decoders: Mapping[int, TagDecoder], max_depth: int = 400) -> object:
    """Read plain data, each tag through its decoder."""
    return cast("object", cbor2.loads(data, semantic_decoders=decoders, max_depth=max_depth))


def too_deep(data: bytes) -> bool:
    """Tell whether containers nest beyond `MAX_DEPTH`; a level takes a byte at least."""
    if len(data) <= MAX_DEPTH:
        return False
    try:
        load(data, _NOTHING, MAX_DEPTH)
    except cbor2.CBORDecodeError:
        return True
    return False


def content_hash(data: bytes) -> bytes:
    """Return the 16-byte fingerprint of an encoded value (BLAKE2b)."""
    return blake2b(data, digest_size=16).digest()


def sorted_by_bytes(items: list[object]) -> list[object]:
    """Order plain data in a way that every process agrees on."""
    return sorted(items, key=dump)


def value_decoders(decode_object: TagDecoder) -> dict[int, TagDecoder]:
    """Return the decoders that rebuild Python values.

    Args:
        decode_object: rebuilds an object from the name of its type and its data.
    """
    return {
        DATETIME: lambda text, _: datetime.fromisoformat(cast("str", text)),
        DATE: lambda text, _: date.fromisoformat(cast("str", text)),
        TIME: lambda text, _: time.fromisoformat(cast("str", text)),
        TIMEDELTA: lambda count, _: cast("int", count) * MICROSECOND,
        DECIMAL: lambda text, _: Decimal(cast("str", text)),
        TUPLE: lambda items, _: tuple(cast("list[object]", items)),
        SET: lambda items, _: set(cast("list[object]", items)),
        FROZENSET: lambda items, _: frozenset(cast("list[object]", items)),
        PAIRS: lambda pairs, _: dict(cast("list[tuple[object, object]]", pairs)),
        MEMBER: lambda pair, _: Member(*cast("tuple[str, object]", pair)),
        OBJECT: decode_object,
    }


def _drop(_data: object, _immutable: bool) -> object:  # noqa: FBT001 - cbor2's convention
    return None


_NOTHING: Final[dict[int, TagDecoder]] = dict.fromkeys(
    (DATETIME, UUID_BYTES, DATE, *range(TIME, MEMBER + 1)), _drop
)
