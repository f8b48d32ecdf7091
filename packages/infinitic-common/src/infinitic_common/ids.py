"""Identifiers: fresh ones for what a client or a process starts, derived ones for all that follows.

A derived identifier is the same each time the same thing is computed again, so that a message made
twice, by a redelivery or by another process after a crash, is recognised as one message.
"""

import os
import time
from hashlib import blake2b
from uuid import UUID

_VERSION_MASK = ~(0xF000 << 64)
_VARIANT_MASK = ~(0xC000 << 48)


def new_id() -> str:
    """A fresh identifier: UUID version 7 (RFC 9562 section 5.7), so that ids sort by creation."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    return _uuid(value, version=7)


def derived_id(*parts: str | int) -> str:
    """The identifier that these parts always give: UUID version 8 (RFC 9562 section 5.8).

    The 122 free bits are the BLAKE2b digest of the parts, joined by a character that no part has.
    """
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()
    return _uuid(int.from_bytes(digest, "big"), version=8)


def _uuid(value: int, *, version: int) -> str:
    value = (value & _VERSION_MASK & _VARIANT_MASK) | (version << 76) | (0x8000 << 48)
    return str(UUID(int=value))
