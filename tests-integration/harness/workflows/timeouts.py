"""Limits of tasks and workflows: TIMEOUTS."""

from datetime import timedelta
from typing import Protocol

from harness.services import UtilService
from infinitic_common import (
    TaskTimedOut,
    Workflow,
    WorkflowTimedOut,
    new_service,
    new_workflow,
    timeout,
)


class LimitedParent(Protocol):
    @timeout(timedelta(seconds=1))
    def inherited(self, milliseconds: int) -> int: ...


class Timeouts(LimitedParent, Protocol):
    @timeout(timedelta(seconds=1))
    def limited(self, milliseconds: int) -> int: ...
    @timeout(timedelta(seconds=1))
    async def limited_coroutine(self, milliseconds: int) -> int: ...
    def child(self, milliseconds: int) -> int: ...
    async def child_awaited(self, milliseconds: int) -> int: ...
    def child_caught(self, milliseconds: int) -> int: ...
    def child_late(self) -> str: ...
    def inherited_child(self, milliseconds: int) -> int: ...
    def service_timeout(self, milliseconds: int) -> int: ...
    def service_timeout_caught(self, milliseconds: int) -> str: ...
    def execution_timeout(self, milliseconds: int) -> int: ...


class TimeoutsImpl(Workflow, Timeouts):
    util = new_service(UtilService)
    same = new_workflow(Timeouts)

    def inherited(self, milliseconds: int) -> int:
        return self.util.sleep(milliseconds)

    def limited(self, milliseconds: int) -> int:
        return self.util.sleep(milliseconds)

    async def limited_coroutine(self, milliseconds: int) -> int:
        return await self.dispatch(self.util.sleep, milliseconds)

    def child(self, milliseconds: int) -> int:
        return self.same.limited(milliseconds)

    async def child_awaited(self, milliseconds: int) -> int:
        return await self.same.limited_coroutine(milliseconds)

    def child_caught(self, milliseconds: int) -> int:
        try:
            return self.same.limited(milliseconds)
        except WorkflowTimedOut:
            return -1

    def child_late(self) -> str:
        child = self.dispatch(self.same.limited, 2000)
        try:
            child.result()
        except WorkflowTimedOut:
            before = child.status.value
        self.timer(timedelta(seconds=2)).result()
        return f"{before} {child.status.value} {child.result()}"

    def inherited_child(self, milliseconds: int) -> int:
        return self.same.inherited(milliseconds)

    def service_timeout(self, milliseconds: int) -> int:
        return self.util.with_service_timeout(milliseconds)

    def service_timeout_caught(self, milliseconds: int) -> str:
        task = self.dispatch(self.util.with_service_timeout, milliseconds)
        try:
            return str(task.result())
        except TaskTimedOut as error:
            return f"{error.method_name} {task.is_timed_out}"

    def execution_timeout(self, milliseconds: int) -> int:
        return self.util.with_execution_timeout(milliseconds)
