"""Whether a receive wants a signal: by the type of its value, and by what the value holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast

import jsonpath

from infinitic_common.history import ReceiveCommand
from infinitic_common.serialization import to_json

_Tree = Sequence[object] | Mapping[str, object]


def accepts(command: ReceiveCommand, value: bytes, value_types: tuple[str, ...]) -> bool:
    """Whether the receive takes a signal with this encoded value of these types.

    Every criterion given must hold: the type is among the names of the value's class and its
    parents; the JSONPath finds something in the JSON view of the value; each path of ``where``
    leads to the value it names.
    """
    if command.value_type is not None and command.value_type not in value_types:
        return False
    if command.json_path is None and not command.where:
        return True
    view = to_json(value)
    if command.json_path is not None and not _finds(command.json_path, view):
        return False
    return all(_leads_to(path, view, wanted) for path, wanted in command.where.items())


def check_json_path(path: object) -> None:
    """Refuse a JSONPath that cannot be read.

    Raises:
        ValueError: It cannot; says where.
    """
    if not isinstance(path, str) or not path.strip():
        msg = (
            f"{path!r} is no JSONPath: give a text, as '$[?(@.total > 100)]'; "
            "leave json_path out to take every signal"
        )
        raise ValueError(msg)
    try:
        _compiled(path)
    except jsonpath.JSONPathError as error:
        msg = f"{path!r} is no JSONPath: {error}"
        raise ValueError(msg) from error


@lru_cache(maxsize=1000)
def _compiled(path: str) -> jsonpath.JSONPath | jsonpath.CompoundJSONPath:
    return jsonpath.compile(path)


def _finds(path: str, view: object) -> bool:
    """A filter at the root is about the value itself, as its only element, or its members."""
    compiled = _compiled(path)
    if compiled.findall([view]):
        return True
    return isinstance(view, dict | list) and bool(compiled.findall(cast("_Tree", view)))


def _leads_to(path: str, view: object, wanted: bytes) -> bool:
    found = view
    for name in path.split("."):
        if not isinstance(found, dict):
            return False
        members = cast("dict[str, object]", found)
        if name not in members:
            return False
        found = members[name]
    value = to_json(wanted)
    # In Python, but not in JSON, true equals 1.
    return found == value and isinstance(found, bool) == isinstance(value, bool)
