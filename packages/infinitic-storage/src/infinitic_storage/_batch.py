"""What one call to a SQL database changes, in the order in which its rows are met."""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

import attrs

from infinitic_common.storage import Write

Item = tuple[str, Write]
"""A key, and what is to be written there."""

Pair = tuple[str, str]
"""The key of a set, and one of its values."""


@attrs.frozen
class Batch:
    """Writes of one call by kind, each in the order of the keys.

    Attributes:
        updates: Where a version is expected, and a value given.
        deletions: Where a version is expected, and no value given.
        insertions: Where the key must be absent.
        absences: Where the key must be absent, and stays so.
    """

    updates: Sequence[Item]
    deletions: Sequence[Item]
    insertions: Sequence[Item]
    absences: Sequence[Item]

    @classmethod
    def of(cls, items: Iterable[Item]) -> "Batch":
        """The batch of some writes."""
        updates, deletions = list[Item](), list[Item]()
        insertions, absences = list[Item](), list[Item]()
        for item in sorted(items, key=itemgetter(0)):
            _, write = item
            if write.value is None:
                (deletions if write.expected_version else absences).append(item)
            else:
                (updates if write.expected_version else insertions).append(item)
        return cls(updates, deletions, insertions, absences)


def pairs_of(sets: Mapping[str, Sequence[str]]) -> set[Pair]:
    """Each value of some sets, with its key."""
    return {(key, value) for key, values in sets.items() for value in values}
