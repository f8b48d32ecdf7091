"""Blocks whose meaning is chosen by one of their keys: ``transport``, ``storage``."""

from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from attrs import frozen

from infinitic_common._configuration.nodes import Block, Entry, Node, Scalar
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.reading import At, Gathering, entry_place, read_data
from infinitic_common._configuration.settings import Settings, make, read_fields
from infinitic_common._nearest import normalise, suggestion
from infinitic_common.discovery import installed_names

T = TypeVar("T", bound=Settings)
_SHORTHANDS = {"memory": "inMemory"}


@frozen
class Choice:
    """The implementations that one kind of component has.

    Attributes:
        what: The kind of component, as ``storage``.
        group: The entry points where installed wheels announce others.
        known: The class of options of each known implementation, by its name.
        others: Further keys of the block.
    """

    what: str
    group: str
    known: Mapping[str, type[Settings]]
    others: tuple[str, ...]

    def read(self, cls: type[T], node: Node, at: At) -> T:
        """Read an object with the fields ``kind`` and ``options``, and others by their keys.

        Args:
            cls: Its class.
            node: A single name, or a block with one key that names an implementation.
            at: Where it stands.

        Raises:
            ConfigurationError: No implementation is named, or several, or an unknown one; or
                something in the block is wrong.
        """
        block = self._as_block(node, at)
        chosen = self._chosen(block, at)
        rest = {form: entry for form, entry in block.entries.items() if entry is not chosen}
        values, gathering = dict[str, object](), Gathering()
        with gathering:
            values["kind"] = name = self._name(chosen, at)
            values["options"] = self._options(name, chosen, entry_place(chosen, at))
        with gathering:
            fields = frozenset({"kind", "options"})
            values |= read_fields(cls, Block(rest, block.mark), at, but=fields)
        gathering.finish()
        return make(cls, values, block, at)

    def conflict(self, kind: str, options: object) -> Iterable[Problem]:
        """Yield what is wrong when options are not those of the implementation.

        Args:
            kind: Name of the implementation.
            options: What it is given.
        """
        wanted = self.known.get(kind)
        if wanted is not None and not isinstance(options, wanted):
            what = f"must be a {wanted.__name__} for the {self.what} '{kind}'"
            yield Problem("options", f"{what}, is a {type(options).__name__}")

    def _as_block(self, node: Node, at: At) -> Block:
        if not isinstance(node, Scalar) or at.filled(node).is_empty:
            return at.block(node)
        filled = at.filled(node)
        entry = Entry(filled.text, Scalar("", node.mark), node.mark)
        return Block({normalise(filled.text): entry}, node.mark)

    def _chosen(self, block: Block, at: At) -> Entry:
        others = set(map(normalise, self.others))
        chosen = [entry for form, entry in block.entries.items() if form not in others]
        # A misspelt further key must not pass for a second implementation.
        known = [entry for entry in chosen if self._installed_name(entry.key)]
        candidates = known or chosen
        if len(candidates) == 1:
            return candidates[0]
        what, remedy = f"names no {self.what}", f"add one of {', '.join(self._writable())}"
        if candidates:
            what = f"names several: {', '.join(entry.key for entry in candidates)}"
            remedy = f"keep one {self.what}"
        raise at.refusal(what, remedy)

    def _name(self, entry: Entry, at: At) -> str:
        name = self._installed_name(entry.key)
        if name is None:
            remedy = suggestion(entry.key, self._writable())
            entry_place(entry, at).refuse(f"unknown {self.what} '{entry.key}'", remedy)
        return name

    def _installed_name(self, key: str) -> str | None:
        form = normalise(_SHORTHANDS.get(key, key))
        names = (*self.known, *installed_names(self.group))
        return next((name for name in names if normalise(name) == form), None)

    def _options(self, name: str, entry: Entry, at: At) -> object:
        if isinstance(entry.node, Scalar) and at.filled(entry.node).is_null:
            at.refuse("must not be null", f"remove the key, or choose this {self.what}")
        options = self.known.get(name)
        if options is not None:
            return options.from_node(entry.node, at)
        return cast("Mapping[str, object]", read_data(at.block(entry.node), at))

    def _writable(self) -> list[str]:
        announced = (name for name in installed_names(self.group) if name not in self.known)
        return [*self.known, *announced]
