import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import attrs
import pytest

from infinitic_common.serialization import (
    DeserializationError,
    InvalidTypeHint,
    SerializationError,
    content_hash,
    decode_untyped,
    encode_untyped,
    register_type,
    value_codec,
)

T = TypeVar("T")


class Color(Enum):
    RED = "red"


@dataclass
class Generic1(Generic[T]):
    item: T


@dataclass
class Generic2(Generic[T]):
    item: T


@dataclass
class BadAction:
    action: complex


class Kilo(Enum):
    ONE = 1


class Seen(Enum):
    ONE = 1


class Mega(Enum):
    ONE = 1


class Level(IntEnum):
    LOW = 1


class Fruit(StrEnum):
    APPLE = "apple"


@dataclass(frozen=True)
class Point:
    x: int
    y: tuple[int, ...] = ()


@attrs.frozen
class Area:
    corners: frozenset[Point]


class Span(NamedTuple):
    start: Any
    end: Any


KEY = UUID("6a1f6f6e-7a4c-4c9b-8b0e-5a2b8f6f0d11")
NOON = datetime(2024, 2, 29, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        2**70,
        1.5,
        "text",
        b"\x00",
        NOON,
        date(2024, 1, 1),
        time(1, 2),
        timedelta(microseconds=-1),
        Decimal("1.10"),
        KEY,
        ["a"],
        ["a", "b"],
        [["a"], []],
        {"a": "b"},
        {1: "a", None: 2, 2.5: 3},
        {KEY: 1, (1, 2): {3}},
        (1, ("a",)),
        {1, "a", (2,)},
        frozenset({1}),
        Color.RED,
        Level.LOW,
        Fruit.APPLE,
        {Color.RED: [Level.LOW]},
        Point(1, (2, 3)),
        [Point(1), Point(2)],
        (Point(1),),
        {"a": Point(1)},
        {Point(1), Point(2)},
        Area(frozenset({Point(1), Point(2)})),
        Span(NOON, {"a": (1,)}),
    ],
)
def test_a_value_without_declared_type_is_read_back_equal_and_of_the_same_type(
    value: object,
) -> None:
    found = decode_untyped(encode_untyped(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", [{1, 2, "a"}, Area(frozenset({Point(i) for i in range(20)}))])
def test_the_same_value_gives_the_same_bytes_and_hash(value: object) -> None:
    one, other = encode_untyped(value), encode_untyped(decode_untyped(encode_untyped(value)))
    assert one == other
    assert content_hash(one) == content_hash(other)
    assert len(content_hash(one)) == 16


def test_different_values_have_different_hashes() -> None:
    assert content_hash(encode_untyped((1,))) != content_hash(encode_untyped([1]))


def test_sets_are_written_alike_in_every_process() -> None:
    script = (
        "from infinitic_common.serialization import encode_untyped;"
        "print(encode_untyped({'a', 'b', 'c', ('d', 1)}).hex())"
    )
    outputs = {
        subprocess.run(  # noqa: S603 - a fixed command
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_a_type_unknown_to_the_process_names_the_remedy() -> None:
    data = encode_untyped([Point(1)]).replace(b"Point", b"Joint")
    with pytest.raises(DeserializationError, match=r"names the type '.*Joint'.*register_type"):
        decode_untyped(data)


def test_a_module_named_by_data_is_not_imported() -> None:
    name = f"{Point.__module__}:Point".encode()
    target = b"antigravity:Point"
    data = encode_untyped(Point(1))
    head = data.index(name)
    length = bytes([0x60 + len(target)]) if len(target) < 24 else bytes([0x78, len(target)])
    start = head - (1 if len(name) < 24 else 2)
    with pytest.raises(DeserializationError, match=r"antigravity:Point"):
        decode_untyped(data[:start] + length + target + data[head + len(name) :])
    assert "antigravity" not in sys.modules


def test_a_registered_type_is_read() -> None:
    data = encode_untyped(Kilo.ONE).replace(b"Kilo", b"Mega")
    with pytest.raises(DeserializationError, match="Mega"):
        decode_untyped(data)
    register_type(Mega)
    assert decode_untyped(data) is Mega.ONE


def test_a_type_seen_in_a_hint_is_read() -> None:
    data = encode_untyped(Kilo.ONE).replace(b"Kilo", b"Seen")
    with pytest.raises(DeserializationError, match="Seen"):
        decode_untyped(data)
    value_codec(list[Seen], place="test")
    assert decode_untyped(data) is Seen.ONE


def test_a_class_seen_with_arguments_is_read_without_them() -> None:
    value_codec(Generic1[int], place="test")
    data = encode_untyped(Generic2("a")).replace(b"Generic2", b"Generic1")
    assert decode_untyped(data) == Generic1("a")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "object is not a type of values"),
        ([1, object()], r"object is not a type of values.*\(at \[1\]\)"),
        ([BadAction(1)], "field 'action' of BadAction: "),
        ({"a": print}, r"is not a type of values.*\(at \['a'\]\)"),
        (ValueError("x"), "an exception is not a value: got ValueError"),
        (datetime(2024, 1, 1), "without time zone"),  # noqa: DTZ001 - refused
        (Point("x"), "expected int, got str"),  # type: ignore[arg-type]  # what is refused
        (int, "type is not a type of values"),
    ],
)
def test_what_is_not_a_value_is_refused(value: object, message: str) -> None:
    with pytest.raises(SerializationError, match=message):
        encode_untyped(value)


class Email(str):
    __slots__ = ()


class Meters(float):
    pass


class Count(int):
    pass


@pytest.mark.parametrize(
    ("value", "base"),
    [(Email("a@b"), str), (Meters(1.5), float), (Count(3), int), (OrderedDict(a=1), dict)],
)
def test_a_subclass_of_a_built_in_type_becomes_its_base(value: object, base: type) -> None:
    found = decode_untyped(encode_untyped(value))
    assert found == value
    assert type(found) is base


def test_registering_what_is_not_a_type_of_values_is_refused() -> None:
    with pytest.raises(InvalidTypeHint, match=r"register_type\(object\)"):
        register_type(object)


@pytest.mark.parametrize(
    "data", [b"", b"\xd9\xc0\x00\x01", b"\xd9\xc0\x07\x01", b"\xd9\xc0\x03\x01"]
)
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DeserializationError):
        decode_untyped(data)


@dataclass
class Star:
    count: int


@dataclass
class Remark:
    stars: list[Star]


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Remark, Remark([Star(1)])),
        (list[Star], [Star(1), Star(2)]),
        (Star | Remark, Remark([Star(1)])),
        (Star | None, Star(1)),
        (Color, Color.RED),
    ],
)
def test_what_describes_itself_is_read_where_its_type_is_declared(
    hint: object, value: object
) -> None:
    assert value_codec(hint, place="p").decode(encode_untyped(value)) == value


def test_what_describes_itself_as_something_else_is_refused() -> None:
    with pytest.raises(DeserializationError, match="expected Star, got Remark"):
        value_codec(Star, place="p").decode(encode_untyped(Remark([])))
