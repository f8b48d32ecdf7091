"""Several sources as one, and single values overridden by environment variables."""

from collections.abc import Iterable, Mapping
from functools import reduce

from infinitic_common._configuration.nodes import Block, Entry, Node, Scalar, Series
from infinitic_common._configuration.problems import ConfigurationError, Mark, Problem
from infinitic_common._nearest import normalise

OVERRIDE_PREFIXES = ("INFINITIC_CONFIG_OVERRIDE_", "config.override.")


def merge_all(blocks: Iterable[Block]) -> Block:
    """Merge blocks key by key, the first one winning; a list is taken as a whole.

    Args:
        blocks: The most important first.
    """
    return reduce(_merge_blocks, blocks, Block())


def override(block: Block, environ: Mapping[str, str]) -> Block:
    """Put the values of the override variables over a configuration.

    ``INFINITIC_CONFIG_OVERRIDE_transport__pulsar__tenant=x`` and
    ``config.override.transport.pulsar.tenant=x`` mean the same; a number in the path is an index
    of a list. The value is read like an unquoted YAML scalar.

    Args:
        block: The configuration.
        environ: The environment variables.

    Raises:
        ConfigurationError: A path leads through a value, or beyond a list.
    """
    problems: list[Problem] = []
    for name, text in sorted(environ.items()):
        path = _override_path(name)
        if path:
            mark = Mark(f"environment variable {name}")
            try:
                block = _put_in_block(block, path, Scalar(text.strip(), mark))
            except _NoSuchPlaceError as error:
                problems.append(Problem(".".join(path), str(error), "correct its path", mark))
    if problems:
        raise ConfigurationError(problems)
    return block


class _NoSuchPlaceError(Exception):
    """An override's path leads nowhere."""


def _merge_blocks(first: Block, second: Block) -> Block:
    merged = dict(second.entries)
    for key, entry in first.entries.items():
        merged[key] = _merge_entries(entry, second.entries.get(key))
    return Block(merged, first.mark if first.entries else second.mark)


def _merge_entries(first: Entry, second: Entry | None) -> Entry:
    if second is None or not (isinstance(first.node, Block) and isinstance(second.node, Block)):
        return first
    return Entry(first.key, _merge_blocks(first.node, second.node), first.mark)


def _override_path(name: str) -> tuple[str, ...]:
    for prefix in OVERRIDE_PREFIXES:
        if name.startswith(prefix):
            return tuple(name.removeprefix(prefix).replace("__", ".").split("."))
    return ()


def _put(node: Node | None, path: tuple[str, ...], value: Scalar) -> Node:
    if not path:
        return value
    if isinstance(node, Series):
        return _put_in_series(node, path, value)
    if isinstance(node, Scalar) and node.value is not None:
        msg = f"'{path[0]}' is below a single value ({node.mark})"
        raise _NoSuchPlaceError(msg)
    return _put_in_block(node if isinstance(node, Block) else Block(mark=value.mark), path, value)


def _put_in_block(block: Block, path: tuple[str, ...], value: Scalar) -> Block:
    key = normalise(path[0])
    old = block.entries.get(key)
    node = _put(old.node if old else None, path[1:], value)
    entry = Entry(old.key, node, value.mark) if old else Entry(path[0], node, value.mark)
    return Block({**block.entries, key: entry}, block.mark)


def _put_in_series(series: Series, path: tuple[str, ...], value: Scalar) -> Series:
    index = int(path[0]) if path[0].isdecimal() else -1
    if not 0 <= index < len(series.items):
        msg = f"'{path[0]}' is no index of a list of {len(series.items)} items ({series.mark})"
        raise _NoSuchPlaceError(msg)
    items = list(series.items)
    items[index] = _put(items[index], path[1:], value)
    return Series(tuple(items), series.mark)
