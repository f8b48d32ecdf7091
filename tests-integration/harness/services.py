"""The service that the cases of the conformance catalogue call."""

import time
from typing import Protocol

from infinitic_common import Task


class UtilService(Protocol):
    """Short tasks, and what they know of themselves."""

    def concat(self, first: str, second: str) -> str: ...
    def reverse(self, text: str) -> str: ...
    def sleep(self, milliseconds: int) -> int: ...
    def workflow_id(self) -> str: ...
    def workflow_name(self) -> str: ...
    def tags(self) -> set[str]: ...
    def meta(self) -> dict[str, bytes]: ...


class UtilServiceImpl:
    """Plain functions, which run in threads."""

    def concat(self, first: str, second: str) -> str:
        return first + second

    def reverse(self, text: str) -> str:
        return text[::-1]

    def sleep(self, milliseconds: int) -> int:
        time.sleep(milliseconds / 1000)
        return milliseconds

    def workflow_id(self) -> str:
        return str(Task.workflow_id)

    def workflow_name(self) -> str:
        return str(Task.workflow_name)

    def tags(self) -> set[str]:
        return set(Task.tags)

    def meta(self) -> dict[str, bytes]:
        return dict(Task.meta)
