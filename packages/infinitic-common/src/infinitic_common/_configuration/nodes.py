"""A configuration before it has a meaning: blocks, lists and scalars that know where they stand."""

import re
from collections.abc import Mapping

from attrs import field, frozen

from infinitic_common._configuration.problems import Mark

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
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
    mark: Mark = Mark("")


Node = Scalar | Series | Block


def normalise(key: str) -> str:
    """Return what two spellings of a key have in common: no case, dash or underscore.

    Args:
        key: A key as written.
    """
    return key.replace("-", "").replace("_", "").lower()


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


def to_data(node: Node) -> object:
    """Return a node as plain Python data, its keys as written.

    Args:
        node: Any node, its substitutions done.
    """
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Series):
        return tuple(to_data(item) for item in node.items)
    return {entry.key: to_data(entry.node) for entry in node.entries.values()}

