"""Sets of ids by tag, changed and read in batches: what both tag engines do with storage."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

import attrs

from infinitic_common.codec import encode
from infinitic_common.ids import derived_id
from infinitic_common.messages import TaskIdsByTag, WorkflowIdsByTag
from infinitic_common.storage import KeySetStorage

_LONGEST_KEY = 255
_TEXT_HEADER_BYTES = 5
# Room for the length of an answer's list, its part and their number.
_NUMBERS_BYTES = 32


def set_key(kind: str, name: str, tag: str) -> str:
    """The storage key of the ids that have a tag.

    A tag that no key can hold, being too long or having a NUL, is replaced by its BLAKE2b digest.

    Args:
        kind: ``workflow`` or ``task``.
        name: Name of the workflow or service.
        tag: The tag.
    """
    key = f"{kind}:{name}|tag:{tag}|setIds"
    return key if is_storable(key) else f"{kind}:{name}|tag#{key_digest(tag)}|setIds"


def is_storable(key: str) -> bool:
    """Whether every storage takes a key as it is."""
    return len(key) <= _LONGEST_KEY and "\0" not in key


def key_digest(text: str) -> str:
    """What stands in a key for a text that no key can hold: its BLAKE2b digest, in hexadecimal."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def in_parts(ids: Iterable[str], max_bytes: int) -> list[tuple[str, ...]]:
    """Ids, cut into lists whose encoded form has at most that many bytes; at least one list.

    Args:
        ids: The ids, in their order.
        max_bytes: Room for the ids of a list; one id is in each list, whatever the room.
    """
    parts, part, room = list[tuple[str, ...]](), list[str](), max_bytes
    for one in ids:
        size = len(one.encode()) + _TEXT_HEADER_BYTES
        if part and size > room:
            parts.append(tuple(part))
            part, room = [], max_bytes
        part.append(one)
        room -= size
    return [*parts, tuple(part)]


@attrs.frozen
class AnswerPart:
    """One message of an answer.

    Attributes:
        message_id: Its id: the answer's for the first part, and derived from it for the others.
        ids: What it tells.
        part: Which part it is, from 0.
        parts: How many there are.
    """

    message_id: str
    ids: tuple[str, ...]
    part: int
    parts: int


def answer_parts(
    answer: TaskIdsByTag | WorkflowIdsByTag, ids: Iterable[str], max_bytes: int
) -> Iterator[AnswerPart]:
    """An answer in as many messages as it needs.

    Args:
        answer: The answer, without any ids.
        ids: The ids, in any order; they are told in theirs.
        max_bytes: The largest message that the broker accepts.
    """
    parts = in_parts(sorted(ids), max_bytes - len(encode(answer)) - _NUMBERS_BYTES)
    for number, part in enumerate(parts):
        identifier = derived_id(answer.message_id, number) if number else answer.message_id
        yield AnswerPart(identifier, part, number, len(parts))


@attrs.frozen(eq=False)
class SetChanges:
    """The changes of one batch, in the order they came.

    Attributes:
        changes: By key, each value's last change: True for added, False for removed.
    """

    changes: dict[str, dict[str, bool]] = attrs.field(factory=dict[str, dict[str, bool]])

    def add(self, key: str, value: str) -> None:
        """The value is in the set from now on."""
        self.changes.setdefault(key, {})[value] = True

    def remove(self, key: str, value: str) -> None:
        """The value is in the set no more."""
        self.changes.setdefault(key, {})[value] = False

    def of(self, key: str) -> Mapping[str, bool]:
        """What changed in a set so far: True for each value added, False for each removed."""
        return self.changes.get(key, {})

    def after(self, key: str, before: frozenset[str]) -> frozenset[str]:
        """The set of a key after the changes, when it had these values before."""
        changes = self.of(key)
        kept = frozenset(value for value in before if changes.get(value, True))
        return kept | {value for value, present in changes.items() if present}

    async def carry_out(self, storage: KeySetStorage) -> None:
        """Change everything, in one round trip.

        Raises:
            StorageUnavailable: The store cannot be reached now.
            StorageError: It refuses.
        """
        if self.changes:
            await storage.update(self._changed(present=True), self._changed(present=False))

    def _changed(self, *, present: bool) -> dict[str, list[str]]:
        chosen = {
            key: [value for value, there in values.items() if there is present]
            for key, values in self.changes.items()
        }
        return {key: values for key, values in chosen.items() if values}
