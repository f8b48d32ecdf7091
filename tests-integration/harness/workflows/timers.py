"""Timers: TIMERS."""

from datetime import datetime, timedelta
from typing import Protocol

from harness.services import UtilService
from infinitic_common import Channel, Workflow, channel, get_workflow_by_id, new_service


class Timers(Protocol):
    A: Channel[str] = channel()

    def wait_for(self, milliseconds: int) -> datetime: ...
    async def wait_for_awaited(self, milliseconds: int) -> datetime: ...
    def wait_until(self, instant: datetime) -> datetime: ...
    def wait_ahead(self, milliseconds: int) -> timedelta: ...
    def signal_or_timer(self, milliseconds: int) -> str: ...
    async def signal_or_timer_awaited(self, milliseconds: int) -> str: ...
    def two_runs(self) -> list[str]: ...
    def timer_before_task(self) -> int: ...
    def three_timers(self) -> list[int]: ...
    def timers_in_turn(self, number: int) -> int: ...


class TimersImpl(Workflow, Timers):
    util = new_service(UtilService)

    def wait_for(self, milliseconds: int) -> datetime:
        return self.timer(timedelta(milliseconds=milliseconds)).result()

    async def wait_for_awaited(self, milliseconds: int) -> datetime:
        return await self.timer(timedelta(milliseconds=milliseconds))

    def wait_until(self, instant: datetime) -> datetime:
        return self.timer(instant).result()

    def wait_ahead(self, milliseconds: int) -> timedelta:
        began = self.now()
        self.timer(began + timedelta(milliseconds=milliseconds)).result()
        return self.now() - began

    def signal_or_timer(self, milliseconds: int) -> str:
        won = (self.A.receive() | self.timer(timedelta(milliseconds=milliseconds))).result()
        return won if isinstance(won, str) else "Instant"

    async def signal_or_timer_awaited(self, milliseconds: int) -> str:
        won = await (self.A.receive() | self.timer(timedelta(milliseconds=milliseconds)))
        return won if isinstance(won, str) else "Instant"

    def two_runs(self) -> list[str]:
        me = get_workflow_by_id(Timers, self.workflow_id)
        branch = self.dispatch(me.signal_or_timer, 10_000)
        own = self.timer(timedelta(milliseconds=10_000))
        own.result()
        return [branch.status.value, branch.result()]

    def timer_before_task(self) -> int:
        timer = self.timer(timedelta(milliseconds=600))
        self.util.sleep(400)
        began = self.now()
        timer.result()
        return (self.now() - began) // timedelta(milliseconds=1)

    def three_timers(self) -> list[int]:
        began = self.now()
        timers = [self.timer(timedelta(milliseconds=ms)) for ms in (300, 100, 200)]
        return [(timer.result() - began) // timedelta(milliseconds=1) for timer in timers]

    def timers_in_turn(self, number: int) -> int:
        began = self.now()
        for _ in range(number):
            self.timer(timedelta(milliseconds=100)).result()
        return (self.now() - began) // timedelta(milliseconds=1)
