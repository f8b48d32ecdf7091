"""Values in the text of statements for MySQL.

The driver has no prepared statements. Its own quoting goes through text, character by character;
in a string that is read as bytes only the backslash and the quote need care, see "String
Literals" in MySQL's manual. The connection sets ``NAMES binary`` and an SQL mode without
``NO_BACKSLASH_ESCAPES``, on which this rests.
"""

from collections.abc import Iterable

from infinitic_storage._texts import utf8

_LARGEST = 2**63 - 1


def text(value: str) -> bytes:
    """A text, quoted.

    Raises:
        StorageError: It holds half of a surrogate pair, which UTF-8 cannot encode.
    """
    return blob(utf8(value))


def blob(value: bytes) -> bytes:
    """A byte string, quoted."""
    return b"'" + value.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"


def integer(value: int) -> bytes:
    """An integer of 8 bytes; the largest one stands for those that are larger."""
    return b"%d" % min(value, _LARGEST)


def optional(value: int | None) -> bytes:
    """An integer, or null."""
    return b"NULL" if value is None else integer(value)


def listed(values: Iterable[bytes]) -> bytes:
    """Literals with commas between them."""
    return b",".join(values)
