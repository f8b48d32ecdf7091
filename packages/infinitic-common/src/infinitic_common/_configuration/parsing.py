"""From YAML text to nodes that know their line; nothing is constructed, so nothing can be run."""

from typing import TYPE_CHECKING, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from infinitic_common._configuration.nodes import Block, Entry, Node, Scalar, Series
from infinitic_common._configuration.problems import ConfigurationError, Mark, Problem
from infinitic_common._nearest import normalise

if TYPE_CHECKING:
    from collections.abc import Callable

_STANDARD_TAGS = "tag:yaml.org,2002:"
_MERGE_TAG = "tag:yaml.org,2002:merge"
_KNOWN_TAGS = frozenset(
    _STANDARD_TAGS + kind
    for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)


def parse(text: str, source: str) -> Block:
    """Parse one YAML document whose root is a block.

    Args:
        text: The document; an empty one is an empty block.
        source: Its name in messages.

    Raises:
        ConfigurationError: It is not YAML, or has duplicate keys, unknown tags or no keys at all.
    """
    root = _compose(text, source)
    if root is None:
        return Block(mark=Mark(source))
    parser = _Parser(source)
    node = parser.node(root)
    if not isinstance(node, Block):
        parser.problems.append(
            Problem("", "must be a block of keys", "write `key: value`", node.mark)
        )
    if parser.problems or not isinstance(node, Block):
        raise ConfigurationError(parser.problems)
    return node


def _compose(text: str, source: str) -> object:
    compose = cast("Callable[[str], object]", YAML(typ="safe", pure=True).compose)  # pyright: ignore[reportUnknownMemberType]
    try:
        return compose(text)
    except YAMLError as error:
        raise ConfigurationError([_syntax_problem(error, source)]) from error


def _syntax_problem(error: YAMLError, source: str) -> Problem:
    if not isinstance(error, MarkedYAMLError):
        return Problem("", f"is not YAML: {error}", mark=Mark(source))
    mark = Mark(source, _line(_untyped(error, "problem_mark")))
    what = f"is not YAML: {_untyped(error, 'problem')}"
    return Problem("", what, "correct the syntax there", mark)


def _line(position: object) -> int | None:
    line = _untyped(position, "line")
    return line + 1 if isinstance(line, int) else None


def _untyped(holder: object, name: str) -> object:
    """Read an attribute for which the YAML library declares no type."""
    return cast("object", getattr(holder, name, None))


class _Parser:
    """Turns the nodes of one document into ours, collecting problems."""

    def __init__(self, source: str) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._open: set[int] = set()

    def node(self, raw: object) -> Node:
        mark = self._mark(raw)
        if id(raw) in self._open:
            self._refuse("contains itself through an alias", "write the block out", mark)
            return Scalar("", mark)
        self._open.add(id(raw))
        try:
            return self._node(raw, mark)
        finally:
            self._open.discard(id(raw))

    def _node(self, raw: object, mark: Mark) -> Node:
        tag = str(_untyped(raw, "tag"))
        if tag not in _KNOWN_TAGS:
            self._refuse(f"the tag {tag} is not known here", "remove the tag", mark)
        if isinstance(raw, MappingNode):
            return Block(self._entries(raw), mark)
        if isinstance(raw, SequenceNode):
            items = cast("list[object]", _untyped(raw, "value"))
            return Series(tuple(self.node(item) for item in items), mark)
        return self._scalar(raw, mark)

    def _scalar(self, raw: object, mark: Mark) -> Scalar:
        quoted = _untyped(raw, "style") is not None
        return Scalar(str(_untyped(raw, "value")), mark, quoted=quoted)

    def _entries(self, raw: MappingNode) -> dict[str, Entry]:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for raw_key, raw_value in cast("list[tuple[object, object]]", _untyped(raw, "value")):
            if _untyped(raw_key, "tag") == _MERGE_TAG:
                merged = self._merged(raw_value) | merged
            else:
                self._add(own, raw_key, raw_value)
        return merged | own

    def _merged(self, raw: object) -> dict[str, Entry]:
        node = self.node(raw)
        blocks = reversed(node.items if isinstance(node, Series) else (node,))
        entries: dict[str, Entry] = {}
        for block in blocks:
            if isinstance(block, Block):
                entries |= block.entries
            else:
                self._refuse("`<<` merges blocks only", "give it an alias of a block", block.mark)
        return entries

    def _add(self, own: dict[str, Entry], raw_key: object, raw_value: object) -> None:
        mark = self._mark(raw_key)
        if not isinstance(raw_key, ScalarNode):
            remedy = 'quote a reference: "{{path}}"'
            self._refuse("a key must be a single word, is a block or a list", remedy, mark)
            return
        key = str(_untyped(raw_key, "value"))
        first = own.get(normalise(key))
        if first is None:
            own[normalise(key)] = Entry(key, self.node(raw_value), mark)
            return
        what = f"the key '{key}' stands twice, first as '{first.key}' on line {first.mark.line}"
        self._refuse(what, "keep one", mark)

    def _mark(self, raw: object) -> Mark:
        return Mark(self._source, _line(_untyped(raw, "start_mark")))

    def _refuse(self, what: str, remedy: str, mark: Mark) -> None:
        self.problems.append(Problem("", what, remedy, mark))
