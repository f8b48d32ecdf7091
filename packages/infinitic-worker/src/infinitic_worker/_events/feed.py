"""Events on their way to the listener: gathered from all topics, told in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

import attrs
from cloudevents.core.v1.event import CloudEvent

from infinitic_worker._events.contract import Call


@attrs.define(eq=False)
class _Ticket:
    """The events of one message: how many the listener has still to take."""

    remaining: int
    done: asyncio.Future[None]

    def less(self, error: Exception | None) -> None:
        """The listener had one of them."""
        self.remaining -= 1
        if self.done.done():
            return
        if error is not None:
            self.done.set_exception(error)
        elif not self.remaining:
            self.done.set_result(None)


class Feed:
    """Gathers events until there are enough, or the first one has waited long enough.

    Args:
        call: Tells the listener.
        concurrency: The most calls at once.
        max_events: The most events in a call.
        max_seconds: The longest that an event waits for others; 0 for not at all.
    """

    def __init__(self, call: Call, concurrency: int, max_events: int, max_seconds: float) -> None:
        self._call = call
        self._room = asyncio.Semaphore(concurrency)
        self._max_events = max_events
        self._max_seconds = max_seconds
        self._waiting: deque[tuple[CloudEvent, _Ticket]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def take(self, events: Sequence[CloudEvent], *, alone: bool = False) -> None:
        """Have the listener told of the events; returns when it has taken them all.

        Raises what the listener raises for any of them, or for others in the same call: told
        ``alone`` there are no others.
        """
        if not events:
            return
        ticket = _Ticket(len(events), asyncio.get_running_loop().create_future())
        told = [(event, ticket) for event in events]
        if alone:
            for first in range(0, len(told), self._max_events):
                self._begin(told[first : first + self._max_events])
        else:
            self._gather(told)
        await ticket.done

    def _gather(self, told: Iterable[tuple[CloudEvent, _Ticket]]) -> None:
        self._waiting.extend(told)
        while len(self._waiting) >= self._max_events:
            self._begin_waiting()
        if self._waiting and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._max_seconds, self._begin_all)

    def hurry(self) -> None:
        """Wait for no more events to fill a batch."""
        self._max_seconds = 0.0
        self._begin_all()

    def close(self) -> None:
        """Give up what the listener has not taken yet: it comes again."""
        for call in self._calls:
            call.cancel()

    def _begin_all(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            self._begin_waiting()

    def _begin_waiting(self) -> None:
        count = min(self._max_events, len(self._waiting))
        self._begin([self._waiting.popleft() for _ in range(count)])

    def _begin(self, told: Sequence[tuple[CloudEvent, _Ticket]]) -> None:
        call = asyncio.get_running_loop().create_task(self._tell(told))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _tell(self, told: Sequence[tuple[CloudEvent, _Ticket]]) -> None:
        failure: Exception | None = None
        async with self._room:
            try:
                await self._call([event for event, _ in told])
            except Exception as error:  # noqa: BLE001 - raised to whoever brought the events
                failure = error
        for _, ticket in told:
            ticket.less(failure)
