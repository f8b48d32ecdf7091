"""Workflows whose workers stop, or whose code is mended: REL."""

from collections import Counter
from datetime import timedelta
from typing import Protocol

from harness.services import UtilService
from infinitic_common import Workflow, new_service

FIRED: Counter[str] = Counter()
"""How often the timer of each workflow let it go on."""


class Sleeper(Protocol):
    def run(self) -> str: ...


class SleeperImpl(Workflow, Sleeper):
    def run(self) -> str:
        self.timer(timedelta(seconds=2)).result()
        self.inline(FIRED.update, [self.workflow_id])
        return self.workflow_id


class Buggy(Protocol):
    def run(self) -> int: ...


class BuggyImpl(Workflow, Buggy):
    util = new_service(UtilService)

    def run(self) -> int:
        self.util.count(self.workflow_id)
        message = "a bug"
        raise LookupError(message)


class MendedImpl(Workflow, Buggy):
    util = new_service(UtilService)

    def run(self) -> int:
        first = self.util.count(self.workflow_id)
        return 10 * first + self.util.count(self.workflow_id)
