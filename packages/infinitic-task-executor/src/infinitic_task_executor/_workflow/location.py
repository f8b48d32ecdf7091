"""Where in the user's code something was asked for."""

import inspect
from inspect import currentframe
from types import CodeType, FrameType, FunctionType
from typing import cast

_OURS = ("infinitic_common.", "infinitic_task_executor.")
_FOLDERS = 2

_files: dict[str, str] = {}
"""Each source file met, shortened; empty for those of the framework."""


def location() -> str:
    """The nearest line of the caller that is not of the framework, as ``folder/file.py:line``.

    Histories keep it, so it has no more of the path than a reader needs.
    """
    frame = currentframe()
    while frame is not None:
        name = frame.f_code.co_filename
        file = _files.get(name)
        if file is None:
            file = _files[name] = _short(frame)
        if file:
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def location_of(function: object) -> str:
    """Where a function is defined, as ``folder/file.py:line``; empty when it does not tell."""
    code = cast(
        "CodeType | None", getattr(inspect.unwrap(cast("FunctionType", function)), "__code__", None)
    )
    return "" if code is None else f"{_shortened(code.co_filename)}:{code.co_firstlineno}"


def _short(frame: FrameType) -> str:
    if frame.f_globals.get("__name__", "").startswith(_OURS):
        return ""
    return _shortened(frame.f_code.co_filename)


def _shortened(file: str) -> str:
    return "/".join(file.replace("\\", "/").split("/")[-_FOLDERS:])
