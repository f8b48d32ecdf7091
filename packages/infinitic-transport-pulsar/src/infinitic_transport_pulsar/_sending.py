"""Sending to one topic."""

import asyncio
import random
import time
import zlib
from collections.abc import Iterable, Sequence

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


@attrs.frozen
class Outlet:
    """What all producers of a process share.

    Attributes:
        client: The connections.
        threads: For calls that block.
        bridge: Back to the event loop.
        window: Bounds what is under way.
    """

    client: NativeClient
    threads: Threads
    bridge: LoopBridge
    window: Window


class Burst:
    """Messages sent together; done when the broker has confirmed each of them.

    Args:
        expected: How many.
        outlet: What was sent through.
        size: How many bytes.
        doing: For messages.
    """

    __slots__ = ("_doing", "_expected", "_finished", "_outlet", "_results", "_size", "done")

    def __init__(self, expected: int, outlet: Outlet, size: int, doing: str) -> None:
        self._expected = expected
        self._outlet = outlet
        self._size = size
        self._doing = doing
        self._finished = False
        self._results: list[NativeResult] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def confirm(self, result: NativeResult, _: NativeMessageId) -> None:
        """The broker has answered for one; called by threads of the client library."""
        results = self._results
        results.append(result)
        if len(results) >= self._expected:
            self._outlet.bridge.post(self._finish)

    def _finish(self) -> None:
        # Two threads may both have seen the last result.
        if self._finished:
            return
        self._finished = True
        self._outlet.window.leave(self._expected, self._size)
        if self.done.cancelled():
            return
        failure = next((result for result in self._results if int(result) != OK), None)
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(translated(failure.name, self._doing))
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
    """

    def __init__(
        self,
        outlet: Outlet,
        topic: str,
        partitions: Sequence[str],
        options: NativeOptions,
        *,
        ordered: bool,
    ) -> None:
        self._outlet = outlet
        self._topic = topic
        self._partitions = partitions
        self._options = options
        self._ordered = ordered
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
        routes = [self._route(message) for message in messages]
        producers = await self._open(set(routes))
        size = sum(len(message.body) for message in messages)
        await self._outlet.window.enter(len(messages), size)
        burst = Burst(len(messages), self._outlet, size, f"publishing to {self._topic}")
        now, confirm = time.time_ns() // 1_000_000, burst.confirm
        for message, route in zip(messages, routes, strict=True):
            producers[route].send_async(_native(message, now), confirm)
        return burst

    def _route(self, message: OutgoingMessage) -> int:
        if self._ordered:
            return partition_of(message.key or message.id, len(self._partitions))
        # Neighbours stay together, so that the client library stores them together.
        self._turn += 1
        return self._turn // UNORDERED_BATCH % len(self._partitions)

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
