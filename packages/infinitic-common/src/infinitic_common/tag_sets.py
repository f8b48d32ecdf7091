"""Sets of ids by tag, changed and read in batches: what both tag engines do with storage."""

from collections.abc import Mapping
from hashlib import blake2b

import attrs

from infinitic_common.storage import KeySetStorage

_LONGEST_KEY = 255


def set_key(kind: str, name: str, tag: str) -> str:
    """The storage key of the ids that have a tag.

    A tag that no key can hold, being too long or having a NUL, is replaced by its BLAKE2b digest.

    Args:
        kind: ``workflow`` or ``task``.
        name: Name of the workflow or service.
        tag: The tag.
    """
    key = f"{kind}:{name}|tag:{tag}|setIds"
    if len(key) <= _LONGEST_KEY and "\0" not in key:
        return key
    digest = blake2b(tag.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
    return f"{kind}:{name}|tag#{digest}|setIds"


@attrs.frozen(eq=False)
class TagBatch:
    """The changes and questions of one batch, in the order they came.

    Attributes:
        changes: By key, each value's last change: True for added, False for removed.
        asked: Keys whose whole set is wanted.
    """

    changes: dict[str, dict[str, bool]] = attrs.field(factory=dict[str, dict[str, bool]])
    asked: set[str] = attrs.field(factory=set[str])

    def add(self, key: str, value: str) -> None:
        """The value is in the set from now on."""
        self.changes.setdefault(key, {})[value] = True

    def remove(self, key: str, value: str) -> None:
        """The value is in the set no more."""
        self.changes.setdefault(key, {})[value] = False

    def ask(self, key: str) -> None:
        """The set is wanted, as it is after the whole batch."""
        self.asked.add(key)

    def after(self, key: str, before: frozenset[str]) -> frozenset[str]:
        """The set of a key after the batch, when it had these values before."""
        changes = self.changes.get(key, {})
        kept = frozenset(value for value in before if changes.get(value, True))
        return kept | {value for value, present in changes.items() if present}

    async def carry_out(self, storage: KeySetStorage) -> Mapping[str, frozenset[str]]:
        """Read what is asked for, at once, then change everything, at once.

        Returns:
            The sets asked for, as they are after the batch.

        Raises:
            StorageUnavailable: The store cannot be reached now.
            StorageError: It refuses.
        """
        before = await storage.get(sorted(self.asked)) if self.asked else {}
        if self.changes:
            await storage.update(self._changed(present=True), self._changed(present=False))
        return {key: self.after(key, values) for key, values in before.items()}

    def _changed(self, *, present: bool) -> dict[str, list[str]]:
        chosen = {
            key: [value for value, there in values.items() if there is present]
            for key, values in self.changes.items()
        }
        return {key: values for key, values in chosen.items() if values}
