"""Ports to storage: versioned records by key, and sets of texts by key."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import attrs


@attrs.frozen
class VersionedValue:
    """A stored value and its version; an absent key reads as ``(None, 0)``."""

    value: bytes | None
    version: int


ABSENT = VersionedValue(None, 0)


@attrs.frozen
class Write:
    """A conditional write of one key.

    Attributes:
        value: The new value; None deletes the record.
        expected_version: The version the key must have for the write to happen; 0 means absent.
        expires_at: Milliseconds since the epoch after which the record reads as absent;
            None keeps it for ever. Each write sets it anew.
    """

    value: bytes | None
    expected_version: int
    expires_at: int | None = None


class KeyValueStorage(Protocol):
    """Records of bytes by key, each with a version that starts at 1 and grows by 1 at each write.

    * Expected version 0 inserts, and does nothing when the key exists. Version n > 0 updates or
      deletes where the version is n. No write ever revives or overwrites a record of another
      version, nor does one that expects a version no record has, as -1. Deleting an absent key
      with expected version 0 succeeds and does nothing.
    * A record past its expiry reads as absent, and an insert over it succeeds (with version 1).
      The store removes expired records itself, in bounded bites.
    * Each method is one round trip, whatever the number of keys. Keys are at most 255 characters,
      without NUL.
    * A write is durable when ``put`` returns. After an error its outcome is unknown: read again.

    Every method raises ``StorageUnavailable`` when the store cannot be reached now (nothing the
    caller did is wrong, the same call may succeed later), ``StorageError`` otherwise.
    """

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """Value and version of each key; every key asked for is in the answer."""
        ...

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """Write each key whose version is the expected one; True for each key written.

        Keys are independent of one another: one refused does not stop the others.
        """
        ...

    async def delete(self, keys: Collection[str]) -> None:
        """Delete the keys, whatever their versions."""
        ...

    async def close(self) -> None:
        """Release connections. Closing twice does nothing."""
        ...


@attrs.frozen
class Page:
    """Some values of a set, and the cursor of the next page; None after the last one."""

    values: tuple[str, ...]
    next_cursor: str | None


class KeySetStorage(Protocol):
    """Sets of texts by key. Adding twice is adding once; an unknown key is an empty set.

    Values hold no NUL, which SQL databases do not store. Keys and errors as in ``KeyValueStorage``.
    """

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        """The set of each key; every key asked for is in the answer."""
        ...

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        """At most ``limit`` values in ascending order, from where the cursor points.

        A value present during the whole paging is given exactly once; one added or removed
        meanwhile may or may not be.
        """
        ...

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        """Add and remove values of many sets in one round trip; removals are done first."""
        ...

    async def close(self) -> None:
        """Release connections. Closing twice does nothing."""
        ...


class Storage(Protocol):
    """Both stores of one database, opened together."""

    @property
    def key_values(self) -> KeyValueStorage:
        """Versioned records."""
        ...

    @property
    def key_sets(self) -> KeySetStorage:
        """Sets of texts."""
        ...

    async def close(self) -> None:
        """Close both."""
        ...
