"""Any value of any type is read back equal, and always written alike."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Any, Generic, TypeVar
from uuid import UUID

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from infinitic_common.serialization import (
    DeserializationError,
    SerializationError,
    decode_untyped,
    encode_untyped,
    to_json,
    value_codec,
)

T = TypeVar("T")
Typed = tuple[Any, SearchStrategy[Any]]


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Box(Generic[T]):
    item: T


@attrs.frozen
class Couple(Generic[T]):
    first: T
    second: T | None = None


SCALARS: list[Typed] = [
    (type(None), st.none()),
    (bool, st.booleans()),
    (int, st.integers()),
    (float, st.floats(allow_nan=False)),
    (str, st.text(max_size=5)),
    (bytes, st.binary(max_size=5)),
    (datetime, st.datetimes(timezones=st.just(UTC))),
    (date, st.dates()),
    (time, st.times()),
    (timedelta, st.timedeltas()),
    (Decimal, st.decimals(allow_nan=False)),
    (UUID, st.uuids()),
    (Color, st.sampled_from(Color)),
    (Level, st.sampled_from(Level)),
]


def alias(origin: type, *arguments: object) -> object:
    return GenericAlias(origin, arguments)


def lists(inner: Typed) -> Typed:
    return alias(list, inner[0]), st.lists(inner[1], max_size=3)


def pairs(one: Typed, other: Typed) -> Typed:
    return alias(tuple, one[0], other[0]), st.tuples(one[1], other[1])


def tuples(inner: Typed) -> Typed:
    return alias(tuple, inner[0], ...), st.lists(inner[1], max_size=3).map(tuple)


def mappings(key: Typed, inner: Typed) -> Typed:
    return (
        alias(dict, key[0], inner[0]),
        st.dictionaries(key[1], inner[1], max_size=3),
    )


def sets(key: Typed) -> Typed:
    return alias(set, key[0]), st.sets(key[1], max_size=3)


def boxes(inner: Typed) -> Typed:
    return alias(Box, inner[0]), inner[1].map(Box)


def couples(inner: Typed) -> Typed:
    return alias(Couple, inner[0]), st.builds(Couple, inner[1], st.none() | inner[1])


def optionals(inner: Typed) -> Typed:
    return inner[0] | None, st.none() | inner[1]


def unions(members: list[Typed]) -> Typed:
    return reduce(or_, [m[0] for m in members]), st.one_of([m[1] for m in members])


scalars = st.sampled_from(SCALARS)


def composed(inner: SearchStrategy[Typed]) -> SearchStrategy[Typed]:
    return st.one_of(
        st.builds(lists, inner),
        st.builds(tuples, inner),
        st.builds(pairs, inner, inner),
        st.builds(mappings, scalars, inner),
        st.builds(boxes, inner),
        st.builds(couples, inner),
        st.builds(optionals, inner),
    )


types = st.recursive(
    scalars | st.builds(sets, scalars) | st.builds(unions, st.lists(scalars, min_size=1)),
    composed,
    max_leaves=5,
)
values = st.recursive(
    st.one_of([strategy for _, strategy in SCALARS]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of([s for _, s in SCALARS]), inner, max_size=3),
        inner.map(Box),
    ),
    max_leaves=8,
)
few = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@few
@given(st.data())
def test_a_declared_value_is_read_back(data: st.DataObject) -> None:
    hint, strategy = data.draw(types)
    value = data.draw(strategy)
    codec = value_codec(hint, place="test")
    encoded = codec.encode(value)
    found = codec.decode(encoded)
    assert found == value
    assert type(found) is type(value)
    assert codec.encode(found) == encoded
    to_json(encoded)


@few
@given(values)
def test_an_undeclared_value_is_read_back(value: object) -> None:
    encoded = encode_untyped(value)
    found = decode_untyped(encoded)
    assert found == value
    assert type(found) is type(value)
    assert encode_untyped(found) == encoded
    to_json(encoded)


@few
@given(types, values)
def test_any_value_is_accepted_or_refused(typed: Typed, value: object) -> None:
    codec = value_codec(typed[0], place="the place")
    with suppress(SerializationError):
        codec.decode(codec.encode(value))


@few
@given(types, st.binary(max_size=30))
def test_any_bytes_are_read_or_refused(typed: Typed, data: bytes) -> None:
    for read in (value_codec(typed[0], place="test").decode, decode_untyped, to_json):
        with suppress(DeserializationError):
            read(data)
