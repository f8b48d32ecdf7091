import abc
import dataclasses
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import (
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
)

import attrs
import pytest

from infinitic_common.serialization import (
    DeserializationError,
    InvalidTypeHint,
    SerializationError,
    register_type,
    to_json,
    value_codec,
)

T = TypeVar("T")
U = TypeVar("U")


class Currency(Enum):
    EUR = "EUR"


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: Currency = Currency.EUR


@dataclass
class Line:
    name: str
    price: Money
    tags: "set[str]" = field(default_factory=set)
    count: ClassVar[int] = 7


@dataclass
class SpecialLine(Line):
    discount: float = 0.0


@dataclass
class Tree:
    value: int
    children: "list[Tree]" = field(default_factory=list)
    parent: "Tree | None" = None


@dataclass(frozen=True)
class Box(Generic[T]):
    item: T
    others: "list[T]" = field(default_factory=list)


@dataclass(frozen=True)
class Pair(Box[T], Generic[U, T]):
    second: "U | None" = None


@dataclass(frozen=True)
class IntBox(Box[int]):
    pass


@dataclass
class Awkward:
    cl: int
    attrs: int
    converter: int
    self_: int
    o: int = 0


@dataclass(frozen=True)
class Computed:
    base: int
    double: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "double", self.base * 2)


@dataclass
class Positive:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            msg = "n is negative"
            raise ValueError(msg)


@attrs.define
class Account:
    _owner: str
    balance: int = 0
    history: list[Money] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Settings:
    name: str
    level: int = 1


class Position(NamedTuple):
    x: int
    y: int = 0


class GenericPosition(NamedTuple, Generic[T]):
    x: T


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Options(Movie, total=False):
    cut: Required[str]
    stars: float


class Holder(TypedDict, Generic[T]):
    held: T


class Shape:
    pass


@dataclass(frozen=True)
class Circle(Shape):
    radius: float


@dataclass(frozen=True, slots=True)
class Square(Shape):
    side: float


class Pet(abc.ABC):
    @abc.abstractmethod
    def name(self) -> str: ...


@attrs.frozen
class Dog(Pet):
    age: int

    def name(self) -> str:
        return "dog"


def round_trip(hint: object, value: object) -> object:
    codec = value_codec(hint, place="test")
    return codec.decode(codec.encode(value))


EURO = Money(Decimal("1.50"))


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Money, EURO),
        (Line, Line("pen", EURO, {"b", "a"})),
        (SpecialLine, SpecialLine("pen", EURO, discount=0.5)),
        (Line, SpecialLine("pen", EURO, discount=0.5)),
        (Tree, Tree(1, [Tree(2), Tree(3, [Tree(4)])], parent=Tree(0))),
        (Box[int], Box(1, [2])),
        (Box[Box[Money]], Box(Box(EURO, [EURO]))),
        (Box, Box((1, {"a"}))),
        (IntBox, IntBox(1, [2])),
        (Pair[str, Money], Pair(EURO, [EURO], "x")),
        (Awkward, Awkward(1, 2, 3, 4, 5)),
        (Computed, Computed(2)),
        (Account, Account("me", 3, [EURO])),
        (Settings, Settings(name="a", level=2)),
        (Position, Position(1, 2)),
        (GenericPosition[Money], GenericPosition(EURO)),
        (Movie, {"title": "Alien"}),
        (Movie, {"title": "Alien", "year": 1979}),
        (Options, {"title": "Alien", "cut": "long"}),
        (Holder[Money], {"held": EURO}),
        (Money | None, None),
        (Money | None, EURO),
        (Money | Position, EURO),
        (Money | Position | str, Position(1)),
        (Circle | dict[str, float], {"radius": 1.0}),
        (Circle | dict[str, float], Circle(1.0)),
        (Circle | Movie | None, {"title": "Alien"}),
        (Shape, Circle(1.0)),
        (Shape | None, Square(1.0)),
        (list[Shape], [Circle(1.0), Square(2.0)]),
        (dict[Money, Shape], {EURO: Circle(1.0)}),
        (set[Shape], {Circle(1.0), Square(1.0)}),
        (Pet, Dog(3)),
    ],
)
def test_an_object_is_read_back_equal_and_of_the_same_class(hint: object, value: object) -> None:
    found = round_trip(hint, value)
    assert found == value
    assert type(found) is type(value)


def test_a_class_of_a_function_may_refer_to_itself() -> None:
    @dataclass
    class Node:
        following: "Node | None" = None

    assert round_trip(Node, Node(Node())) == Node(Node())


def test_state_that_the_constructor_does_not_take_is_kept() -> None:
    @dataclass
    class Counter:
        count: int = field(init=False, default=0)

    counter = Counter()
    counter.count = 5
    assert round_trip(Counter, counter) == counter


def test_subclasses_are_told_apart_by_klass() -> None:
    codec = value_codec(Shape, place="test")
    assert to_json(codec.encode(Circle(1.0))) == {"#klass": "Circle", "radius": 1.0}


def test_members_of_a_union_of_classes_are_told_apart_by_klass() -> None:
    codec = value_codec(Money | Position, place="test")
    assert to_json(codec.encode(Position(1))) == {"#klass": "Position", "x": 1, "y": 0}


def test_a_lone_class_needs_no_klass() -> None:
    assert to_json(value_codec(Circle, place="test").encode(Circle(1.0))) == {"radius": 1.0}


def test_a_subclass_defined_after_registration_is_accepted() -> None:
    codec = value_codec(Shape, place="test")

    @dataclass
    class Late(Shape):
        size: int

    assert codec.decode(codec.encode(Late(1))) == Late(1)


def test_a_virtual_subclass_is_accepted_once_registered() -> None:
    @dataclass
    class Robot:
        serial: int

    Pet.register(Robot)
    register_type(Robot)
    assert round_trip(Pet, Robot(1)) == Robot(1)


def test_an_unknown_klass_names_the_remedy() -> None:
    class Animal:
        pass

    @dataclass
    class Cat(Animal):
        age: int

    animals = value_codec(Animal, place="reader")
    data = value_codec(dict[str, Any], place="writer").encode({"#klass": "Bird", "age": 1})
    with pytest.raises(DeserializationError, match=r"'Bird' is no known class of Animal.*register"):
        animals.decode(data)


def test_a_value_outside_the_family_is_refused() -> None:
    with pytest.raises(SerializationError, match="expected Shape, got Money"):
        value_codec(Shape, place="test").encode(EURO)


def test_a_klass_that_two_modules_define_is_refused() -> None:
    other = dataclasses.make_dataclass("Circle", [("x", int)])
    other.__module__ = "elsewhere"
    with pytest.raises(InvalidTypeHint, match="both define Circle"):
        value_codec(Circle | other, place="test")


def test_a_union_of_classes_needs_klass() -> None:
    data = value_codec(Circle, place="w").encode(Circle(1.0))
    with pytest.raises(DeserializationError, match=r"#klass is missing.*Circle \| Square"):
        value_codec(Circle | Square, place="r").decode(data)


@pytest.mark.parametrize("hint", [Circle, Movie, Circle | Square])
def test_data_without_fields_is_refused(hint: object) -> None:
    data = value_codec(int, place="w").encode(1)
    with pytest.raises(DeserializationError, match=r"expected .*, got int"):
        value_codec(hint, place="r").decode(data)


def test_a_field_that_was_never_set_is_named() -> None:
    account = Account.__new__(Account)
    with pytest.raises(SerializationError, match="field '_owner' of Account has no value"):
        value_codec(Account, place="test").encode(account)


def test_a_subclass_that_cannot_be_sent_is_refused_when_it_comes() -> None:
    class Blob(Shape):
        pass

    with pytest.raises(SerializationError, match="Blob is not made of fields"):
        value_codec(Shape, place="test").encode(Blob())


def test_typed_dictionaries_are_dictionaries() -> None:
    with pytest.raises(SerializationError, match="expected Movie, got list"):
        value_codec(Movie, place="test").encode([])


def test_generic_arguments_cannot_tell_members_apart() -> None:
    with pytest.raises(InvalidTypeHint, match="names a class twice"):
        value_codec(Box[int] | Box[str], place="test")


def test_unknown_fields_are_ignored_and_missing_ones_take_their_defaults() -> None:
    new = dataclasses.make_dataclass("New", [("name", str), ("size", int), ("old", int, 5)])
    data = value_codec(dict[str, Any], place="w").encode({"name": "a", "size": 1, "gone": [1]})
    assert value_codec(new, place="r").decode(data) == new("a", 1, 5)


def test_a_missing_field_without_default_is_named() -> None:
    data = value_codec(dict[str, int], place="w").encode({"currency": 1})
    with pytest.raises(DeserializationError, match="field 'amount' of Money is missing"):
        value_codec(Money, place="r").decode(data)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(SerializationError, match="key 'title' of Movie is missing"):
        value_codec(Movie, place="test").encode({})


def test_a_key_that_is_not_declared_is_refused() -> None:
    with pytest.raises(SerializationError, match="Movie has no key 'director'"):
        value_codec(Movie, place="test").encode({"title": "a", "director": "b"})


def test_the_field_at_fault_is_named() -> None:
    wrong = Line("pen", Money("1.5"))  # type: ignore[arg-type]  # what is refused
    with pytest.raises(SerializationError, match=r"expected Decimal, got str \(at \.price\.amount"):
        value_codec(Line, place="test").encode(wrong)


def test_what_a_constructor_raises_is_the_cause() -> None:
    data = value_codec(dict[str, int], place="w").encode({"n": -1})
    with pytest.raises(DeserializationError, match=r"Positive refuses.*n is negative") as caught:
        value_codec(list[Positive], place="r").decode(b"\x81" + data)
    assert isinstance(caught.value.__cause__, Exception)
    assert isinstance(caught.value.__cause__.__cause__, ValueError)
