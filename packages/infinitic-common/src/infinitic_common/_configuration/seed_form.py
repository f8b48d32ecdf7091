"""Keys of an inner block that may also stand directly in the outer one.

``class``, ``concurrency`` and the like directly under a service or a workflow are the canonical
form; the same keys in an ``executor:`` block are accepted. One key in both places is an error.
"""

from typing import TypeVar

from infinitic_common._configuration.nodes import Block, Entry, Node, Scalar
from infinitic_common._configuration.reading import At, Gathering, entry_place
from infinitic_common._configuration.settings import Settings, keys_of, make, read_fields
from infinitic_common._nearest import normalise

T = TypeVar("T", bound=Settings)


def read_with_inner(
    cls: type[T], inner: type[Settings], node: Node, at: At, *, name: str = "executor"
) -> T:
    """Read an object one of whose fields may be written in either form.

    Args:
        cls: Its class.
        inner: The class of that field.
        node: What was written.
        at: Where it stands.
        name: The field, and its key.

    Raises:
        ConfigurationError: Something in it is wrong, or a key stands in both places.
    """
    block, gathering, values = at.block(node), Gathering(), dict[str, object]()
    forms = set(map(normalise, keys_of(inner)))
    direct = {form: entry for form, entry in block.entries.items() if form in forms}
    outer = {form: e for form, e in block.entries.items() if form not in direct and form != name}
    with gathering:
        values = read_fields(cls, Block(outer, block.mark), at, but=frozenset({name}))
    with gathering:
        if (found := _inner_block(block, direct, name, at)) is not None:
            values[name] = inner.from_node(*found)
    gathering.finish()
    return make(cls, values, block, at)


def flattened(block: Block, name: str, at: At) -> Block:
    """Return a block with the keys of one of its blocks moved up.

    Args:
        block: The outer block.
        name: The key of the inner one, normalised.
        at: Where the outer block stands.

    Raises:
        ConfigurationError: A key stands in both places.
    """
    nested = block.entries.get(name)
    if nested is None:
        return block
    rest = {form: entry for form, entry in block.entries.items() if form != name}
    inner = entry_place(nested, at)
    return Block(_united(rest, inner.block(nested.node), inner), block.mark)


def _inner_block(
    block: Block, direct: dict[str, Entry], name: str, at: At
) -> tuple[Block, At] | None:
    nested = block.entries.get(name)
    if nested is None or _is_null(nested.node, at):
        return (Block(direct, block.mark), at) if direct else None
    inner = entry_place(nested, at)
    return Block(_united(direct, inner.block(nested.node), inner), nested.mark), inner


def _is_null(node: Node, at: At) -> bool:
    return isinstance(node, Scalar) and at.filled(node).is_null


def _united(outer: dict[str, Entry], inner: Block, at: At) -> dict[str, Entry]:
    gathering = Gathering()
    for form in outer.keys() & inner.entries.keys():
        what = f"is given here and directly ({outer[form].mark})"
        gathering.problems += (
            entry_place(inner.entries[form], at).refusal(what, "keep one").problems
        )
    gathering.finish()
    return {**outer, **inner.entries}
