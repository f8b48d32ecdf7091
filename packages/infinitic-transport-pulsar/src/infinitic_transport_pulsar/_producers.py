"""The producers of a process."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import attrs

from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.exceptions import InfrastructureError, TransportUnavailable
from infinitic_common.transport import (
    ORDERED_KINDS,
    OutgoingMessage,
    ReceivedMessage,
    Topic,
    TopicKind,
)
from infinitic_transport_pulsar._errors import TopicGone
from infinitic_transport_pulsar._names import TopicNames, parse
from infinitic_transport_pulsar._native import producer_options
from infinitic_transport_pulsar._once import Once
from infinitic_transport_pulsar._provisioning import Provisioning
from infinitic_transport_pulsar._sending import Outlet, TopicProducer
from infinitic_transport_pulsar._settings import producer_settings, stores_by_key
from infinitic_transport_pulsar._watching import Watched

_LOGGER = logging.getLogger(__name__)

REASON_PROPERTY = "infinitic-dead-letter-reason"
"""The property of a dead letter that says why it is one."""

_LONGEST_REASON = 2000
_MOST_TOPICS = 500
_ANSWER_TIMEOUT_MILLIS = 5000
"""How long an answer waits for its broker: its client may be gone, and others wait for theirs."""


@attrs.frozen
class _Target:
    full: str
    kind: TopicKind
    ordered: bool
    prepare: Callable[[], Awaitable[None]]
    forget: Callable[[], None]


@attrs.frozen
class WatchedProducer:
    """A producer, for ``watch``."""

    full: str
    producer: TopicProducer
    discard: Callable[[str], None]

    @property
    def label(self) -> str:
        """See ``Watched``."""
        return f"producer of {self.full.rpartition('/')[2]}"

    @property
    def expendable(self) -> bool:
        """Whether it is that of a client, which may have left."""
        topic = parse(self.full)
        return topic is not None and topic.kind is TopicKind.CLIENT_RESPONSE

    @property
    def is_connected(self) -> bool:
        """See ``Watched``."""
        return self.producer.is_connected

    async def renew(self) -> None:
        """See ``Watched``; what is under way fails, and may be sent again."""
        self.discard(self.full)


class Producers:
    """Sends to topics, with a producer for each of those used most recently.

    Args:
        configuration: How messages are sent.
        outlet: The connections.
        provisioning: Makes topics.
        names: The names of topics.
    """

    def __init__(
        self,
        configuration: PulsarConfiguration,
        outlet: Outlet,
        provisioning: Provisioning,
        names: TopicNames,
    ) -> None:
        self._configuration = configuration
        self._outlet = outlet
        self._provisioning = provisioning
        self._names = names
        self._once = Once()
        self._recent: OrderedDict[str, TopicProducer] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """Send to a topic, which is made if it does not exist."""
        target = _Target(
            full=self._names.of(topic),
            kind=topic.kind,
            ordered=topic.kind in ORDERED_KINDS,
            prepare=lambda: self._provisioning.topic_with_subscription(topic),
            forget=lambda: self._provisioning.forget(topic),
        )
        await self._send(target, messages)

    async def answer(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """Send to the topic of a client; when it does not exist the client is gone."""
        full = self._names.of(topic)
        recent = self._recent.get(full)
        # A broker that removes a topic closes its producers at once.
        if recent is not None and not recent.is_connected:
            self._discard(full)
            recent = None
        if recent is None and not await self._provisioning.exists(topic):
            return
        try:
            await self._send_once(self._answers_of(topic), messages)
        except InfrastructureError:
            self._discard(full)
            if await self._provisioning.exists(topic):
                raise

    def _answers_of(self, topic: Topic) -> _Target:
        return _Target(
            full=self._names.of(topic),
            kind=topic.kind,
            ordered=False,
            prepare=_nothing,
            forget=lambda: self._provisioning.forget(topic),
        )

    async def bury(self, message: ReceivedMessage, reason: str) -> None:
        """Send to the dead letters of the topic that a message came from, and why."""
        topic = message.topic
        letter = OutgoingMessage(
            id=message.id,
            body=message.body,
            key=message.key,
            properties={**message.properties, REASON_PROPERTY: reason[:_LONGEST_REASON]},
        )
        target = _Target(
            full=self._names.dead_letters_of(topic),
            kind=topic.kind,
            ordered=False,
            prepare=lambda: self._provisioning.dead_letters(topic),
            forget=lambda: self._provisioning.forget(topic),
        )
        await self._send(target, [letter])

    @property
    def watched(self) -> list[Watched]:
        """The producers, also those of answers: without their topics they try again for ever."""
        return [
            WatchedProducer(full, producer, self._discard)
            for full, producer in self._recent.items()
        ]

    async def close(self) -> None:
        """Close all producers; what is under way fails."""
        await self._once.cancel()
        for full in list(self._recent):
            self._discard(full)
        await asyncio.gather(*self._closing)

    async def _send(self, target: _Target, messages: Sequence[OutgoingMessage]) -> None:
        try:
            await self._send_once(target, messages)
        except TopicGone:
            self._forget(target)
            await self._send_once(target, messages)

    async def _send_once(self, target: _Target, messages: Sequence[OutgoingMessage]) -> None:
        producer = self._recent.get(target.full)
        if producer is None:
            producer = await self._once.do(target.full, lambda: self._open(target))
        else:
            self._recent.move_to_end(target.full)
        try:
            await producer.send(messages)
        except TransportUnavailable:
            # A producer that lost its topic never finds it again.
            if not producer.users and not producer.is_connected:
                self._forget(target)
            raise

    def _forget(self, target: _Target) -> None:
        target.forget()
        self._discard(target.full)

    async def _open(self, target: _Target) -> TopicProducer:
        await target.prepare()
        outlet, full = self._outlet, target.full
        partitions = await outlet.threads.call(
            f"looking up {full}", lambda: outlet.client.get_topic_partitions(full)
        )
        settings = producer_settings(self._configuration, target.kind)
        if target.kind is TopicKind.CLIENT_RESPONSE:
            settings = (*settings, ("send_timeout_millis", _ANSWER_TIMEOUT_MILLIS))
        producer = TopicProducer(
            outlet,
            full,
            partitions,
            producer_options(settings),
            ordered=target.ordered,
            by_key=stores_by_key(self._configuration, target.kind),
        )
        self._recent[full] = producer
        self._evict()
        return producer

    def _evict(self) -> None:
        if len(self._recent) > _MOST_TOPICS:
            older = list(self._recent.items())[:-1]
            idle = (full for full, producer in older if not producer.users)
            self._discard(next(idle, None))

    def _discard(self, full: str | None) -> None:
        producer = self._recent.pop(full, None) if full is not None else None
        if full is None or producer is None:
            return
        self._once.forget(full)
        task = asyncio.ensure_future(_close(producer))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _close(producer: TopicProducer) -> None:
    try:
        await producer.close()
    except InfrastructureError as error:
        _LOGGER.debug("a producer did not close: %s", error)


async def _nothing() -> None:
    """A topic that is not ours to make."""
