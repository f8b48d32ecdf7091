import pytest

from infinitic_common.exceptions import InvalidStub, UsageError
from infinitic_common.stub_options import checked_tags, checked_text


@pytest.mark.parametrize(
    ("tag", "demand"),
    [
        ("", "tag '' must be a text, and not empty"),
        (3, "tag 3 must be a text, and not empty"),
        ("customId:", "tag 'customId:' has no id: write it behind the colon"),
        ("a\ud800", r"tag 'a\ud800' must be valid Unicode"),
    ],
)
def test_a_tag_that_cannot_be_stored_is_refused_where_it_is_given(tag: object, demand: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_tags({"vip", tag}, "new_workflow(Order)")
    assert str(caught.value).startswith(f"new_workflow(Order): {demand}")


def test_an_id_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(InvalidStub, match="the id must be valid Unicode, without halves of"):
        checked_text("\ud800", "the id")


def test_tags_of_any_script_are_taken_as_they_are() -> None:
    tags = {"été", "\N{PARTY POPPER}", "customId:日本", "a\0b"}
    assert checked_tags(tags, "new_workflow(Order)") == tags
