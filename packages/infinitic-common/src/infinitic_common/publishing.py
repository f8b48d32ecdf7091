"""Messages to many topics, published in bursts of a bounded size."""

import asyncio
from collections.abc import Iterable

from infinitic_common.messages import Message, to_outgoing, topic_of
from infinitic_common.transport import OutgoingMessage, Topic, Transport

_BURST_MESSAGES = 500
_BURST_BYTES = 8_000_000


async def publish_all(transport: Transport, messages: Iterable[Message]) -> None:
    """Publish messages to their topics; returns when the broker has them all.

    The messages of a topic keep their order. They are taken and encoded burst by burst, so that
    thousands of large ones are never in memory together, nor the event loop held for long.

    Raises:
        TransportUnavailable: The broker cannot be reached now.
        TransportError: It refuses.
    """
    burst, count, size = dict[Topic, list[OutgoingMessage]](), 0, 0
    for message in messages:
        outgoing = to_outgoing(message)
        burst.setdefault(topic_of(message), []).append(outgoing)
        count, size = count + 1, size + len(outgoing.body)
        if count >= _BURST_MESSAGES or size >= _BURST_BYTES:
            await _publish(transport, burst)
            burst, count, size = {}, 0, 0
    await _publish(transport, burst)


async def _publish(transport: Transport, burst: dict[Topic, list[OutgoingMessage]]) -> None:
    if burst:
        await asyncio.gather(*(transport.publish(topic, some) for topic, some in burst.items()))
