"""Values of the conformance catalogue, with the declared type given and without."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infinitic_common.serialization import (
    KLASS,
    content_hash,
    decode_untyped,
    encode_untyped,
    register_type,
    to_json,
    value_codec,
)
from infinitic_common.workflow_tasks import WORKFLOW_EXECUTOR


@dataclass(frozen=True)
class Obj:
    foo: str
    bar: int


@dataclass(frozen=True)
class Fewer:
    foo: str


@dataclass(frozen=True)
class Many:
    members: frozenset[Obj]


for one in (Obj, Many):
    register_type(one)

OBJ = Obj("foo", 42)
OTHER = Obj("oof", 12)


def survives(hint: Any, value: object) -> None:
    codec = value_codec(hint, place="a value")
    for found in (codec.decode(codec.encode(value)), decode_untyped(encode_untyped(value))):
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize("value", [b"\x00\xff", 2**70, -1, 1.5, True, "", "é"])
def test_serde_01_plain_values(value: object) -> None:
    survives(type(value), value)


@pytest.mark.parametrize(
    "value",
    [datetime(2024, 2, 29, 12, 0, 0, 123456, tzinfo=UTC), timedelta(days=1, microseconds=1)],
)
def test_serde_02_instants_and_durations(value: object) -> None:
    survives(type(value), value)


def test_serde_03_none() -> None:
    survives(type(None), None)


def test_serde_04_an_object() -> None:
    survives(Obj, OBJ)


def test_serde_05_a_type_with_fewer_fields_reads_what_it_knows() -> None:
    assert value_codec(Fewer, place="a value").decode(
        value_codec(Obj, place="a value").encode(OBJ)
    ) == Fewer("foo")


def test_serde_07_an_object_that_holds_a_set_of_objects() -> None:
    survives(Many, Many(frozenset({OBJ, OTHER})))


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (list[Obj], [OBJ, OTHER]),
        (tuple[Obj, ...], (OBJ, OTHER)),
        (dict[str, Obj], {"a": OBJ, "b": OTHER}),
    ],
)
def test_serde_09_collections_of_objects(hint: object, value: object) -> None:
    survives(hint, value)


def test_serde_11_the_class_of_an_object_is_in_klass() -> None:
    view = to_json(encode_untyped(OBJ))
    assert isinstance(view, dict)
    assert KLASS == "#klass"
    assert KLASS in view


def test_serde_13_the_same_value_twice_is_the_same_bytes_and_hash() -> None:
    first, second = encode_untyped([OBJ, OTHER]), encode_untyped([OBJ, OTHER])
    assert first == second
    assert content_hash(first) == content_hash(second)


@pytest.mark.parametrize("value", ["a", ["a", "b"], ["a"], [["a"], ["b"]], {"a": "b"}])
def test_serde_14_values_without_declared_type_describe_themselves(value: object) -> None:
    assert decode_untyped(encode_untyped(value)) == value


@pytest.mark.parametrize("value", ["6a1f6f6e-7a4c-4c9b-8b0e-5a2b8f6f0d11", "Name", "tag", 3])
def test_serde_15_names_and_numbers_are_seen_as_plain_json(value: object) -> None:
    assert json.loads(json.dumps(to_json(encode_untyped(value)))) == value


def test_serde_20_workflow_code_is_the_service_of_this_name() -> None:
    assert WORKFLOW_EXECUTOR == "infinitic.workflow.Executor"
