"""Where records and sets are in Redis.

In a cluster only keys of one slot can be written together. A record whose key holds an id is put
in the slot of that id, so that the head and the segments of a workflow, which a write of the engine
must not tear apart, are one batch there too; see ``decisions/redis-layout.md``.
"""

import re

from infinitic_storage._texts import utf8

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class RedisKeys:
    """The names of keys under a prefix; two texts never have the same one.

    Args:
        prefix: What all of them start with. It holds no colon, so that no other prefix followed by
            a key is the same.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @property
    def format(self) -> bytes:
        """Where the format of all the others is told."""
        return utf8(f"{self._prefix}:format")

    def record(self, key: str) -> bytes:
        """Where a record is.

        Raises:
            StorageError: The key is not valid Unicode.
        """
        found = None if "{" in key or "}" in key else _ID.search(key)
        if found is None:
            return utf8(f"{self._prefix}:value:{key}")
        before, after = key[: found.start()], key[found.end() :]
        return utf8(f"{self._prefix}:of:{before}{{{found[0]}}}{after}")

    def set(self, key: str) -> bytes:
        """Where a set is.

        Raises:
            StorageError: The key is not valid Unicode.
        """
        return utf8(f"{self._prefix}:set:{key}")
