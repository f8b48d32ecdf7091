"""Blocks of code whose value is recorded: INLINE."""

from collections import Counter
from datetime import timedelta
from typing import Protocol

from harness.services import UtilService
from infinitic_common import Workflow, new_service

COUNTS: Counter[str] = Counter()
"""How often the block of each workflow ran."""


class Inlines(Protocol):
    def doubled(self) -> str: ...
    async def doubled_in_coroutine(self) -> str: ...
    def structured(self) -> list[int]: ...
    def task_started(self) -> str: ...
    def task_called(self) -> str: ...
    def timer_made(self) -> str: ...
    def nested(self) -> str: ...
    def failing(self) -> str: ...
    def counted(self) -> str: ...
    def steady(self) -> bool: ...


class InlinesImpl(Workflow, Inlines):
    util = new_service(UtilService)

    def doubled(self) -> str:
        return self.util.concat("2 * 7 = ", str(self.inline(lambda: 2 * 7)))

    async def doubled_in_coroutine(self) -> str:
        double = self.inline(lambda number: 2 * number, 7)
        return await self.dispatch(self.util.concat, "2 * 7 = ", str(double))

    def structured(self) -> list[int]:
        values = self.inline(lambda: {"a": [1, 2], "b": [3]})
        self.util.reverse("ab")
        return [*values["a"], *values["b"]]

    def task_started(self) -> str:
        return str(self.inline(lambda: str(self.dispatch(self.util.reverse, "ab"))))

    def task_called(self) -> str:
        return self.inline(lambda: self.util.reverse("ab"))

    def timer_made(self) -> str:
        return self.inline(lambda: str(self.timer(timedelta(seconds=1))))

    def nested(self) -> str:
        return self.inline(lambda: self.inline(lambda: "inner"))

    def failing(self) -> str:
        return self.inline(_fail)

    def counted(self) -> str:
        self.inline(COUNTS.update, [self.workflow_id])
        for letter in "abc":
            self.util.reverse(letter)
        return self.workflow_id

    def steady(self) -> bool:
        before = (self.now(), self.uuid(), self.random.random())
        drawn = [self.inline(lambda: str(before)) for _ in range(2)]
        self.util.reverse("ab")
        return drawn == [str(before)] * 2 and self.uuid() != before[1]


def _fail() -> str:
    message = "no such thing"
    raise LookupError(message)
