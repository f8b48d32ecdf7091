"""Events leave beside what they tell of, and never hold it up for long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import attrs

from infinitic_common._events.records import PlainEvent, TaskEvent, ToldBatch, WorkflowEvent
from infinitic_common._events.short import TaskResult, expanded
from infinitic_common.codec import encode, to_plain
from infinitic_common.exceptions import Unavailable
from infinitic_common.transport import ObservableTransport, OutgoingMessage, Topic, Transport

_LOGGER = logging.getLogger(__name__)

_PATIENCE_SECONDS = 10.0
_PATIENCE_WHEN_STUCK_SECONDS = 0.5
_PARTS_OF_PATIENCE = 10
"""It is lost in parts: a process that was suspended meanwhile has lost one, and not all of it."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_BATCH_BYTES = 512 * 1024
_BESIDE_BYTES = 600
"""What an event takes besides its body, about."""
_MARGIN = 16 * 1024

Told = Mapping[Topic, Sequence[PlainEvent]]
"""Events by the topic that they are for."""


class EventPublisher:
    """Publishes events, at least once as long as the broker takes them.

    What fails for a while is tried again. When what the events tell of has long reached the broker
    and they have not, they are given up with a warning: workflows do not wait for their listeners.
    They are kept as long as the transport tells of problems, as it does while its broker is away.

    Args:
        transport: Takes them.
        worker_name: Who tells them.
    """

    def __init__(self, transport: Transport, worker_name: str) -> None:
        self._transport = transport
        self._worker_name = worker_name
        self._patience = _PATIENCE_SECONDS

    def begin(self, told: Told) -> asyncio.Task[None] | None:
        """Start to publish; ``finish`` waits for it. None when there is nothing to tell."""
        return asyncio.ensure_future(self._publish_all(told)) if told else None

    async def finish(self, publication: asyncio.Task[None] | None) -> None:
        """Wait for events to reach the broker, once what they tell of has; never raises."""
        if publication is None:
            return
        try:
            await self._wait_for(publication)
        finally:
            if publication.done():
                self._patience = _PATIENCE_SECONDS
            else:
                publication.cancel()
                self._patience = _PATIENCE_WHEN_STUCK_SECONDS
                _LOGGER.warning("events are given up: the broker takes everything but them")

    async def _wait_for(self, publication: asyncio.Task[None]) -> None:
        parts = _PARTS_OF_PATIENCE
        while parts and not publication.done():
            await asyncio.wait({publication}, timeout=self._patience / _PARTS_OF_PATIENCE)
            parts -= 1
            if not parts and not publication.done() and await self._broker_is_away():
                parts = _PARTS_OF_PATIENCE

    async def _broker_is_away(self) -> bool:
        transport = self._transport
        return isinstance(transport, ObservableTransport) and bool(await transport.problems())

    async def _publish_all(self, told: Told) -> None:
        # What they tell of goes first.
        await asyncio.sleep(0)
        for topic, events in told.items():
            try:
                messages = list(self._messages(topic, events))
            except Exception:
                _LOGGER.exception("events for %s cannot be encoded: nobody is told", topic)
            else:
                await self._publish(topic, messages)

    async def _publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._transport.publish(topic, messages)
            except Unavailable as error:
                _LOGGER.debug("events for %s wait until the broker is back: %s", topic, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Exception:
                _LOGGER.exception("events for %s cannot be published: nobody is told", topic)
                return None

    def _messages(self, topic: Topic, events: Sequence[PlainEvent]) -> Iterator[OutgoingMessage]:
        """One message, unless the events are too large for that."""
        most = self._transport.max_message_bytes - _MARGIN
        bound = min(_BATCH_BYTES, most)
        if len(events) * _BESIDE_BYTES + sum(map(_length, events)) <= bound:
            yield self._message(events)
            return
        batch: list[PlainEvent] = []
        size = 0
        for event in _fitting(events, topic, most):
            room = _BESIDE_BYTES + _length(event)
            if batch and size + room > bound:
                yield self._message(batch)
                batch, size = [], 0
            batch.append(event)
            size += room
        if batch:
            yield self._message(batch)

    def _message(self, events: Sequence[PlainEvent]) -> OutgoingMessage:
        body = encode(ToldBatch(self._worker_name, _release(), tuple(events)))
        return OutgoingMessage(blake2b(body, digest_size=16).hexdigest(), body)


def _place_of_body(cls: type) -> int:
    names = [field.name for field in attrs.fields(cls)]
    return 1 + names.index("body")


_BODY: Final[Mapping[object, int]] = {
    number: _place_of_body(cls)
    for number, cls in ((241, WorkflowEvent), (242, TaskEvent), (245, TaskResult))
}
"""Where the array of a record, by its number, has a body."""


def _length(event: PlainEvent) -> int:
    """Bytes of what it tells of."""
    if isinstance(event, bytes):
        return len(event)
    index = _BODY.get(event[0])
    body = None if index is None else event[index]
    return len(body) if isinstance(body, bytes) else 0


def _fitting(events: Sequence[PlainEvent], topic: Topic, most: int) -> Iterator[PlainEvent]:
    """Events, without what they tell of where that is too large."""
    for event in events:
        length = _length(event)
        if length <= most:
            yield event
            continue
        for one in expanded(event, topic.kind):
            names = {**one.names, "omittedBytes": length}
            yield to_plain(attrs.evolve(one, body=b"", names=names))


@cache
def _release() -> str:
    try:
        return version("infinitic-common")
    except PackageNotFoundError:
        return "unknown"
