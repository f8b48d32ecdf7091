"""Sending to one topic."""

import asyncio
import random
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from queue import SimpleQueue
from typing import cast

import attrs

from infinitic_common.transport import OutgoingMessage
from infinitic_transport_pulsar._bridge import LoopBridge
from infinitic_transport_pulsar._errors import translated
from infinitic_transport_pulsar._native import (
    OK,
    NativeClient,
    NativeMessage,
    NativeMessageId,
    NativeOptions,
    NativeProducer,
    NativeResult,
    new_message,
)
from infinitic_transport_pulsar._once import Once
from infinitic_transport_pulsar._settings import UNORDERED_BATCH
from infinitic_transport_pulsar._threads import Threads
from infinitic_transport_pulsar._window import Window

ID_PROPERTY = "infinitic-id"
"""The property that carries the id of a message."""

_BURST = 1000
"""Messages handed to the client library without a look at the window."""


Report = Callable[[NativeResult, NativeMessageId], None]


@attrs.frozen
class Outlet:
    """What all producers of a process share.

    Attributes:
        client: The connections.
        threads: For calls that block.
        bridge: Back to the event loop.
        window: Bounds what is under way.
        forget: Takes the connections from what the end of the interpreter would close.
    """

    client: NativeClient
    threads: Threads
    bridge: LoopBridge
    window: Window
    forget: Callable[[], None]

    def close(self) -> None:
        """Disconnect; blocks meanwhile."""
        self.forget()
        self.client.close()


class Burst:
    """Messages sent together; done when the broker has confirmed each of them.

    A thread of the client library reports each message. Python code in such a thread is dear, so
    most messages report to a queue that is written in C, and only the last one of each partition,
    behind which there is nothing left, looks whether all have reported.

    Args:
        messages: How many.
        watched: How many of them report to ``confirm``; the others report to ``note``.
        size: How many bytes.
        outlet: What was sent through.
        doing: For messages.
    """

    def __init__(self, messages: int, watched: int, size: int, outlet: Outlet, doing: str) -> None:
        self._messages = messages
        self._watched = watched
        self._size = size
        self._outlet = outlet
        self._doing = doing
        self._results: SimpleQueue[NativeResult] = SimpleQueue()
        self._confirmed: list[NativeResult] = []
        # Its second parameter, whether to block, has no meaning here and takes anything.
        self.note = cast("Report", self._results.put)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def confirm(self, result: NativeResult, _: NativeMessageId) -> None:
        """The broker has answered for a watched message; called by the client library."""
        self._confirmed.append(result)
        if len(self._confirmed) == self._watched:
            self._outlet.bridge.post(self._finish)

    def _finish(self) -> None:
        self._outlet.window.leave(self._messages, self._size)
        if self.done.cancelled():
            return
        results = [self._results.get_nowait() for _ in range(self._results.qsize())]
        results += self._confirmed
        failure = next((result.name for result in results if int(result) != OK), None)
        if failure is None and len(results) < self._messages:
            failure = "no confirmation of some messages"
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(translated(failure, self._doing))
            self.done.exception()  # Whoever sent it may have given up waiting.


class TopicProducer:
    """Sends to a topic, each partition of which has a producer made when first needed.

    The partition of a key is computed here and not by the client library, whose hash is no promise:
    it must be the same for both topics of a key, in every process, in every release.

    Args:
        outlet: What is shared.
        topic: Its full name.
        partitions: The full names of its partitions, or its own.
        options: Options of each producer.
        ordered: Whether the key decides the partition.
        by_key: Whether the client library stores the messages of each key apart.
    """

    def __init__(  # noqa: PLR0913 -- each is one decision of the transport
        self,
        outlet: Outlet,
        topic: str,
        partitions: Sequence[str],
        options: NativeOptions,
        *,
        ordered: bool,
        by_key: bool,
    ) -> None:
        self._outlet = outlet
        self._topic = topic
        self._partitions = partitions
        self._options = options
        self._ordered = ordered
        self._sent_in_order = not by_key
        self._producers: dict[int, NativeProducer] = {}
        self._once = Once()
        self._turn = random.randrange(1 << 20)  # noqa: S311 -- spreads processes over partitions
        self.users = 0

    @property
    def is_connected(self) -> bool:
        """Whether the broker holds every producer made so far."""
        return all(producer.is_connected() for producer in self._producers.values())

    async def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Send; returns when the broker has all of them.

        Raises:
            TransportUnavailable: It has not confirmed them in time; some may be stored.
            TransportError: It refuses them.
        """
        self.users += 1
        try:
            bursts = [
                await self._send_burst(messages[start : start + _BURST])
                for start in range(0, len(messages), _BURST)
            ]
            await asyncio.gather(*(burst.done for burst in bursts))
        finally:
            self.users -= 1

    async def close(self) -> None:
        """Close every producer made so far; what is under way fails."""
        await self._once.cancel()
        producers, self._producers = list(self._producers.values()), {}
        for producer in producers:
            await self._outlet.threads.call(f"closing a producer of {self._topic}", producer.close)

    async def _send_burst(self, messages: Sequence[OutgoingMessage]) -> Burst:
        routes = self._routes(messages)
        producers = await self._open(set(routes))
        size = sum(len(message.body) for message in messages)
        await self._outlet.window.enter(len(messages), size)
        now = time.time_ns() // 1_000_000
        last = self._watched(messages, routes, now)
        burst = Burst(len(messages), len(last), size, self._outlet, f"publishing to {self._topic}")
        note, confirm = burst.note, burst.confirm
        for index, (message, route) in enumerate(zip(messages, routes, strict=True)):
            report = confirm if index in last else note
            producers[route].send_async(_native(message, now), report)
        return burst

    def _watched(
        self, messages: Sequence[OutgoingMessage], routes: Sequence[int], now: int
    ) -> Collection[int]:
        """The indexes of messages after whose confirmation no other of their partition comes.

        Delayed messages overtake others in the client library, and so do keys stored apart.
        """
        if self._sent_in_order and all((message.deliver_at or 0) <= now for message in messages):
            return set({route: index for index, route in enumerate(routes)}.values())
        return range(len(messages))

    def _routes(self, messages: Sequence[OutgoingMessage]) -> list[int]:
        partitions = len(self._partitions)
        if self._ordered:
            return [partition_of(message.key or message.id, partitions) for message in messages]
        # What is sent at about the same time is stored together, as far as the bound of a batch goes.
        first = self._turn
        self._turn += len(messages)
        return [(first + index) // UNORDERED_BATCH % partitions for index in range(len(messages))]

    async def _open(self, routes: Iterable[int]) -> dict[int, NativeProducer]:
        missing = [route for route in routes if route not in self._producers]
        if missing:
            await asyncio.gather(*(self._open_one(route) for route in missing))
        return self._producers

    async def _open_one(self, route: int) -> None:
        name = self._partitions[route]

        async def create() -> NativeProducer:
            return await self._outlet.threads.call(
                f"opening a producer of {name}",
                lambda: self._outlet.client.create_producer(name, self._options),
            )

        self._producers[route] = await self._once.do(name, create)


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: the CRC-32 of its UTF-8 bytes, modulo the number of partitions."""
    return zlib.crc32(key.encode()) % partitions


def _native(message: OutgoingMessage, now: int) -> NativeMessage:
    builder = new_message().content(message.body)
    builder.properties({**message.properties, ID_PROPERTY: message.id})
    if message.key:
        builder.partition_key(message.key)
    if message.deliver_at is not None and message.deliver_at > now:
        builder.deliver_at(message.deliver_at)
        builder.event_timestamp(message.deliver_at)
    else:
        builder.event_timestamp(now)
    return builder.build()
