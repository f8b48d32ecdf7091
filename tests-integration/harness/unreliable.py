"""Transports that deliver otherwise than one would like."""

from collections.abc import Sequence

from infinitic_common.transport import (
    Consumption,
    Handler,
    OutgoingMessage,
    Subscription,
    Topic,
    Transport,
)


class _Wrapped:
    """All of another transport."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def max_message_bytes(self) -> int:
        return self._inner.max_message_bytes

    def now(self) -> int:
        return self._inner.now()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        await self._inner.publish(topic, messages)

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        return await self._inner.consume(subscription, handler)

    async def close(self) -> None:
        await self._inner.close()


class Twice(_Wrapped):
    """Every message comes twice."""

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        await self._inner.publish(topic, messages)
        await self._inner.publish(topic, messages)


class Overtaken(_Wrapped):
    """What is published first comes after what is published second."""

    def __init__(self, inner: Transport) -> None:
        super().__init__(inner)
        self._held: list[tuple[Topic, Sequence[OutgoingMessage]]] | None = []

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        if self._held == []:
            self._held.append((topic, messages))
            return
        await self._inner.publish(topic, messages)
        held, self._held = self._held or [], None
        for each in held:
            await self._inner.publish(*each)
