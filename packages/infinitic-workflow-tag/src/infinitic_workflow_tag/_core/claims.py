"""Who has which custom id: one record per custom id, written only if nobody else did meanwhile."""

from collections.abc import Mapping, Sequence

import attrs

from infinitic_common.messages import RemoveTagFromWorkflow
from infinitic_common.storage import VersionedValue, Write
from infinitic_common.tag_sets import is_storable, key_digest
from infinitic_workflow_tag._core.asked import Asked, UniqueStart

PREFIX = "customId:"
"""How a tag starts that is a custom id."""


@attrs.frozen(eq=False)
class Claims:
    """What a batch does to custom ids.

    Attributes:
        holders: By the place of a start in the batch, the workflow that has its custom id.
        writes: The records to write for that to be true.
    """

    holders: dict[int, str] = attrs.field(factory=dict[int, str])
    writes: dict[str, Write] = attrs.field(factory=dict[str, Write])


def claim_key_of(asked: Asked) -> str | None:
    """The storage key of the claim that is made or released; None when there is none.

    A custom id that no key can hold is replaced by its digest, as in keys of tags.
    """
    match asked:
        case UniqueStart():
            name, tag = asked.message.workflow_name, asked.message.tag
        case RemoveTagFromWorkflow() if asked.tag.startswith(PREFIX):
            name, tag = asked.workflow_name, asked.tag
        case _:
            return None
    value = tag.removeprefix(PREFIX)
    key = f"custom-id|{name}|{value}"
    return key if is_storable(key) else f"custom-id#|{name}|{key_digest(value)}"


def claim(asked: Sequence[Asked], found: Mapping[str, VersionedValue]) -> Claims:
    """Who gets which custom id, in the order of the messages.

    The first start gets a free one, and each further start of the same workflow is a repetition of
    that one. The end of a workflow frees the custom id if that workflow still has it.

    What depends on another workflow's claim writes that claim again as it is: a cache may have given
    an older one, and only a write is judged by the store.

    Args:
        asked: The batch.
        found: The claims as stored; messages about others are left alone.
    """
    claims, now = Claims(), {key: _holder(value) for key, value in found.items()}
    doubted = set[str]()
    for place, one in enumerate(asked):
        key = claim_key_of(one)
        if key is None or key not in found:
            continue
        held_by = now[key]
        if isinstance(one, UniqueStart):
            claims.holders[place] = now[key] = held_by or one.start.workflow_id
        elif isinstance(one, RemoveTagFromWorkflow) and held_by == one.workflow_id:
            now[key] = None
        if held_by not in (None, _workflow_of(one)):
            doubted.add(key)
    for key, before in found.items():
        if now[key] != _holder(before) or (key in doubted and before.value is not None):
            claims.writes[key] = _write(now[key], before.version)
    return claims


def _workflow_of(asked: Asked) -> str | None:
    match asked:
        case UniqueStart():
            return asked.start.workflow_id
        case RemoveTagFromWorkflow():
            return asked.workflow_id
        case _:
            return None


def _holder(found: VersionedValue) -> str | None:
    return None if found.value is None else found.value.decode()


def _write(holder: str | None, version: int) -> Write:
    return Write(None if holder is None else holder.encode(), version)
