"""From messages that arrived to messages that are settled."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic

from infinitic_common._consumption.back_off import BackOff
from infinitic_common._consumption.delivery import Delivery, T
from infinitic_common._consumption.lanes import Batch, Lane, Lanes
from infinitic_common._consumption.outcome import Burial, Outcome, judge
from infinitic_common.exceptions import Unavailable
from infinitic_common.transport import (
    Counts,
    Deferral,
    Handler,
    ReceivedMessage,
    Subscription,
)

_LOGGER = logging.getLogger(__name__)

_PARKED_LIMIT = 1000
"""Messages held beyond the bound of the subscription while they cannot be delivered."""

_CANCEL_SECONDS = 1.0
"""How long a cancelled handler may take to unwind before it is abandoned."""

_RETRY = BackOff(first=0.1, longest=10.0)
_PAUSE = BackOff(first=0.1, longest=5.0)


class ConsumptionLoop(Generic[T]):
    """Queues messages per key, forms batches, calls the handler, tries again, gives up.

    A transport feeds what arrived, as far as there is ``room``, and is told what is settled.
    Everything runs on the event loop it was made on; no method may be called from elsewhere.

    * Messages fed in one go, or while the handler is at its bounds, form as few batches as the
      bounds allow; nothing waits for a batch to fill.
    * On an ordered subscription a key is in one batch at a time. When a message is given back, the
      later ones of its key in the batch come again too, uncounted: they had no fair try.
    * After ``Unavailable`` the batch is tried again, and no other batch begins meanwhile.
    * A batch that raises is split: each of its messages comes again alone, and only a message that
      was alone when its handler raised is dead-lettered for it.

    Args:
        subscription: What is consumed: the bounds, the order, the hook.
        handler: Gets the batches.
        settle: Acknowledges messages to the broker. It must neither block nor raise.
        dead_letter: Stores a message, and why, in the dead-letter topic; afterwards the message is
            settled. If it raises, the message is tried again later.
        on_room: Called whenever there is room for more messages; it may feed them at once.
        retry: Waits before a message given back is tried again.
        pause: Waits before a batch is tried again after ``Unavailable``.
    """

    def __init__(  # noqa: PLR0913 -- each is one decision of the transport
        self,
        subscription: Subscription,
        handler: Handler,
        *,
        settle: Callable[[Sequence[Delivery[T]]], None],
        dead_letter: Callable[[Delivery[T], str], Awaitable[None]],
        on_room: Callable[[], None] | None = None,
        retry: BackOff = _RETRY,
        pause: BackOff = _PAUSE,
    ) -> None:
        self._subscription = subscription
        self._handler = handler
        self._settle = settle
        self._dead_letter = dead_letter
        self._on_room = on_room
        self._retry = retry
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._lanes: Lanes[T] = Lanes(ordered=subscription.ordered)
        self._running: dict[Batch[T], asyncio.Task[None]] = {}
        self._burying: dict[Lane[T], asyncio.Task[None]] = {}
        self._parked: dict[Lane[T], asyncio.TimerHandle] = {}
        self._held = 0
        self._in_handler = 0
        self._paused = 0
        self._received = 0
        self._settled = 0
        self._start_scheduled = False
        self._going_on = False
        self._stopping = asyncio.Event()
        self._room_waiters: list[asyncio.Future[None]] = []

    @property
    def counts(self) -> Counts:
        """Messages that a handler has had, and those of them that are not settled."""
        return Counts(self._received, self._received - self._settled)

    @property
    def room(self) -> int:
        """How many more messages to feed; 0 when stopping, paused, or at the bounds.

        Ask again after each feed: messages that only wait behind others of their key leave room
        for other keys. Feeding more is accepted, but takes work from other processes and memory
        from this one.
        """
        if self._paused or self._stopping.is_set():
            return 0
        bound = self._subscription.max_in_flight_messages
        deliverable = self._in_handler + self._lanes.ready_messages
        return max(0, min(bound - deliverable, bound + _PARKED_LIMIT - self._held))

    async def wait_for_room(self) -> int:
        """Wait until there is room, and answer how much; 0 only when stopping."""
        while not (room := self.room) and not self._stopping.is_set():
            waiter = self._loop.create_future()
            self._room_waiters.append(waiter)
            await waiter
        return room

    def feed(self, deliveries: Iterable[Delivery[T]]) -> None:
        """Queue what arrived, in order. When stopping they are ignored: the broker keeps them."""
        if self._stopping.is_set():
            return
        self._held += self._lanes.add(deliveries)
        self._schedule_start()

    async def stop(self, grace_seconds: float) -> list[Delivery[T]]:
        """Begin no batch, wait that long for those in the handler, then cancel them.

        Answers the messages that are not settled, in order by key; the transport gives them back
        to the broker. A later call answers nothing, but may shorten the grace of an earlier one.
        """
        self._stopping.set()
        self._wake_room_waiters()
        await self._wait_for_unfinished(grace_seconds)
        if late := self._unfinished():
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=_CANCEL_SECONDS)
        return self._drain()

    async def _wait_for_unfinished(self, seconds: float) -> None:
        ends_at = self._loop.time() + seconds
        # What ends may leave something else to wait for: a part that takes longer, a burial.
        while tasks := self._unfinished():
            _, late = await asyncio.wait(tasks, timeout=max(ends_at - self._loop.time(), 0))
            if late:
                return

    def _unfinished(self) -> set[asyncio.Task[None]]:
        # A handler may stop its own consumption, and must not wait for itself.
        tasks = {*self._running.values(), *self._burying.values()} - {asyncio.current_task()}
        return {task for task in tasks if not task.done()}

    def abandon(self) -> list[Delivery[T]]:
        """As ``stop``, for when the event loop is closed already and nothing can be waited for."""
        self._stopping.set()
        return self._drain()

    # --- batches ---------------------------------------------------------------------------

    def _schedule_start(self) -> None:
        """Begin batches on the next turn of the event loop, when all of a burst was fed."""
        if not self._start_scheduled and self._lanes.ready_messages:
            self._start_scheduled = True
            self._loop.call_soon(self._start_batches)

    def _start_batches(self) -> None:
        self._start_scheduled = False
        bounds = self._subscription
        was_full = not self.room
        while (
            not self._paused
            and not self._stopping.is_set()
            and len(self._running) < bounds.max_in_flight_batches
            and (free := bounds.max_in_flight_messages - self._in_handler) > 0
            and (batch := self._lanes.take(min(free, bounds.max_batch_messages)))
        ):
            self._in_handler += len(batch.deliveries)
            self._running[batch] = self._loop.create_task(self._run(batch))
        if was_full:
            # What waits behind a batch of its key leaves its place to messages of other keys.
            self._offer_room()

    async def _run(self, batch: Batch[T]) -> None:
        messages: list[ReceivedMessage] = []
        for delivery in batch.deliveries:
            if not delivery.begun:
                delivery.begun = True
                self._received += 1
            messages.append(delivery.message)
        await self._take_answer(batch, await self._answer(messages))

    async def _take_answer(
        self,
        batch: Batch[T],
        answers: Sequence[ReceivedMessage | Deferral] | BaseException | None,
    ) -> None:
        if answers is None or batch not in self._running:
            return  # Released by ``stop``, or about to be.
        answer: Sequence[ReceivedMessage] | BaseException
        if isinstance(answers, BaseException):
            answer = answers
        else:
            answer = [one for one in answers if not isinstance(one, Deferral)]
            for deferral in [one for one in answers if isinstance(one, Deferral)]:
                self._defer(batch, deferral)
        del self._running[batch]
        self._in_handler -= len(batch.deliveries)
        if answer:
            self._carry_out(judge(batch, answer, self._subscription))
        else:
            self._settle_now(batch.deliveries)
            for lane in batch.lanes:
                self._lanes.free(lane)
        self._go_on()

    def _defer(self, batch: Batch[T], deferral: Deferral) -> None:
        """Let some messages of a batch go on as a batch of their own."""
        late = {id(message) for message in deferral.messages}
        rest = batch.split_off(lambda lane: id(lane.taken[0].message) in late)
        self._running[rest] = self._loop.create_task(self._run_late(rest, deferral.answer))

    async def _run_late(
        self, batch: Batch[T], answer: Awaitable[Sequence[ReceivedMessage]]
    ) -> None:
        messages = [delivery.message for delivery in batch.deliveries]
        await self._take_answer(batch, await self._answer(messages, answer))

    async def _answer(
        self,
        messages: list[ReceivedMessage],
        begun: Awaitable[Sequence[ReceivedMessage | Deferral]] | None = None,
    ) -> Sequence[ReceivedMessage | Deferral] | BaseException | None:
        """What the handler answers or raises; None when stopped before it could.

        Args:
            messages: What to handle.
            begun: A handling of them that has begun already; only a second try calls the handler.
        """
        failures = 0
        try:
            while True:
                handling, begun = begun or self._handler(messages), None
                try:
                    return await handling
                except Unavailable as error:
                    failures += 1
                    self._pause_begins(error, failures)
                    if await self._stops_within(self._pause.seconds(failures)):
                        return None
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            return error  # Something inside the handler was cancelled: that is its failure.
        except (KeyboardInterrupt, SystemExit):
            raise  # Somebody wants the process to end: what is unsettled comes again.
        except BaseException as error:  # noqa: BLE001 -- whatever a handler raises is its answer
            return error
        finally:
            self._paused -= failures > 0

    def _pause_begins(self, error: Unavailable, failures: int) -> None:
        if failures == 1:
            self._paused += 1
            if self._paused == 1:
                name = self._subscription.name
                _LOGGER.warning("%s pauses until it can go on: %s", name, error)

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    # --- outcomes --------------------------------------------------------------------------

    def _carry_out(self, outcome: Outcome[T]) -> None:
        if outcome.settled:
            self._settle_now(outcome.settled)
        for lane in outcome.freed:
            self._lanes.free(lane)
        for lane, failures in outcome.parked:
            self._park(lane, failures)
        for burial in outcome.burials:
            self._burying[burial.lane] = self._loop.create_task(self._bury(burial))

    def _settle_now(self, deliveries: Sequence[Delivery[T]]) -> None:
        self._held -= len(deliveries)
        self._settled += len(deliveries)
        self._settle(deliveries)

    def _park(self, lane: Lane[T], failures: int) -> None:
        seconds = self._retry.seconds(failures)
        self._parked[lane] = self._loop.call_later(seconds, self._unpark, lane)

    def _unpark(self, lane: Lane[T]) -> None:
        del self._parked[lane]
        self._lanes.free(lane)
        self._schedule_start()

    async def _bury(self, burial: Burial[T]) -> None:
        lane, delivery = burial.lane, burial.delivery
        error: Exception | None = None
        try:
            if self._subscription.on_dead_letter is not None:
                await self._subscription.on_dead_letter(delivery.message, burial.reason)
            await self._dead_letter(delivery, burial.reason)
        except Exception as raised:  # noqa: BLE001 -- the hook is the user's
            error = raised
        if self._burying.pop(lane, None) is None:
            return  # Released by ``stop``.
        if error is None:
            self._settle_now([delivery])
            self._lanes.free(lane)
        else:
            _LOGGER.warning(
                "%s cannot move message %s to its dead letters now, and tries it again",
                self._subscription.name,
                delivery.message.id,
                exc_info=error,
            )
            failures = delivery.message.delivery_count
            delivery.count_failure()
            lane.put_back([delivery])
            self._park(lane, failures)
        self._go_on()

    # --- room and release ------------------------------------------------------------------

    def _go_on(self) -> None:
        """Once for all batches that end in one go of the event loop, ask for more messages."""
        if not self._going_on:
            self._going_on = True
            self._loop.call_soon(self._take_more)

    def _take_more(self) -> None:
        self._going_on = False
        # What is fed now can still join the next batch.
        self._offer_room()
        self._schedule_start()

    def _offer_room(self) -> None:
        if self.room:
            self._wake_room_waiters()
            if self._on_room is not None:
                self._on_room()

    def _wake_room_waiters(self) -> None:
        waiters, self._room_waiters = self._room_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _drain(self) -> list[Delivery[T]]:
        """Forget everything that is not settled, and return it."""
        for timer in self._parked.values():
            timer.cancel()
        lanes = [lane for batch in self._running for lane in batch.lanes]
        lanes += [*self._burying, *self._parked, *self._lanes.drain()]
        self._running.clear()
        self._burying.clear()
        self._parked.clear()
        self._held = 0
        return [delivery for lane in lanes for delivery in (*lane.taken, *lane.waiting)]


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
