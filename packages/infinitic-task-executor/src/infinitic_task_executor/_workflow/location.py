"""Where in the user's code something was asked for."""

from inspect import currentframe
from types import FrameType

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


def _short(frame: FrameType) -> str:
    if frame.f_globals.get("__name__", "").startswith(_OURS):
        return ""
    return "/".join(frame.f_code.co_filename.replace("\\", "/").split("/")[-_FOLDERS:])
