"""One packet of conditional writes, and what its results say about each key."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum, auto

import attrs

from infinitic_common.exceptions import StorageError
from infinitic_storage._batch import Batch, Item
from infinitic_storage._keys import LONGEST_KEY
from infinitic_storage._mysql_driver import Row
from infinitic_storage._mysql_literals import text
from infinitic_storage._mysql_statements import KeyValueStatements

# The position of a key in a list costs a comparison for each key before it.
_MOST_ROWS = 100
_LARGEST_PACKET = 16 * 1024 * 1024
# What a row costs beside its key and value, and how often its key is repeated; both at most.
_ROW, _KEYS, _PACKET = 500, 7, 4000
# In bytes, quoted: no character but a quote or a backslash needs more when it is quoted.
_LONGEST_KEY = 4 * LONGEST_KEY + 2


@attrs.frozen
class Result:
    """What one statement answered.

    Attributes:
        count: Rows written, or given.
        rows: The rows given.
    """

    count: int
    rows: Sequence[Row]


class _Part(Enum):
    WRITTEN = auto()
    MARKED = auto()
    DELETED = auto()
    PRESENT = auto()
    OTHER = auto()


class Put:
    """The statements of some conditional writes, and the reader of their results.

    Attributes:
        packet: The statements.
    """

    def __init__(self, statements: KeyValueStatements, items: Sequence[Item]) -> None:
        self._statements = statements
        self._batch = Batch.of(items)
        self._written = [*self._batch.updates, *self._batch.insertions]
        is_alone = len(items) == 1
        middle = [*self._writes(is_alone=is_alone), *self._deletions(), *self._absences()]
        other = _Part.OTHER
        parts = middle if is_alone else [(other, b"START TRANSACTION"), *middle, (other, b"COMMIT")]
        self._parts = [part for part, _ in parts]
        self.packet = [statement for _, statement in parts]

    def outcomes(self, results: Sequence[Result]) -> dict[str, bool]:
        """Whether each key was written, from the results of the packet."""
        of: dict[_Part, list[Result]] = {part: [] for part in _Part}
        for part, result in zip(self._parts, results, strict=True):
            of[part].append(result)
        is_complete = sum(result.count for result in of[_Part.WRITTEN]) == len(self._written)
        marked, present = _keys(of[_Part.MARKED]), _keys(of[_Part.PRESENT])
        outcomes = {key: is_complete or key in marked for key, _ in self._written}
        outcomes |= {key: key not in present for key, _ in self._batch.absences}
        deleted = zip(self._batch.deletions, of[_Part.DELETED], strict=True)
        return outcomes | {key: result.count == 1 for (key, _), result in deleted}

    def _writes(self, *, is_alone: bool) -> Iterator[tuple[_Part, bytes]]:
        mark = int.from_bytes(os.urandom(7))
        updates, insertions = self._batch.updates, self._batch.insertions
        count = b"ROW_COUNT()"
        if updates:
            yield _Part.WRITTEN, self._statements.update(updates, mark)
        if updates and insertions:
            yield _Part.OTHER, b"SET @updated = ROW_COUNT()"
            count = b"@updated + ROW_COUNT()"
        if insertions:
            yield _Part.OTHER, self._statements.delete_expired([key for key, _ in insertions])
            yield _Part.WRITTEN, self._statements.insert(insertions, mark)
        if self._written and not is_alone:
            keys = [key for key, _ in self._written]
            some_missing = b"%b < %d" % (count, len(keys))
            yield _Part.MARKED, self._statements.marked(keys, mark, some_missing)

    def _deletions(self) -> Iterator[tuple[_Part, bytes]]:
        for item in self._batch.deletions:
            yield _Part.DELETED, self._statements.delete_version(item)

    def _absences(self) -> Iterator[tuple[_Part, bytes]]:
        if self._batch.absences:
            keys = [key for key, _ in self._batch.absences]
            yield _Part.PRESENT, self._statements.present(keys)


def split(items: Collection[Item], limit: int) -> list[list[Item]]:
    """Writes in the order of their keys, so many in each part as fit a packet.

    Args:
        items: The writes.
        limit: The largest packet the server takes, in bytes.

    Raises:
        StorageError: A value is larger than that.
    """
    limit -= _PACKET
    ordered = sorted(items, key=lambda item: item[0])
    if len(items) <= _MOST_ROWS and _most(items) <= min(limit, _LARGEST_PACKET):
        return [ordered]
    parts, size = list[list[Item]](), 0
    for item in ordered:
        needed = _size(item)
        if needed > limit:
            raise StorageError(_refusal(item, limit + _PACKET))
        size += needed
        if (
            not parts
            or len(parts[-1]) == _MOST_ROWS
            or size + _PACKET > min(limit, _LARGEST_PACKET)
        ):
            parts.append([])
            size = needed
        parts[-1].append(item)
    return parts


def _most(items: Collection[Item]) -> int:
    """What the rows may need at most, without looking at what they hold."""
    values = sum(len(write.value) for _, write in items if write.value is not None)
    return 2 * values + len(items) * (_KEYS * _LONGEST_KEY + _ROW)


def _size(item: Item) -> int:
    key, write = item
    value = write.value or b""
    escapes = value.count(b"\\") + value.count(b"'")
    return len(value) + escapes + _KEYS * len(text(key)) + _ROW


def _refusal(item: Item, limit: int) -> str:
    key, write = item
    return (
        f"the value of key {key!r} has {len(write.value or b'')} bytes, which is too much for a "
        f"statement of at most {limit} bytes: raise max_allowed_packet of the server, compress "
        "(option `compression` of the storage), or pass a reference to the data instead"
    )


def _keys(results: Iterable[Result]) -> set[str]:
    return {as_text(row[0]) for result in results for row in result.rows}


def as_text(cell: object) -> str:
    """A text, from a column of bytes."""
    return cell.decode() if isinstance(cell, bytes) else str(cell)
