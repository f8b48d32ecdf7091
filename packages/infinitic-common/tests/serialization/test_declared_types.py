import math
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, NewType, Optional
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from infinitic_common.serialization import (
    CborDataConverter,
    DeserializationError,
    InvalidTypeHint,
    SerializationError,
    to_json,
    value_codec,
)


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Fruit(StrEnum):
    APPLE = "apple"


class Right(Flag):
    READ = 1
    WRITE = 2


class Point(Enum):
    ORIGIN = (0, 0)
    UNIT = (1, 1)


OrderId = NewType("OrderId", str)
KEY = UUID("6a1f6f6e-7a4c-4c9b-8b0e-5a2b8f6f0d11")
NOON = datetime(2024, 2, 29, 12, 0, 0, 123456, tzinfo=UTC)
Json = dict[str, Any] | list[Any] | str | int | None


def round_trip(hint: object, value: object) -> Any:
    codec = value_codec(hint, place="test")
    return codec.decode(codec.encode(value))


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (None, None),
        (bool, True),
        (int, 0),
        (int, -(2**200)),
        (int, True),
        (float, 1.1),
        (float, -0.0),
        (float, math.inf),
        (str, ""),
        (str, "caf\u00e9 \U0001f600"),
        (bytes, b"\x00\xff"),
        (datetime, NOON),
        (datetime, datetime(1, 1, 1, tzinfo=UTC)),
        (datetime, datetime(2024, 7, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
        (datetime, datetime(2024, 7, 1, tzinfo=timezone(timedelta(seconds=1)))),
        (date, date(2024, 2, 29)),
        (time, time(1, 2, 3, 4)),
        (time, time(1, tzinfo=UTC)),
        (timedelta, timedelta(days=-1, microseconds=1)),
        (timedelta, timedelta.max),
        (Decimal, Decimal("1.10")),
        (Decimal, Decimal("1E+400")),
        (Decimal, Decimal("Infinity")),
        (UUID, KEY),
        (Color, Color.RED),
        (Level, Level.HIGH),
        (Fruit, Fruit.APPLE),
        (Right, Right.READ | Right.WRITE),
        (Point, Point.UNIT),
        (Literal["a", 1, True], True),
        (Literal["a", 1] | None, 1),
        (Literal[Color.RED, "x"], Color.RED),
        (list[int], [1, 2]),
        (list[Color], [Color.RED]),
        (list, [1, (2,)]),
        (tuple[int, str], (1, "a")),
        (tuple[int, ...], (1, 2, 3)),
        (tuple[()], ()),
        (tuple, (1, {2})),
        (set[str], {"a", "b"}),
        (frozenset[Color], frozenset(Color)),
        (deque[int], deque([1])),
        (dict[str, int], {"b": 1, "a": 2}),
        (dict[int, str], {1: "a"}),
        (dict[Color, int], {Color.RED: 1}),
        (dict[UUID, int], {KEY: 1}),
        (dict[tuple[int, str], int], {(1, "a"): 1}),
        (dict[str, Any], {"a": (1, {2})}),
        (dict, {(1, 2): {3}}),
        (OrderedDict[str, int], OrderedDict(b=1, a=2)),
        (Mapping[str, int], {"a": 1}),
        (Sequence[int], [1]),
        (MutableSequence[Color], [Color.RED]),
        (Collection[int], [1]),
        (Iterable[int], [1]),
        (AbstractSet[int], {1}),
        (Optional[int], None),  # noqa: UP045 - the old spelling is what is tested
        (int | str | None, "a"),
        (int | float, 1),
        (int | float, 1.0),
        (float | str, "a"),
        (str | UUID, KEY),
        (str | UUID, str(KEY)),
        (int | Level, Level.LOW),
        (int | Level, 1),
        (Color | Fruit, Fruit.APPLE),
        (str | Color | None, Color.RED),
        (str | Color | None, "red"),
        (list[int] | list[str], ["a"]),
        (list[int] | list[str], []),
        (dict[str, int] | list[int] | None, {"a": 1}),
        (datetime | date | str, NOON),
        (datetime | date | str, date(2024, 1, 1)),
        (int | list[int | Color], [1, Color.RED]),
        (OrderId, OrderId("o-1")),
        (Annotated[int, {"unhashable": []}], 1),
        (list[Annotated[int, "x"]], [1]),
        (Final[int], 1),
        (Json, {"a": [1, None]}),
        (Any, (1, "a")),
        (object, {"a": {1}}),
    ],
)
def test_a_value_is_read_back_equal_and_of_the_same_type(hint: object, value: object) -> None:
    found = round_trip(hint, value)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read_back() -> None:
    assert math.isnan(round_trip(float, math.nan))


def test_the_sign_of_a_decimal_zero_is_kept() -> None:
    assert str(round_trip(Decimal, Decimal("-0.00"))) == "-0.00"


def test_an_integer_becomes_the_declared_float() -> None:
    assert [type(x) for x in round_trip(list[float], [1, 2.0])] == [float, float]


def test_the_offset_of_an_instant_is_kept() -> None:
    paris = datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Paris"))
    assert round_trip(datetime, paris).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    ("hint", "value", "plain"),
    [
        (str, Fruit.APPLE, "apple"),
        (int, Level.LOW, 1),
        (Sequence[int], (1, 2), [1, 2]),
        (Iterable[str], frozenset({"b", "a"}), ["a", "b"]),
        (dict[str, int], Counter(a=2), {"a": 2}),
        (Mapping[str, int], OrderedDict(a=2), {"a": 2}),
    ],
)
def test_a_particular_type_becomes_the_declared_one(
    hint: object, value: object, plain: object
) -> None:
    found = round_trip(hint, value)
    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (int, "1", "expected int, got str"),
        (int, 1.0, "expected int, got float"),
        (str, 1, "expected str, got int"),
        (bool, 1, "expected bool, got int"),
        (float, "x", "expected float, got str"),
        (float, 10**400, "too large for a float"),
        (None, 0, "expected None, got int"),
        (bytes, "x", "expected bytes, got str"),
        (str, None, "expected str, got None"),
        (list[str], "abc", "expected list[str], got str"),
        (Sequence[str], "abc", "expected Sequence[str], got str"),
        (Iterable[str], (c for c in "abc"), "expected Iterable[str], got generator"),
        (Iterable[str], {"a": 1}, "expected Iterable[str], got dict"),
        (list[int], (1,), "expected list[int], got tuple"),
        (tuple[int, str], (1,), "got 1 items"),
        (list[int], [1, "a"], "expected int, got str (at [1])"),
        (dict[str, list[int]], {"a": [None]}, "expected int, got None (at ['a'][0])"),
        (dict[str, int], {1: 1}, "expected str, got int (at [1])"),
        (dict[Color, int], {"red": 1}, "expected Color, got str"),
        (Color, "red", "expected Color, got str"),
        (Literal["a"], "b", "expected Literal['a'], got str"),
        (Literal["a"], [], "expected Literal['a'], got list"),
        (Literal[1], True, "expected Literal[1], got bool"),
        (int | bytes, 1.5, "expected int | bytes, got float"),
        (int | list[int], ["a"], "expected int, got str (at [0])"),
        (date, NOON, "expected date, got datetime"),
        (datetime, datetime(2024, 1, 1), "without time zone"),  # noqa: DTZ001 - refused
        (datetime | None, datetime(2024, 1, 1), "without time zone"),  # noqa: DTZ001 - refused
        (datetime | str, datetime(2024, 1, 1), "without time zone"),  # noqa: DTZ001 - refused
        (tuple[int, str] | None, (1,), "got 1 items"),
        (tuple[int, str] | tuple[int, str, str], (1,), "| tuple[int, str, str], got tuple"),
        (str, "\ud800", "surrogates not allowed"),
    ],
)
def test_a_value_of_another_type_is_refused(hint: object, value: object, message: str) -> None:
    codec = value_codec(hint, place="parameter 'x' of Shop.buy")
    with pytest.raises(SerializationError) as caught:
        codec.encode(value)
    assert message in str(caught.value)
    assert str(caught.value).startswith("parameter 'x' of Shop.buy: ")
    assert caught.value.place == "parameter 'x' of Shop.buy"


@pytest.mark.parametrize(
    ("written", "value", "read", "message"),
    [
        (str, "1", int, "expected int, got str"),
        (int, 1, str, "expected str, got int"),
        (str, "green", Color, "Color has no member 'green'"),
        (str, "NOWHERE", Point, "Point has no member 'NOWHERE'"),
        (int, 1, list[int], "expected list[int], got int"),
        (list[str], ["a"], list[int], "expected int, got str (at [0])"),
        (list[int], [1], dict[str, int], "expected dict[str, int], got list"),
        (dict[int, int], {1: 1}, dict[str, int], "expected str, got int"),
        (list[int], [1], tuple[int, int], "got 1 items"),
        (str, "x", datetime, "expected datetime, got str"),
        (float, 1.5, int | bytes, "expected int | bytes, got float"),
        (int | Color | Fruit, Color.RED, int | Level, "expected int | Level, got Color"),
        (int, 1, dict[Any, int], "expected dict[Any, int], got int"),
        (int, 1, tuple[int, int], "expected tuple[int, int], got int"),
        (int, 1, UUID | list[int], "expected UUID | list[int], got int"),
    ],
)
def test_data_of_another_type_is_refused(
    written: object, value: object, read: object, message: str
) -> None:
    data = value_codec(written, place="writer").encode(value)
    with pytest.raises(DeserializationError) as caught:
        value_codec(read, place="reader").decode(data)
    assert message in str(caught.value)
    assert caught.value.place == "reader"


@pytest.mark.parametrize("data", [b"", b"\x82\x01", b"\x62\xff\xff", b"\xc0\x61a", b"\xff"])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DeserializationError, match="reader"):
        value_codec(list[int], place="reader").decode(data)


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        ("Missing", "the name 'Missing' cannot be resolved"),
        (list["Missing"], "the name 'Missing' cannot be resolved"),  # type: ignore[name-defined]  # noqa: F821 - what is refused
        (Callable[[], int], "Callable is not a type of values"),
        (type, "type is not a type of values"),
        (complex, "complex is not a type of values"),
        (list[complex], "complex is not a type of values"),
        (tuple[int, *tuple[str, ...]], "a tuple with a variable part"),
        (Enum, "Enum is an enumeration without members"),
        (Literal["red", Color.RED], "are both written as 'red'"),
        (ValueError, "ValueError is an exception"),
        (int | Callable[[], int], "Callable is not a type of values"),
    ],
)
def test_a_hint_whose_values_cannot_be_sent_is_refused(hint: object, message: str) -> None:
    with pytest.raises(InvalidTypeHint) as caught:
        value_codec(hint, place="parameter 'x' of Shop.buy")
    assert message in str(caught.value)
    assert str(caught.value).startswith("parameter 'x' of Shop.buy: ")


class TypeAliasType:
    """What a `type` statement of Python 3.12 makes: its value may refer to it."""

    def __init__(self) -> None:
        self.__value__: object = None


def test_a_type_alias_may_refer_to_itself() -> None:
    tree = TypeAliasType()
    tree.__value__ = GenericAlias(dict, (str, tree)) | int
    assert round_trip(tree, {"a": {"b": 1}}) == {"a": {"b": 1}}


def test_a_type_alias_that_is_itself_is_refused() -> None:
    endless = TypeAliasType()
    endless.__value__ = endless
    with pytest.raises(InvalidTypeHint, match="contains itself"):
        value_codec(endless, place="test")


def test_a_missing_hint_is_refused_with_an_example() -> None:
    from inspect import Parameter  # noqa: PLC0415 - the constant is what this test is about

    place = "parameter 'amount' of PaymentService.charge"
    with pytest.raises(InvalidTypeHint, match="has no type hint: add one, for example 'amount: "):
        value_codec(Parameter.empty, place=place)


def test_the_default_converter_gives_the_same_codecs() -> None:
    codec = CborDataConverter().codec(list[int], place="here")
    assert codec is value_codec(list[int], place="here")
    assert codec.hint == list[int]
    assert repr(codec) == "ValueCodec(list[int], place='here')"


def test_a_codec_is_made_once() -> None:
    assert value_codec(list[int], place="here") is value_codec(list[int], place="here")


def test_the_order_of_a_union_does_not_change_the_bytes() -> None:
    one, other = value_codec(str | Color, place="a"), value_codec(Color | str, place="b")
    assert [one.encode(v) for v in ("red", Color.RED)] == [
        other.encode(v) for v in ("red", Color.RED)
    ]


def test_a_type_that_becomes_a_union_still_reads_its_old_data() -> None:
    old = value_codec(str, place="old").encode("a")
    assert value_codec(str | Color | None, place="new").decode(old) == "a"


def test_a_lone_enumeration_that_becomes_a_union_still_reads_its_old_data() -> None:
    old = value_codec(Color, place="old").encode(Color.RED)
    assert value_codec(Color | Fruit, place="new").decode(old) is Color.RED


def test_sets_are_written_in_one_order() -> None:
    codec = value_codec(set[str], place="test")
    names = [f"name-{i}" for i in range(50)]
    assert codec.encode({*names}) == codec.encode({*reversed(names)})
    assert to_json(codec.encode({"b", "a"})) == ["a", "b"]


def test_dictionaries_keep_their_order() -> None:
    assert list(round_trip(dict[str, int], {"b": 1, "a": 2})) == ["b", "a"]
