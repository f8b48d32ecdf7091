import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import pydantic
import pydantic.dataclasses
import pytest

from infinitic_common.serialization import (
    DeserializationError,
    SerializationError,
    decode_untyped,
    encode_untyped,
    to_json,
    value_codec,
)

T = TypeVar("T")


class Color(Enum):
    RED = "red"


class Address(pydantic.BaseModel):
    street: str
    zip_code: str = pydantic.Field(default="0", alias="zip")


class Person(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(validate_by_name=True, validate_by_alias=True)

    name: str = pydantic.Field(serialization_alias="NAME", validation_alias="Name")
    born: datetime
    key: UUID
    wealth: Decimal
    photo: bytes
    color: Color
    friends: set[str] = set()
    pair: tuple[int, Color] = (1, Color.RED)
    home: Path = Path("/")
    site: pydantic.HttpUrl | None = None
    address: Address | None = None
    by_color: dict[Color, int] = {}

    @pydantic.computed_field
    def loud(self) -> str:
        return self.name.upper()


class Strict(pydantic.BaseModel, strict=True, frozen=True):
    items: tuple[int, ...]
    seen: frozenset[str]
    at: datetime


class Ids(pydantic.RootModel[list[int]]):
    pass


class Page(pydantic.BaseModel, Generic[T]):
    items: list[T]


class Cat(pydantic.BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(pydantic.BaseModel):
    kind: Literal["dog"] = "dog"


class Owner(pydantic.BaseModel):
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]


class Branch(pydantic.BaseModel):
    below: list["Branch"] = []


class Base(pydantic.BaseModel):
    x: int


class Derived(Base):
    y: int


class Vault(pydantic.BaseModel):
    password: pydantic.SecretStr


class Closed(pydantic.BaseModel, extra="forbid"):
    x: int
    inner: "Closed | None" = None


class ClosedMore(Closed, extra="forbid"):
    y: int = 0


class Open(Base, extra="allow"):
    pass


@pydantic.dataclasses.dataclass(frozen=True)
class Range:
    low: int
    high: int

    @pydantic.model_validator(mode="after")
    def ordered(self) -> "Range":
        if self.low > self.high:
            msg = "low is above high"
            raise ValueError(msg)
        return self


@dataclass
class Holder:
    person: Address
    ranges: list[Range]


PERSON = Person(
    name="Ann",
    born=datetime(2024, 1, 2, tzinfo=UTC),
    key=UUID(int=5),
    wealth=Decimal("1.10"),
    photo=b"\xff\x00",
    color=Color.RED,
    friends={"b", "a"},
    site="https://example.org/x",  # type: ignore[arg-type]  # a text becomes an address
    address=Address(street="s", zip="1"),
    by_color={Color.RED: 1},
)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Address, Address(street="a", zip="2")),
        (Person, PERSON),
        (list[Person], [PERSON]),
        (Strict, Strict(items=(1, 2), seen=frozenset("ab"), at=datetime(2024, 1, 1, tzinfo=UTC))),
        (Ids, Ids([1, 2])),
        (Page[int], Page[int](items=[1])),
        (Owner, Owner(pet=Dog())),
        (Branch, Branch(below=[Branch()])),
        (Cat | Dog | None, Dog()),
        (Base, Derived(x=1, y=2)),
        (Base, Open(x=1, z=3)),  # type: ignore[call-arg]  # one more than it declares
        (Closed, ClosedMore(x=1, y=2)),
        (Range, Range(1, 2)),
        (Holder, Holder(Address(street="a"), [Range(1, 2)])),
        (set[Range], {Range(1, 2)}),
        (Any, PERSON),
        (Any, [Ids([1]), {"a": Range(1, 2)}]),
    ],
)
def test_a_model_is_read_back_equal_and_of_the_same_class(hint: object, value: object) -> None:
    codec = value_codec(hint, place="test")
    found = codec.decode(codec.encode(value))
    assert found == value
    assert type(found) is type(value)


def test_a_subclass_is_told_by_klass() -> None:
    data = value_codec(Base, place="test").encode(Derived(x=1, y=2))
    assert to_json(data) == {"#klass": "Derived", "x": 1, "y": 2}


def test_a_model_describes_itself() -> None:
    assert decode_untyped(encode_untyped(PERSON)) == PERSON


def test_fields_that_a_closed_model_does_not_know_are_ignored() -> None:
    data = value_codec(dict[str, int], place="w").encode({"x": 1, "gone": 2})
    assert value_codec(Closed, place="r").decode(data) == Closed(x=1)


def test_fields_that_a_closed_model_inside_does_not_know_are_ignored() -> None:
    data = encode_untyped({"x": 1, "inner": {"x": 2, "gone": 3}})
    assert value_codec(Closed, place="r").decode(data) == Closed(x=1, inner=Closed(x=2))


def test_a_validator_may_refuse_data() -> None:
    data = value_codec(dict[str, int], place="w").encode({"low": 2, "high": 1})
    with pytest.raises(DeserializationError, match=r"Range refuses(.|\n)*low is above high"):
        value_codec(Range, place="r").decode(data)


def test_a_missing_field_is_named() -> None:
    data = value_codec(dict[str, int], place="w").encode({})
    with pytest.raises(DeserializationError, match=r"Base refuses(.|\n)*x\n(.|\n)*required"):
        value_codec(Base, place="r").decode(data)


def test_a_secret_is_refused_instead_of_hidden() -> None:
    with pytest.raises(SerializationError, match="a secret is hidden"):
        value_codec(Vault, place="test").encode(Vault(password=pydantic.SecretStr("x")))


def test_sets_of_a_model_are_written_in_one_order() -> None:
    view = to_json(value_codec(Person, place="test").encode(PERSON))
    assert isinstance(view, dict)
    assert view["friends"] == ["a", "b"]


def test_pydantic_is_not_imported_for_applications_without_it() -> None:
    script = (
        "import sys, dataclasses as d, infinitic_common.serialization as s;"
        "P = d.make_dataclass('P', [('x', int)]);"
        "s.decode_untyped(s.encode_untyped(P(1)));"
        "assert 'pydantic' not in sys.modules"
    )
    subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        check=True,
    )
