"""Channels as contracts declare them: named by an attribute, typed by its hint."""

import inspect
from collections.abc import Iterator
from typing import cast, get_args, get_origin

import attrs

from infinitic_common._contracts.hints import MISSING, attribute_hint
from infinitic_common.serialization import InvalidTypeHint, ValueCodec, value_codec


@attrs.frozen(eq=False)
class ChannelContract:
    """A channel of a workflow.

    Attributes:
        name: The name of its attribute.
        codec: Of its signals.
    """

    name: str
    codec: ValueCodec


def channel_names(cls: type) -> Iterator[str]:
    """Names of the channels of a class: annotated ``Channel[…]``, or made by ``channel()``."""
    seen: set[str] = set()
    for owner in reversed(cls.__mro__):
        for name in [*inspect.get_annotations(owner), *vars(owner)]:
            if name not in seen and not name.startswith("_") and _declares(owner, name):
                seen.add(name)
                yield name


def _declares(owner: type, name: str) -> bool:
    if _is_channel(type(cast("object", vars(owner).get(name)))):
        return True
    annotation = cast("object", inspect.get_annotations(owner).get(name, MISSING))
    if isinstance(annotation, str):
        # Only what may be a channel is resolved: other hints may be for type checkers alone.
        annotation = attribute_hint(owner, name) if "Channel" in annotation else MISSING
    return _is_channel(annotation) or _is_channel(get_origin(annotation))


def _is_channel(cls: object) -> bool:
    return isinstance(cls, type) and hasattr(cls, "__infinitic_channel__")


def read_channel(cls: type, name: str) -> ChannelContract:
    """Read a channel of a class.

    Raises:
        InvalidTypeHint: The channel has no type, or one that cannot be sent.
    """
    place = f"channel '{name}' of {cls.__name__}"
    hint = attribute_hint(cls, name)
    arguments = cast("tuple[object, ...]", get_args(hint))
    if not _is_channel(get_origin(hint)) or not arguments:
        msg = f"{place} has no type: write '{name}: Channel[str] = channel()', with its type"
        raise InvalidTypeHint(msg, place=place)
    return ChannelContract(name, value_codec(arguments[0], place=place))
