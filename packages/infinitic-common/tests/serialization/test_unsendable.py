"""What has no form on the wire: some classes, handles, and values that nest too deeply."""

from dataclasses import InitVar, dataclass, field
from typing import Any, Generic, Protocol, TypedDict, TypeVar

import attrs
import pytest

from infinitic_common.serialization import InvalidTypeHint, SerializationError, value_codec

T = TypeVar("T")


@dataclass
class Line:
    name: str


@dataclass
class Tree:
    value: int
    children: "list[Tree]" = field(default_factory=list)


@dataclass(frozen=True)
class Box(Generic[T]):
    item: T


class Movie(TypedDict):
    title: str


class Shape:
    pass


@dataclass(frozen=True)
class Circle(Shape):
    radius: float


class Speaker(Protocol):
    def speak(self) -> str: ...


class Untyped:
    pass


class Opaque(Protocol):
    size: int


@dataclass
class BadField:
    action: "type[int]"


@dataclass
class NeedsMore:
    kept: int
    given: InitVar[int]


@dataclass
class Unresolved:
    other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - what is refused


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (Untyped, "Untyped is not a type of values"),
        (Opaque, "Opaque is not a type of values"),
        (Speaker, "Speaker is not a type of values"),
        (BadField, "field 'action' of BadField: "),
        (NeedsMore, "needs 'given'"),
        (Unresolved, "class Unresolved: name 'Nowhere' is not defined"),
        (attrs.make_class("Bare", ["x"]), "field 'x' of Bare has no type hint"),
    ],
)
def test_a_class_whose_objects_cannot_be_sent_is_refused(hint: object, message: str) -> None:
    with pytest.raises(InvalidTypeHint) as caught:
        value_codec(hint, place="test")
    assert message in str(caught.value)


def test_a_refused_class_may_be_corrected_by_defining_a_subclass() -> None:
    class Event:
        pass

    with pytest.raises(InvalidTypeHint):
        value_codec(Event, place="test")

    @dataclass
    class Started(Event):
        at: int

    codec = value_codec(Event, place="test")
    assert codec.decode(codec.encode(Started(1))) == Started(1)


class Promise:
    __infinitic_deferred__ = True


class Stub:
    __infinitic_stub__ = True


@pytest.mark.parametrize(
    "hint", [str, list[str], dict[str, str], Line, Shape, Any, tuple[int, ...], int | None]
)
@pytest.mark.parametrize(("handle", "name"), [(Promise(), "a Deferred"), (Stub(), "a stub")])
def test_handles_are_refused(hint: object, handle: object, name: str) -> None:
    with pytest.raises(SerializationError, match=f"{name} is not a value"):
        value_codec(hint, place="test").encode(handle)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (list[str], ["a", Promise()]),
        (dict[str, int], {"a": Promise()}),
        (Any, [{"a": (Promise(),)}]),
        (list[Any], [Promise()]),
        (Box, Box(Promise())),
        (Movie, {"title": Promise()}),
        (set[str], {Promise()}),
        (Any, {Promise()}),
        (Any, {"a": {Promise(): 1}}),
    ],
)
def test_handles_inside_values_are_refused(hint: object, value: object) -> None:
    with pytest.raises(SerializationError, match="a Deferred is not a value"):
        value_codec(hint, place="test").encode(value)


def test_a_hint_of_a_handle_is_refused() -> None:
    with pytest.raises(InvalidTypeHint, match="a Deferred is not a value"):
        value_codec(list[Promise], place="test")


@pytest.mark.parametrize("hint", [Tree, Any])
def test_a_value_that_nests_too_deeply_is_refused(hint: object) -> None:
    tree = Tree(0)
    for depth in range(2000):
        tree = Tree(depth, [tree])
    with pytest.raises(SerializationError, match="nests more than 128 levels deep"):
        value_codec(hint, place="test").encode(tree)


def test_every_depth_that_is_written_can_be_read() -> None:
    codec, tree = value_codec(Tree, place="test"), Tree(0)
    for depth in range(63):
        tree = Tree(depth, [tree])
    assert codec.decode(codec.encode(tree)) == tree


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(SerializationError, match="nests more than"):
        value_codec(list[Any], place="test").encode(loop)
