"""The positional form of records: what survives, what is added, what is refused."""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import cbor2
import pytest

from infinitic_common import codec, failures, history, messages, requesters
from infinitic_common.codec import decode, encode, from_plain, record, to_plain
from infinitic_common.exceptions import UndecodableMessage

MODULES = {module.__name__ for module in (failures, history, messages, requesters)}
RECORDS = [cls for _, cls in sorted(codec._classes.items()) if cls.__module__ in MODULES]
CLIENT = requesters.ClientRequester("client-1")
# Classes that hold one another are not filled without end.
DETAIL = failures.ExceptionDetail("ValueError", "wrong", {"code": b"\x01"})
SAMPLES: dict[object, object] = {
    str: "text",
    int: 2**40,
    float: 1.5,
    bool: True,
    bytes: b"\x00\xff",
    object: ["plain", 1, None],
    failures.ExceptionDetail: DETAIL,
    failures.TaskFailure: failures.TaskFailure("worker", 0, 1, None, "trace", DETAIL),
    failures.WorkflowCanceledError: failures.WorkflowCanceledError("Flow", "w", "run", "m"),
}


def sample(hint: Any, member: int) -> object:  # noqa: PLR0911 - one line for each kind of field
    """A value of a field; ``member`` chooses among the members of a union."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in SAMPLES:
        return SAMPLES[hint]
    if origin in (Union, types.UnionType):
        members = [one for one in arguments if one is not type(None)]
        return sample(members[member], member)
    if origin is tuple:
        return (sample(arguments[0], member),) * 2
    if origin is frozenset:
        return frozenset({"b", "a"})
    if origin is Mapping:
        return {"key": sample(arguments[1], member)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[member]
    return filled(hint, member)


def filled(cls: type, member: int = 0) -> object:
    """A record with a value in every field."""
    hints = get_type_hints(cls)
    return cls(*(sample(hints[field.name], member) for field in attrs.fields(cls)))


def required(cls: type) -> int:
    return sum(field.default is attrs.NOTHING for field in attrs.fields(cls))


@pytest.mark.parametrize("cls", RECORDS)
@pytest.mark.parametrize("member", [0, -1])
def test_a_record_with_every_field_survives(cls: type, member: int) -> None:
    value = filled(cls, member)
    assert decode(encode(value)) == value


@pytest.mark.parametrize("cls", RECORDS)
def test_a_record_with_only_its_required_fields_survives(cls: type) -> None:
    plain = to_plain(filled(cls))[: required(cls) + 1]
    value = from_plain(plain)
    assert decode(encode(value)) == value


@pytest.mark.parametrize("cls", [cls for cls in RECORDS if required(cls) < len(attrs.fields(cls))])
def test_trailing_fields_that_are_missing_take_their_defaults(cls: type) -> None:
    full = filled(cls)
    count = required(cls)
    names = [field.name for field in attrs.fields(cls)]
    expected = cls(*(getattr(full, name) for name in names[:count]))
    assert from_plain(to_plain(full)[: count + 1]) == expected


@pytest.mark.parametrize("cls", RECORDS)
def test_fields_of_a_later_release_are_ignored(cls: type) -> None:
    value = filled(cls)
    assert from_plain([*to_plain(value), "added", {"later": 1}]) == value


def test_the_same_record_has_the_same_bytes_whatever_the_order_of_a_set() -> None:
    one, other = (
        messages.DispatchWorkflow(
            "m",
            "Flow",
            "w",
            "run",
            (),
            frozenset(tags),
            {},
            CLIENT,
            client_waiting=False,
            emitted_at=1,
        )
        for tags in ("abc", "cba")
    )
    assert encode(one) == encode(other)


def test_a_number_unknown_to_this_release_is_undecodable() -> None:
    with pytest.raises(UndecodableMessage, match="999999 is unknown to this release"):
        decode(cbor2.dumps([999_999, "x"]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"garbage",
        b"\x9f\x01",
        cbor2.dumps({"a": 1}),
        cbor2.dumps([]),
        cbor2.dumps("text"),
        cbor2.dumps(["100", "a"]),
        cbor2.dumps([None]),
        cbor2.dumps([[1]]),
    ],
)
def test_what_is_no_record_is_undecodable(data: bytes) -> None:
    with pytest.raises(UndecodableMessage):
        decode(data)


@pytest.mark.parametrize("cls", [cls for cls in RECORDS if required(cls)])
def test_a_record_without_its_required_fields_is_undecodable(cls: type) -> None:
    with pytest.raises(UndecodableMessage, match="does not have the fields"):
        from_plain(to_plain(filled(cls))[: required(cls)])


def test_a_number_is_taken_once() -> None:
    number = next(iter(codec._classes))
    with pytest.raises(TypeError, match=f"record number {number} of Second is that of"):
        record(number)(type("Second", (), {}))


def test_what_is_no_record_cannot_be_encoded() -> None:
    with pytest.raises(TypeError, match="str is no record"):
        encode("text")
