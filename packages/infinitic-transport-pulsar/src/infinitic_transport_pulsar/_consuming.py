"""A running subscription."""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Iterable, Iterator, Sequence
from functools import partial

import attrs

from infinitic_common._consumption import BackOff, ConsumptionLoop
from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.exceptions import InfrastructureError
from infinitic_common.transport import Counts, Handler, Subscription, Topic
from infinitic_transport_pulsar._errors import TopicGone
from infinitic_transport_pulsar._names import TopicNames, subscription_name
from infinitic_transport_pulsar._native import NativeConsumer, consumer_options
from infinitic_transport_pulsar._producers import Producers
from infinitic_transport_pulsar._provisioning import Provisioning
from infinitic_transport_pulsar._receiving import PulsarDelivery, Receipt, Receiver, Room
from infinitic_transport_pulsar._sending import Outlet
from infinitic_transport_pulsar._settings import consumer_settings, consumer_type, receive_batch
from infinitic_transport_pulsar._stalls import until_held_back
from infinitic_transport_pulsar._threads import Threads
from infinitic_transport_pulsar._watching import Watched

_LOGGER = logging.getLogger(__name__)

_REVIVAL = BackOff(first=0.5, longest=5.0)
_DEFAULT_DELIVERIES = attrs.fields(Subscription).max_delivery_count.default


@attrs.frozen
class Inlet:
    """What all consumptions of a process share.

    Attributes:
        configuration: How messages are received.
        outlet: The connections.
        provisioning: Makes topics.
        producers: Take dead letters.
        names: The names of topics.
        consumer: The name of every consumer: the broker orders consumers by it, so that the same
            process gets the same partitions of all topics.
    """

    configuration: PulsarConfiguration
    outlet: Outlet
    provisioning: Provisioning
    producers: Producers
    names: TopicNames
    consumer: str


@attrs.frozen
class WatchedReceiver:
    """A consumer, for ``watch``."""

    receiver: Receiver
    threads: Threads

    @property
    def label(self) -> str:
        """See ``Watched``."""
        return self.receiver.label

    @property
    def expendable(self) -> bool:
        """See ``Watched``; what is consumed is needed until it is stopped."""
        return False

    @property
    def is_connected(self) -> bool:
        """See ``Watched``; of one that has ended nothing is expected."""
        return self.receiver.has_ended or self.receiver.is_connected

    async def renew(self) -> None:
        """See ``Watched``; its consumption makes another one."""
        await self.threads.call("closing", self.receiver.give_up)


class PulsarConsumption:
    """Feeds what arrives on the topics of a subscription to its handler; see ``Consumption``.

    Args:
        inlet: What is shared.
        subscription: What to consume.
        handler: Gets the batches.
    """

    def __init__(self, inlet: Inlet, subscription: Subscription, handler: Handler) -> None:
        self._inlet = inlet
        self._subscription = _with_configured_deliveries(subscription, inlet.configuration)
        self._loop: ConsumptionLoop[Receipt] = ConsumptionLoop(
            self._subscription,
            handler,
            settle=_acknowledge,
            dead_letter=self._bury,
            on_room=self._tell_room,
        )
        self._room = Room()
        self._receivers: dict[Topic, Receiver] = {}
        self._provisioned: set[Topic] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: asyncio.Task[None] | None = None

    @property
    def counts(self) -> Counts:
        """What went through so far."""
        return self._loop.counts

    def problems(self) -> Iterator[str]:
        """Which of its topics it cannot receive from now."""
        if self._stopped is None:
            for topic, receiver in list(self._receivers.items()):
                if not receiver.is_connected:
                    yield f"the consumer of {self._inlet.names.of(topic)} is not connected"

    @property
    def watched(self) -> list[Watched]:
        """Its consumers."""
        return [self._renewable(receiver) for receiver in self._receivers.values()]

    def _renewable(self, receiver: Receiver) -> WatchedReceiver:
        return WatchedReceiver(receiver, self._inlet.outlet.threads)

    async def start(self) -> None:
        """Subscribe to every topic, or to none.

        Raises:
            TransportUnavailable: The broker cannot be reached now.
            TransportError: It refuses.
        """
        topics = self._subscription.topics
        try:
            partitions = await _all(self._receive(topic) for topic in topics)
        except BaseException:
            await self.stop(0)
            raise
        self._warn_of_partitions(dict(zip(topics, partitions, strict=True)))
        self._tell_room()
        if consumer_type(self._inlet.configuration, self._subscription) == "Failover":
            self._begin(self._warn_of_idle_processes(topics[0], partitions[0]))
            self._begin(self._fetch_what_is_held_back())

    async def stop(self, grace_seconds: float) -> None:
        """Stop receiving, wait for what is in the handler, give back the rest."""
        self._room.close()
        if self._stopped is None:
            self._stopped = asyncio.ensure_future(self._stop(grace_seconds))
        else:
            await self._loop.stop(grace_seconds)
        await asyncio.shield(self._stopped)

    async def _stop(self, grace_seconds: float) -> None:
        await self._loop.stop(grace_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        threads = self._inlet.outlet.threads
        await asyncio.gather(
            *(threads.call("closing", receiver.close) for receiver in self._receivers.values())
        )
        if not self._subscription.durable:
            # Without the others: what could not even be made is not there to be removed.
            await asyncio.gather(*map(self._remove, self._provisioned))

    async def _remove(self, topic: Topic) -> None:
        try:
            await self._inlet.provisioning.remove(topic)
        except InfrastructureError as error:
            _LOGGER.warning("topic %s stays until it is removed by hand: %s", topic, error)

    # --- receiving -------------------------------------------------------------------------

    async def _receive(self, topic: Topic) -> int:
        """Begin to receive from a topic; answers how many partitions it has."""
        try:
            consumer, partitions = await self._subscribe(topic)
        except TopicGone:
            self._inlet.provisioning.forget(topic)
            consumer, partitions = await self._subscribe_again(topic)
        bridge = self._inlet.outlet.bridge
        receiver = Receiver(
            topic=topic,
            consumer=consumer,
            batch=receive_batch(self._subscription),
            room=self._room,
            deliver=lambda deliveries: bridge.post(partial(self._feed, deliveries)),
            lost=lambda reason: bridge.post(partial(self._revive, topic, reason)),
        )
        self._receivers[topic] = receiver
        receiver.start()
        return partitions

    async def _subscribe_again(self, topic: Topic) -> tuple[NativeConsumer, int]:
        try:
            return await self._subscribe(topic)
        except TopicGone as error:
            msg = f"{error}; {self._inlet.provisioning.remedy(topic)}"
            raise TopicGone(msg) from error

    async def _subscribe(self, topic: Topic) -> tuple[NativeConsumer, int]:
        inlet, subscription = self._inlet, self._subscription
        await inlet.provisioning.topic(topic)
        self._provisioned.add(topic)
        outlet, full = inlet.outlet, inlet.names.of(topic)
        partitions = await outlet.threads.call(
            f"looking up {full}", lambda: outlet.client.get_topic_partitions(full)
        )
        settings = consumer_settings(
            inlet.configuration, subscription, inlet.consumer, len(partitions)
        )
        name = subscription_name(subscription, topic)
        consumer = await outlet.threads.call(
            f"subscribing to {full} as {name}",
            lambda: outlet.client.subscribe(full, name, consumer_options(settings)),
        )
        return consumer, len(partitions)

    def _feed(self, deliveries: list[PulsarDelivery]) -> None:
        self._room.arrive(len(deliveries))
        self._loop.feed(deliveries)
        self._tell_room()

    def _tell_room(self) -> None:
        self._room.tell(self._loop.room)

    def _revive(self, topic: Topic, reason: str) -> None:
        if self._stopped is None:
            _LOGGER.warning("the consumer of %s ended (%s) and is made again", topic, reason)
            self._begin(self._receive_again(topic))

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receive_again(self, topic: Topic) -> None:
        failures = 0
        while True:
            failures += 1
            await asyncio.sleep(_REVIVAL.seconds(failures))
            self._inlet.provisioning.forget(topic)
            try:
                await self._receive(topic)
            except InfrastructureError as error:
                _LOGGER.warning("the consumer of %s cannot be made now: %s", topic, error)
            else:
                return

    async def _fetch_what_is_held_back(self) -> None:
        while True:
            for topic in await until_held_back(lambda: self.counts, self._topics_that_wait):
                _LOGGER.warning("the broker holds back messages of %s since a process left", topic)
                await self._renewable(self._receivers[topic]).renew()

    async def _topics_that_wait(self) -> frozenset[Topic]:
        inlet = self._inlet
        found: set[Topic] = set()
        for topic in self._receivers:
            name = subscription_name(self._subscription, topic)
            try:
                if await inlet.provisioning.waits_for(topic, name, inlet.consumer):
                    found.add(topic)
            except InfrastructureError as error:
                _LOGGER.debug("nobody knows what waits in %s: %s", topic, error)
        return frozenset(found)

    # --- the rest --------------------------------------------------------------------------

    async def _bury(self, delivery: PulsarDelivery, reason: str) -> None:
        await self._inlet.producers.bury(delivery.message, reason)

    def _warn_of_partitions(self, partitions: dict[Topic, int]) -> None:
        if not self._subscription.ordered:
            return
        configured = self._inlet.configuration.partitions
        numbers = ", ".join(f"{topic}: {number}" for topic, number in partitions.items())
        if set(partitions.values()) != {configured}:
            text = "partitions are %s, not %d as configured: topics keep what they were made with"
            _LOGGER.warning(text, numbers, configured)
        if len(set(partitions.values())) > 1:
            _LOGGER.warning(
                "topics that are read together have different numbers of partitions (%s): a key "
                "may be in two processes at once; give them the same number",
                numbers,
            )

    async def _warn_of_idle_processes(self, topic: Topic, partitions: int) -> None:
        name = subscription_name(self._subscription, topic)
        try:
            readers = await self._inlet.provisioning.readers(topic, name)
        except InfrastructureError as error:
            _LOGGER.debug("nobody knows how many processes read %s: %s", topic, error)
            return
        if readers > partitions:
            text = "%d processes read %s, which has %d partitions: %d of them wait in reserve"
            _LOGGER.warning(text, readers, topic, partitions, readers - partitions)


async def _all(receiving: Iterable[Awaitable[int]]) -> list[int]:
    """Wait for all, also when one fails: what the others made must be known to be undone."""
    results = await asyncio.gather(*receiving, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, int)]


def _acknowledge(deliveries: Sequence[PulsarDelivery]) -> None:
    for delivery in deliveries:
        delivery.token.acknowledge()


def _with_configured_deliveries(
    subscription: Subscription, configuration: PulsarConfiguration
) -> Subscription:
    if subscription.max_delivery_count != _DEFAULT_DELIVERIES:
        return subscription
    return attrs.evolve(subscription, max_delivery_count=configuration.consumer.max_redeliver_count)
