"""A consumer in memory."""

import asyncio
from collections.abc import Sequence

from infinitic_common._consumption import ConsumptionLoop
from infinitic_common.transport import Counts, Handler, Subscription
from infinitic_transport._queues import MemoryDelivery, Partition
from infinitic_transport._universe import Universe


class InMemoryConsumption:
    """Reads from the universe as far as there is room, on the event loop it was made on."""

    def __init__(self, universe: Universe, subscription: Subscription, handler: Handler) -> None:
        self._universe = universe
        self._loop = asyncio.get_running_loop()
        self._work: ConsumptionLoop[Partition] = ConsumptionLoop(
            subscription,
            handler,
            settle=self._settle,
            dead_letter=self._dead_letter,
            on_room=self._read,
        )
        self._timer: asyncio.TimerHandle | None = None
        self._awake = False
        self._group = universe.join(subscription, self)

    @property
    def counts(self) -> Counts:
        """See ``Consumption``."""
        return self._work.counts

    async def stop(self, grace_seconds: float) -> None:
        """See ``Consumption``."""
        self._universe.leave(self._group, self)
        if self._timer is not None:
            self._timer.cancel()
        self._universe.give_back(self._group, await self._work.stop(grace_seconds))

    def wake(self) -> None:
        """Look for messages soon; from any thread."""
        # Cleared before messages are taken, so whoever finds it set may rely on the read to come.
        if self._awake:
            return
        self._awake = True
        try:
            if _running_loop() is self._loop:
                self._loop.call_soon(self._read)
            else:
                self._loop.call_soon_threadsafe(self._read)
        except RuntimeError:
            self._vanish()

    def _vanish(self) -> None:
        """The event loop was closed without a stop: others get what was begun here."""
        self._universe.leave(self._group, self)
        self._universe.give_back(self._group, self._work.abandon())

    def _read(self) -> None:
        self._awake = False
        while room := self._work.room:
            deliveries, due = self._universe.take(self._group, self, room)
            if deliveries:
                self._work.feed(deliveries)
            if len(deliveries) < room:
                self._look_again_at(due)
                return

    def _look_again_at(self, due: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            seconds = max(1, due - self._universe.clock.now()) / 1000
            self._timer = self._loop.call_later(seconds, self._read)

    def _settle(self, deliveries: Sequence[MemoryDelivery]) -> None:
        self._universe.settle(self._group, deliveries)

    async def _dead_letter(self, delivery: MemoryDelivery, _reason: str) -> None:
        self._universe.bury(delivery.message)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
