"""Which signals a receive takes."""

from collections.abc import Mapping

import pytest

from infinitic_common.history import ReceiveCommand
from infinitic_common.serialization import encode_untyped
from infinitic_common.signal_filters import accepts, check_json_path

ORDER = {"id": "o1", "total": 30, "buyer": {"name": "Ann", "vip": True}, "items": [1, 2]}


def taken(
    value: object,
    *,
    types: tuple[str, ...] = (),
    value_type: str | None = None,
    json_path: str | None = None,
    where: Mapping[str, object] | None = None,
) -> bool:
    wanted = {path: encode_untyped(value) for path, value in (where or {}).items()}
    command = ReceiveCommand("approvals", value_type, json_path, wanted)
    return accepts(command, encode_untyped(value), types)


@pytest.mark.parametrize("value", [None, True, 1, "text", [], ORDER])
def test_a_receive_without_criteria_takes_every_signal(value: object) -> None:
    assert taken(value)


def test_a_value_is_not_read_when_there_is_nothing_to_find_in_it() -> None:
    assert accepts(ReceiveCommand("approvals", "Order"), b"no value", ("Order",))


@pytest.mark.parametrize("value_type", ["Order", "Document"])
def test_the_type_is_that_of_the_value_or_of_a_parent(value_type: str) -> None:
    assert taken(ORDER, types=("Order", "Document"), value_type=value_type)


@pytest.mark.parametrize("types", [(), ("Document",), ("Orders",)])
def test_a_value_of_another_type_is_not_taken(types: tuple[str, ...]) -> None:
    assert not taken(ORDER, types=types, value_type="Order")


@pytest.mark.parametrize(
    "json_path",
    ["$[?(@.id == 'o1')]", "$[?(@.total > 10)]", "$.buyer.name", "$.items[1]", "$[?(@.vip)]"],
)
def test_a_json_path_that_finds_something_takes_the_signal(json_path: str) -> None:
    assert taken(ORDER, json_path=json_path)


@pytest.mark.parametrize(
    "json_path", ["$[?(@.id == 'o2')]", "$[?(@.total > 30)]", "$.seller", "$.items[5]"]
)
def test_a_json_path_that_finds_nothing_does_not_take_the_signal(json_path: str) -> None:
    assert not taken(ORDER, json_path=json_path)


@pytest.mark.parametrize(("value", "is_taken"), [(3, True), (1, False), ("3", False)])
def test_a_filter_is_about_a_scalar_itself(value: object, *, is_taken: bool) -> None:
    assert taken(value, json_path="$[?(@ > 2)]") == is_taken


@pytest.mark.parametrize("where", [{"id": "o1"}, {"buyer.name": "Ann"}, {"items": [1, 2]}])
def test_a_path_that_leads_to_the_wanted_value_takes_the_signal(
    where: Mapping[str, object],
) -> None:
    assert taken(ORDER, where=where)


@pytest.mark.parametrize(
    "where",
    [{"id": "o2"}, {"missing": None}, {"buyer.age": 3}, {"id.x": "o1"}, {"id": "o1", "total": 31}],
)
def test_a_path_that_leads_elsewhere_or_nowhere_does_not_take_the_signal(
    where: Mapping[str, object],
) -> None:
    assert not taken(ORDER, where=where)


@pytest.mark.parametrize("value", [None, 1, "id", ["id"]])
def test_where_needs_a_value_with_members(value: object) -> None:
    assert not taken(value, where={"id": "o1"})


@pytest.mark.parametrize(
    ("value_type", "json_path", "identifier"),
    [("Other", "$.id", "o1"), ("Order", "$.seller", "o1"), ("Order", "$.id", "o2")],
)
def test_every_criterion_must_hold(value_type: str, json_path: str, identifier: str) -> None:
    criteria = {"value_type": value_type, "json_path": json_path}
    assert not taken(ORDER, types=("Order",), where={"id": identifier}, **criteria)


def test_a_signal_that_meets_every_criterion_is_taken() -> None:
    where = {"id": "o1"}
    assert taken(ORDER, types=("Order",), value_type="Order", json_path="$.id", where=where)


def test_a_json_path_is_checked_before_it_is_used() -> None:
    check_json_path("$.buyer[?(@.vip == true)]")
    with pytest.raises(ValueError, match=r"'\$\[' is no JSONPath"):
        check_json_path("$[")


@pytest.mark.parametrize(("wanted", "sent"), [(1, True), (True, 1), (0, False), (False, 0)])
def test_a_number_is_no_truth_value(wanted: object, sent: object) -> None:
    assert not taken({"vip": sent}, where={"vip": wanted})


@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_json_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"give a text, .* leave json_path out"):
        check_json_path(path)
