"""Sets of ids by tag."""

import pytest

from infinitic_common.tag_sets import SetChanges, in_parts, set_key
from infinitic_common.testing.tag_engine import TagEngineHost


def test_tags_14_the_key_names_the_workflow_the_tag_and_what_it_holds() -> None:
    assert set_key("workflow", "shop.Order", "foo") == "workflow:shop.Order|tag:foo|setIds"
    assert set_key("task", "shop.Payment", "foo") == "task:shop.Payment|tag:foo|setIds"


@pytest.mark.parametrize("tag", ["long" * 100, "nul\0"])
def test_a_tag_that_no_key_can_hold_is_known_by_its_digest(tag: str) -> None:
    key = set_key("workflow", "Name", tag)
    assert len(key) < 255
    assert "\0" not in key
    assert key == set_key("workflow", "Name", tag)
    assert key != set_key("workflow", "Name", f"{tag}x")


def test_the_last_change_of_an_id_holds() -> None:
    changes = SetChanges()
    changes.add("key", "a")
    changes.remove("key", "a")
    changes.remove("key", "b")
    changes.add("key", "b")
    assert changes.of("key") == {"a": False, "b": True}
    assert changes.after("key", frozenset({"a", "c"})) == {"b", "c"}
    assert changes.after("other", frozenset({"a"})) == {"a"}


async def test_changes_are_one_update_and_none_when_nothing_changed() -> None:
    host, changes = TagEngineHost(), SetChanges()
    await changes.carry_out(host.sets)
    assert host.lines == []
    changes.add("foo", "a")
    changes.remove("bar", "b")
    host.sets.sets["bar"] = {"b", "c"}
    await changes.carry_out(host.sets)
    assert host.lines == ["update"]
    assert host.sets.sets == {"foo": {"a"}, "bar": {"c"}}


def test_ids_are_cut_where_their_encoded_form_exceeds_the_room() -> None:
    ids = [f"{number:031}" for number in range(5)]
    assert in_parts(ids, 72) == [(ids[0], ids[1]), (ids[2], ids[3]), (ids[4],)]
    assert in_parts(ids, 1000) == [tuple(ids)]


def test_no_ids_are_one_part_without_any() -> None:
    assert in_parts([], 10) == [()]


def test_an_id_larger_than_the_room_is_a_part_of_its_own() -> None:
    assert in_parts(["a" * 50, "b" * 50], 10) == [("a" * 50,), ("b" * 50,)]
