"""A configuration before it has a meaning: blocks, lists and scalars that know where they stand."""

import re
from collections.abc import Mapping

from attrs import field, frozen

from infinitic_common._configuration.problems import Mark
from infinitic_common._nearest import normalise

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_NOWHERE = Mark("")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@frozen
class Scalar:
    """A single value, kept as it was written.

    Attributes:
        text: The text, without quotes.
        quoted: Whether it was quoted, hence text whatever it looks like.
        mark: Where it stands.
    """

    text: str
    mark: Mark
    quoted: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was written, which means "all defaults"."""
        return not self.quoted and not self.text

    @property
    def is_null(self) -> bool:
        """Whether ``null`` was written, which means "none" or "disabled"."""
        return not self.quoted and self.text.lower() in {"null", "~"}

    @property
    def value(self) -> str | int | float | bool | None:
        """The value by the core schema of YAML 1.2."""
        return self.text if self.quoted else plain_value(self.text)


@frozen
class Series:
    """A list."""

    items: tuple["Node", ...]
    mark: Mark


@frozen
class Entry:
    """One key of a block with its value."""

    key: str
    node: "Node"
    mark: Mark


@frozen
class Block:
    """Keys with values.

    Attributes:
        entries: By normalised key; an entry has the key as it was written.
        mark: Where the block stands.
    """

    entries: Mapping[str, Entry] = field(factory=dict[str, Entry])
    mark: Mark = _NOWHERE


Node = Scalar | Series | Block


def plain_value(text: str) -> str | int | float | bool | None:
    """Return the value that an unquoted scalar has by the core schema of YAML 1.2.

    Args:
        text: What was written.
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return text


def child(node: Node | None, part: str) -> tuple[Node, Mark] | None:
    """Return what a node holds under a key or an index, with the place where that is written.

    Args:
        node: A block or a list; anything else holds nothing.
        part: The key in any spelling, or the digits of an index.
    """
    if isinstance(node, Block):
        entry = node.entries.get(normalise(part))
        return (entry.node, entry.mark) if entry else None
    if isinstance(node, Series) and part.isdecimal() and int(part) < len(node.items):
        item = node.items[int(part)]
        return item, item.mark
    return None


def parts_of(path: str) -> list[str]:
    """Return the keys and indexes of a path.

    Args:
        path: As ``services[0].concurrency`` or ``services.0.concurrency``.
    """
    return [part for part in path.replace("[", ".").replace("]", "").split(".") if part]


def mark_of(node: Node, path: str) -> Mark | None:
    """Return where the deepest part of a path that exists is written.

    Args:
        node: Where the path begins.
        path: The path.
    """
    mark: Mark | None = None
    found = child(node, next(iter(parts_of(path)), ""))
    for part in (*parts_of(path)[1:], ""):
        if found is None:
            return mark
        inner, mark = found
        found = child(inner, part)
    return mark
