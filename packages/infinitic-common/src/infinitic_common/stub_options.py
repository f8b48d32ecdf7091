"""What stubs and waits are given: tags, meta, ids, limits; checked where they are given."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import cast

from infinitic_common.exceptions import InvalidStub, MultipleCustomId, UsageError

CUSTOM_ID = "customId:"
"""How a tag starts that only one running workflow of its name may have."""


def checked_tags(tags: object, what: str) -> frozenset[str]:
    """The tags of a stub.

    Raises:
        UsageError: They are a text or a list, or one of them is no text, empty or no Unicode, or
            is ``customId:`` alone.
        MultipleCustomId: More than one starts with ``customId:``.
    """
    if not isinstance(tags, AbstractSet):
        msg = f"{what}: tags={tags!r} must be a set of texts, as tags={{'vip'}}"
        raise UsageError(msg)
    texts = cast("AbstractSet[str]", tags)
    for tag in cast("AbstractSet[object]", tags):
        if demand := _demand(tag):
            msg = f"{what}: tag {tag!r} {demand}"
            raise UsageError(msg)
    if CUSTOM_ID in texts:
        msg = f"{what}: tag '{CUSTOM_ID}' has no id: write it behind the colon"
        raise UsageError(msg)
    custom = sorted(tag for tag in texts if tag.startswith(CUSTOM_ID))
    if len(custom) > 1:
        msg = f"{what}: only one tag may start with '{CUSTOM_ID}', not {' and '.join(custom)}"
        raise MultipleCustomId(msg)
    return frozenset(texts)


def custom_id_of(tags: AbstractSet[str]) -> str | None:
    """The tag that makes a start unique, with its ``customId:``; None without one."""
    return next((tag for tag in tags if tag.startswith(CUSTOM_ID)), None)


def checked_meta(meta: object, what: str) -> Mapping[str, bytes]:
    """The meta of a stub.

    Raises:
        UsageError: It is no mapping, a key is no text, or a value no bytes.
    """
    if not isinstance(meta, Mapping | None):
        msg = f"{what}: meta={meta!r:.50} must map texts to bytes, as meta={{'key': b'value'}}"
        raise UsageError(msg)
    for key, value in cast("Mapping[object, object]", meta or {}).items():
        if not isinstance(key, str) or not isinstance(value, bytes):
            msg = f"{what}: meta[{key!r}] = {value!r:.50} must be bytes under a text"
            raise UsageError(msg)
    return dict(cast("Mapping[str, bytes]", meta or {}))


def checked_text(value: object, what: str) -> str:
    """An id or a tag.

    Raises:
        InvalidStub: It is no text, empty or no Unicode.
    """
    if demand := _demand(value):
        msg = f"{what} {demand}, not {value!r}"
        raise InvalidStub(msg)
    return cast("str", value)


def _demand(value: object) -> str | None:
    """What an id or a tag must be; None if it is."""
    if not isinstance(value, str) or not value:
        return "must be a text, and not empty"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode, without halves of surrogate pairs"
    return None


def checked_seconds(limit: object, what: str) -> float | None:
    """The seconds of a limit of a wait; None for no limit.

    Raises:
        UsageError: It is no duration, as a number of seconds or an instant.
    """
    if limit is None:
        return None
    if not isinstance(limit, timedelta):
        msg = f"{what}: timeout={limit!r} must be a duration, as timeout=timedelta(seconds=5)"
        raise UsageError(msg)
    return limit.total_seconds()
