"""Queues per key, and the forming of batches over them."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic

import attrs

from infinitic_common._consumption.delivery import Delivery, T


@attrs.define(eq=False)
class Lane(Generic[T]):
    """The messages of one key, in order; without order, a single message.

    Attributes:
        key: None for a lane that no later message joins.
        waiting: Not begun, or to be tried again.
        taken: In a batch; they come before all those waiting.
        held: By a batch, or by a wait before trying again: it is not ready.
        careful: Whether one of those waiting must be delivered alone.
    """

    key: str | None
    waiting: list[Delivery[T]]
    taken: list[Delivery[T]] = attrs.field(factory=list["Delivery[T]"])
    held: bool = False
    careful: bool = False

    def take(self, limit: int) -> list[Delivery[T]]:
        """Move at most ``limit`` messages from waiting to taken."""
        if len(self.waiting) <= limit:
            self.taken, self.waiting = self.waiting, []
        else:
            self.taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return self.taken

    def put_back(self, deliveries: Sequence[Delivery[T]]) -> None:
        """Of those taken, queue these again before all others, and forget the rest."""
        self.waiting = [*deliveries, *self.waiting]
        self.taken = []
        self.careful = any(delivery.alone for delivery in self.waiting)


@attrs.define(eq=False)
class Batch(Generic[T]):
    """What one call of the handler gets, and the lanes held meanwhile."""

    deliveries: list[Delivery[T]]
    lanes: list[Lane[T]]

    def split_off(self, leaves: Callable[[Lane[T]], bool]) -> "Batch[T]":
        """Move some lanes, with what was taken from them, to a batch of their own."""
        rest = [lane for lane in self.lanes if leaves(lane)]
        self.lanes = [lane for lane in self.lanes if not leaves(lane)]
        self.deliveries = [delivery for lane in self.lanes for delivery in lane.taken]
        return Batch([delivery for lane in rest for delivery in lane.taken], rest)


class Lanes(Generic[T]):
    """All lanes of a subscription; those with something to deliver are ready, oldest first."""

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._by_key: dict[str, Lane[T]] = {}
        self._ready: deque[Lane[T]] = deque()
        self.ready_messages = 0

    def add(self, deliveries: Iterable[Delivery[T]]) -> int:
        """Queue each behind those of its key; answers how many there were."""
        by_key = self._by_key
        added = blocked = 0
        for delivery in deliveries:
            added += 1
            key = delivery.message.key if self._ordered else None
            lane = by_key.get(key) if key is not None else None
            if lane is not None:
                lane.waiting.append(delivery)
                blocked += lane.held
                continue
            lane = Lane(key, [delivery])
            self._ready.append(lane)
            if key is not None:
                by_key[key] = lane
        self.ready_messages += added - blocked
        return added

    def take(self, limit: int) -> Batch[T] | None:
        """A batch of at most ``limit`` messages over the ready lanes, which it then holds."""
        ready = self._ready
        batch: Batch[T] = Batch([], [])
        deliveries = batch.deliveries
        while ready and len(deliveries) < limit:
            lane = ready[0]
            if lane.careful and deliveries:
                break
            ready.popleft()
            self.ready_messages -= len(lane.waiting)
            lane.held = True
            deliveries += lane.take(1 if lane.careful else limit - len(deliveries))
            batch.lanes.append(lane)
            if lane.careful:
                break
        return batch if deliveries else None

    def free(self, lane: Lane[T]) -> None:
        """Make a held lane ready again, or forget it when it is empty."""
        lane.held = False
        lane.taken = []
        if lane.careful:
            lane.careful = any(delivery.alone for delivery in lane.waiting)
        if lane.waiting:
            self._ready.append(lane)
            self.ready_messages += len(lane.waiting)
        elif lane.key is not None:
            del self._by_key[lane.key]

    def drain(self) -> list[Lane[T]]:
        """Forget all lanes, and return those that nobody holds."""
        lanes = list(self._ready)
        self._ready.clear()
        self._by_key.clear()
        self.ready_messages = 0
        return lanes
