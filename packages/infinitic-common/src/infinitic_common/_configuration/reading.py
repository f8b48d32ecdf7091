"""From nodes to values of a wanted shape; every refusal says path, place and remedy."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NoReturn, Self, cast

from attrs import evolve, frozen

from infinitic_common._configuration.nodes import (
    Block,
    Entry,
    Node,
    Scalar,
    Series,
    plain_value,
)
from infinitic_common._configuration.problems import ConfigurationError, Mark, Problem, join_path
from infinitic_common._configuration.shapes import Shape
from infinitic_common._configuration.substitution import Substitution, SubstitutionError
from infinitic_common._nearest import normalise


class Readable:
    """A configuration class, which reads itself from a node."""

    __slots__ = ()

    @classmethod
    def from_node(cls, node: Node, at: "At") -> Self:
        """Read one value.

        Args:
            node: What was written; an empty scalar means "all defaults".
            at: Where it stands.

        Raises:
            ConfigurationError: Something in it is wrong.
        """
        raise NotImplementedError


class Gathering(AbstractContextManager[None]):
    """Collects the problems of several steps, so that one error tells them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, ConfigurationError):
            self.problems.extend(error.problems)
            return True
        return False

    def finish(self) -> None:
        """Raise what was collected.

        Raises:
            ConfigurationError: There were problems.
        """
        if self.problems:
            raise ConfigurationError(self.problems)


@frozen
class At:
    """A place in a configuration.

    Attributes:
        substitution: Fills in references.
        path: The key path.
        mark: Where it was written.
    """

    substitution: Substitution
    path: str = ""
    mark: Mark | None = None

    def below(self, key: str, mark: Mark) -> Self:
        """Return a place further down.

        Args:
            key: A key, or an index as ``[0]``.
            mark: Where it was written.
        """
        return evolve(self, path=join_path(self.path, key), mark=mark)

    def refusal(self, what: str, remedy: str = "") -> ConfigurationError:
        """Return the error that the value here is refused.

        Args:
            what: What is wrong.
            remedy: What to do.
        """
        return ConfigurationError([Problem(self.path, what, remedy, self.mark)])

    def refuse(self, what: str, remedy: str = "") -> NoReturn:
        """Refuse the value here.

        Args:
            what: What is wrong.
            remedy: What to do.

        Raises:
            ConfigurationError: Always.
        """
        raise self.refusal(what, remedy)

    def filled(self, scalar: Scalar) -> Scalar:
        """Return a scalar with its references filled in.

        Args:
            scalar: What was written.

        Raises:
            ConfigurationError: A reference leads nowhere.
        """
        try:
            return self.substitution.fill(scalar)
        except SubstitutionError as error:
            raise self.refusal(error.what, error.remedy) from None

    def block(self, node: Node) -> Block:
        """Return a node as a block; nothing written is an empty one.

        Args:
            node: What was written.

        Raises:
            ConfigurationError: It is a single value or a list.
        """
        if isinstance(node, Block):
            return node
        if isinstance(node, Scalar) and self.filled(node).is_empty:
            # The parser places an empty value after all that follows its key.
            return Block(mark=self.mark or node.mark)
        what = f"must be a block of keys, is {describe(node)}"
        raise self.refusal(what, remedy="indent its keys below it")


def describe(node: Node) -> str:
    """Return what a node is, for messages.

    Args:
        node: Any node.
    """
    if isinstance(node, Scalar):
        return f"'{node.text}'" if node.text else "empty"
    return "a list" if isinstance(node, Series) else "a block of keys"


def read(node: Node, shape: Shape, at: At, *, secret: bool = False) -> object:
    """Read a value of the wanted shape.

    Args:
        node: What was written; neither empty nor null, unless the shape is a block.
        shape: What is wanted.
        at: Where it stands.
        secret: Whether messages must not tell it.

    Raises:
        ConfigurationError: It has another shape, or is out of bounds.
    """
    if issubclass(shape.kind, Readable):
        return shape.kind.from_node(node, at)
    if shape.is_scalar:
        value = _read_scalar(node, shape, at, secret=secret)
    elif shape.kind is tuple:
        return _read_list(node, shape.item or Shape(), at)
    else:
        value = read_data(at.block(node) if shape.kind is Mapping else node, at)
    if demand := shape.demand(value):
        at.refuse(demand if secret else f"{demand}, is {value!r}")
    return value


def read_data(node: Node, at: At) -> object:
    """Return a node as plain data, references filled in and keys as written.

    Args:
        node: Any node.
        at: Where it stands.

    Raises:
        ConfigurationError: A reference leads nowhere.
    """
    if isinstance(node, Scalar):
        return at.filled(node).value
    if isinstance(node, Series):
        return tuple(read_data(item, place) for item, place in places(node, at))
    return {
        entry.key: read_data(entry.node, entry_place(entry, at)) for entry in node.entries.values()
    }


def places(series: Series, at: At) -> list[tuple[Node, At]]:
    """Return each item of a list with its place.

    Args:
        series: The list.
        at: Where the list stands.
    """
    return [(item, at.below(f"[{index}]", item.mark)) for index, item in enumerate(series.items)]


def entry_place(entry: Entry, at: At) -> At:
    """Return the place of a key.

    Args:
        entry: The key.
        at: Where its block stands.
    """
    return at.below(entry.key, entry.mark)


def _read_list(node: Node, item: Shape, at: At) -> tuple[object, ...]:
    if not isinstance(node, Series):
        at.refuse(f"must be a list, is {describe(node)}", "write its items as `- item`")
    gathering = Gathering()
    values: list[object] = []
    for element, place in places(node, at):
        with gathering:
            values.append(read(element, item, place))
    gathering.finish()
    return tuple(values)


def _read_scalar(node: Node, shape: Shape, at: At, *, secret: bool) -> object:
    if not isinstance(node, Scalar):
        at.refuse(f"must be {shape.noun}, is {describe(node)}")
    filled = at.filled(node)
    if shape.choices:
        return _choice(filled.text, shape)
    if shape.kind is str:
        return filled.text
    return _typed(node, filled, shape, at, secret=secret)


def _choice(text: str, shape: Shape) -> str:
    return next((c for c in shape.choices if normalise(c) == normalise(text)), text)


def _typed(written: Scalar, filled: Scalar, shape: Shape, at: At, *, secret: bool) -> object:
    # Flow style forces quotes around a reference, so quotes say nothing about what it stands for.
    loose = not written.quoted or filled.text != written.text
    value = plain_value(filled.text) if loose else filled.text
    wanted = int | float if shape.kind is float else shape.kind
    if isinstance(value, cast("type", wanted)) and isinstance(value, bool) == (shape.kind is bool):
        return float(value) if shape.kind is float and isinstance(value, int) else value
    what = f"must be {shape.noun}, is {'something else' if secret else repr(value)}"
    raise at.refusal(what, "remove the quotes" if isinstance(value, str) and not loose else "")
