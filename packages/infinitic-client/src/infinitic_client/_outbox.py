"""What a client publishes: all that is asked for in one turn of the loop goes out together."""

import asyncio

from infinitic_common.exceptions import PayloadTooLarge
from infinitic_common.messages import Message, to_outgoing, topic_of
from infinitic_common.transport import OutgoingMessage, Topic, Transport

_Waiting = tuple[OutgoingMessage, asyncio.Future[None]]


class Outbox:
    """Publishes messages, one call of the transport for each topic and turn of the event loop."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._pending: dict[Topic, list[_Waiting]] = {}
        self._publishing: set[asyncio.Task[None]] = set()

    def post(self, message: Message) -> asyncio.Future[None]:
        """Publish a message; the future is done when the broker has it.

        Raises:
            PayloadTooLarge: It is larger than the broker accepts.
        """
        outgoing = to_outgoing(message)
        self._check_size(message, outgoing)
        loop = asyncio.get_running_loop()
        if not self._pending:
            loop.call_soon(self._flush)
        published = loop.create_future()
        self._pending.setdefault(topic_of(message), []).append((outgoing, published))
        return published

    async def close(self) -> None:
        """Wait for what is being published."""
        self._flush()
        while self._publishing:
            await asyncio.wait(self._publishing)

    def _check_size(self, message: Message, outgoing: OutgoingMessage) -> None:
        limit = self._transport.max_message_bytes
        if len(outgoing.body) > limit:
            msg = (
                f"{type(message).__name__} {outgoing.id} has {len(outgoing.body)} bytes, the "
                f"limit is {limit}: send a reference to large data instead of the data"
            )
            raise PayloadTooLarge(msg)

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        for topic, waiting in pending.items():
            task = asyncio.create_task(self._publish(topic, waiting))
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)

    async def _publish(self, topic: Topic, waiting: list[_Waiting]) -> None:
        try:
            await self._transport.publish(topic, [outgoing for outgoing, _ in waiting])
        except Exception as error:  # noqa: BLE001 - it is raised where the message was posted
            for _, published in waiting:
                if not published.done():
                    published.set_exception(error)
        else:
            for _, published in waiting:
                if not published.done():
                    published.set_result(None)
