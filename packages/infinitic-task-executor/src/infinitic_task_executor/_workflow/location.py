"""Where in the user's code something was asked for."""

from functools import lru_cache
from inspect import currentframe
from types import CodeType

_OURS = ("infinitic_common.", "infinitic_task_executor.")
_FOLDERS = 2


def location() -> str:
    """The nearest line of the caller that is not of the framework, as ``folder/file.py:line``.

    Histories keep it, so it has no more of the path than a reader needs.
    """
    frame = currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame = frame.f_back
    return f"{_short(frame.f_code)}:{frame.f_lineno}" if frame is not None else ""


@lru_cache(maxsize=4096)
def _short(code: CodeType) -> str:
    return "/".join(code.co_filename.replace("\\", "/").split("/")[-_FOLDERS:])
