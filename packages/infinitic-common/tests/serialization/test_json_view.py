import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

from infinitic_common.serialization import (
    KLASS,
    DeserializationError,
    encode_untyped,
    to_json,
    value_codec,
)


class Color(Enum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: int
    y: bytes = b"\xff"


KEY = UUID("6a1f6f6e-7a4c-4c9b-8b0e-5a2b8f6f0d11")


def test_the_class_of_an_object_is_in_klass() -> None:
    assert KLASS == "#klass"


@pytest.mark.parametrize(
    ("value", "view"),
    [
        (None, None),
        (1, 1),
        (1.5, 1.5),
        ("a", "a"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (b"\xff", "/w=="),
        (datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2024-01-02T03:04:05.000006+00:00"),
        (date(2024, 1, 2), "2024-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(hours=1, microseconds=500000), "PT3600.5S"),
        (timedelta(seconds=-1), "-PT1S"),
        (Decimal("1.10"), "1.10"),
        (KEY, str(KEY)),
        ((1, [b"\xff"]), [1, ["/w=="]]),
        ({1}, [1]),
        ({1: "a", None: b"", b"\xff": 0, 2.5: 1}, {"1": "a", "null": "", "/w==": 0, "2.5": 1}),
        ({True: 1}, {"true": 1}),
        ({(1, 2): "a"}, [[[1, 2], "a"]]),
        (Color.RED, "red"),
        (Point(1), {"#klass": "Point", "x": 1, "y": "/w=="}),
        ([Point(1)], [{"#klass": "Point", "x": 1, "y": "/w=="}]),
    ],
)
def test_a_value_is_seen_as_json(value: object, view: object) -> None:
    found = to_json(encode_untyped(value))
    assert found == view
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("hint", "value", "view"),
    [
        (Point, Point(1), {"x": 1, "y": "/w=="}),
        (dict[UUID, Color], {KEY: Color.RED}, [[str(KEY), "red"]]),
        (str | Color, Color.RED, "red"),
        (list[int] | list[str], ["a"], ["a"]),
        (dict[str, Any], {"a": (1, {2})}, {"a": [1, [2]]}),
    ],
)
def test_a_declared_value_is_seen_without_its_type(
    hint: object, value: object, view: object
) -> None:
    assert to_json(value_codec(hint, place="test").encode(value)) == view


def test_the_view_needs_no_known_type() -> None:
    data = encode_untyped(Point(1)).replace(b"Point", b"Joint")
    assert to_json(data) == {"#klass": "Joint", "x": 1, "y": "/w=="}


@pytest.mark.parametrize("data", [b"", b"\x82\x01", b"\x62\xff\xff", b"\xd8\x1c\x81\xd8\x1d\x00"])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DeserializationError, match="bytes are no encoded value"):
        to_json(data)
