"""Parameters of statements in Postgres's binary format.

An array is: number of dimensions, whether it has nulls, the type of its elements; then, unless it
is empty, its length and lower bound, and each element behind its length (see ``array_recv`` in
PostgreSQL's source). Built here, an array of a hundred rows costs a tenth of the general adapters.
"""

from collections.abc import Sequence
from struct import Struct

from infinitic_storage._texts import utf8

_BYTEA, _INT8, _TEXT, _TIMESTAMPTZ = 17, 20, 25, 1184

_head = Struct("!IIIII").pack
_length = Struct("!I").pack
_integer = Struct("!Iq").pack
_plain_integer = Struct("!q").pack

_NULL = b"\xff\xff\xff\xff"
# Postgres counts microseconds from 2000-01-01.
_POSTGRES_EPOCH = 946_684_800_000
_INFINITY = 2**63 - 1
_LAST_INSTANT = 9_000_000_000_000_000


_NO_TEXTS, _NO_BLOBS, _NO_INTEGERS, _NO_INSTANTS = (
    Struct("!III").pack(0, 0, type_) for type_ in (_TEXT, _BYTEA, _INT8, _TIMESTAMPTZ)
)


def texts(values: Sequence[str]) -> bytes:
    """An array of texts.

    Raises:
        StorageError: One holds half of a surrogate pair, which UTF-8 cannot encode.
    """
    if not values:
        return _NO_TEXTS
    parts = [_head(1, 0, _TEXT, len(values), 1)]
    for value in values:
        encoded = text(value)
        parts += (_length(len(encoded)), encoded)
    return b"".join(parts)


def text(value: str) -> bytes:
    """A text.

    Raises:
        StorageError: It holds half of a surrogate pair, which UTF-8 cannot encode.
    """
    return utf8(value)


def blobs(values: Sequence[bytes]) -> bytes:
    """An array of byte strings."""
    if not values:
        return _NO_BLOBS
    parts = [_head(1, 0, _BYTEA, len(values), 1)]
    for value in values:
        parts += (_length(len(value)), value)
    return b"".join(parts)


def integers(values: Sequence[int]) -> bytes:
    """An array of integers of 8 bytes."""
    if not values:
        return _NO_INTEGERS
    elements = [_integer(8, value) for value in values]
    return b"".join((_head(1, 0, _INT8, len(values), 1), *elements))


def instants(values: Sequence[int | None]) -> bytes:
    """An array of instants, from milliseconds since the epoch; None is null."""
    if not values:
        return _NO_INSTANTS
    elements = [_NULL if value is None else _instant(value) for value in values]
    return b"".join((_head(1, 1, _TIMESTAMPTZ, len(values), 1), *elements))


def integer(value: int) -> bytes:
    """An integer of 8 bytes."""
    return _plain_integer(value)


def _instant(milliseconds: int) -> bytes:
    if milliseconds > _LAST_INSTANT:
        return _integer(8, _INFINITY)
    return _integer(8, (milliseconds - _POSTGRES_EPOCH) * 1000)
