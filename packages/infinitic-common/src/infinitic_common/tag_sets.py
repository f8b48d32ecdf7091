"""Sets of ids by tag, changed and read in batches: what both tag engines do with storage."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from infinitic_common.storage import KeySetStorage


@attrs.define
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

    async def carry_out(self, storage: KeySetStorage) -> dict[str, frozenset[str]]:
        """One read of what was asked, one update of all; answers the sets asked for.

        Raises:
            StorageUnavailable: and what else the storage raises.
        """
        sets = await storage.get(sorted(self.asked)) if self.asked else {}
        if self.changes:
            await storage.update(self._with(present=True), self._with(present=False))
        return {key: self._changed(key, values) for key, values in sets.items()}

    def _with(self, *, present: bool) -> dict[str, list[str]]:
        chosen = {
            key: [value for value, there in values.items() if there is present]
            for key, values in self.changes.items()
        }
        return {key: values for key, values in chosen.items() if values}

    def _changed(self, key: str, values: Collection[str]) -> frozenset[str]:
        changes = self.changes.get(key, {})
        kept = {value for value in values if changes.get(value, True)}
        return frozenset(kept | {value for value, there in changes.items() if there})
