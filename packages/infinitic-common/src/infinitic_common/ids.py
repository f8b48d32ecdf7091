"""Identifiers: fresh ones for what a client or a process starts, derived ones for all that follows.

A derived identifier is the same each time the same thing is computed again, so that a message made
twice, by a redelivery or by another process after a crash, is recognised as one message.
"""

import os
import time
from hashlib import blake2b

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The digit that tells the variant in its upper half, and keeps the lower half of another one."""


def new_id() -> str:
    """A fresh identifier: UUID version 7 (RFC 9562 section 5.7), so that ids sort by creation."""
    milliseconds = time.time_ns() // 1_000_000
    return _uuid(milliseconds.to_bytes(6, "big") + os.urandom(10), version=7)


def derived_id(*parts: str | int) -> str:
    """The identifier that these parts always give: UUID version 8 (RFC 9562 section 5.8).

    The 122 free bits are the BLAKE2b digest of the parts, joined by a character that no part has.
    """
    joined = "\x1f".join(map(str, parts)).encode()
    return _uuid(blake2b(joined, digest_size=16).digest(), version=8)


def _uuid(value: bytes, *, version: int) -> str:
    """The text of a UUID, without the object that nobody would keep."""
    text = value.hex()
    last = f"{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"
    return f"{text[:8]}-{text[8:12]}-{version}{text[13:16]}-{last}"
