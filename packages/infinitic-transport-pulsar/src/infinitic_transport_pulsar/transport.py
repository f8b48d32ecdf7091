"""The transport over Apache Pulsar."""

import asyncio
import socket
import time
import uuid
from collections.abc import Sequence

import httpx

from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.exceptions import PayloadTooLarge, TransportError
from infinitic_common.transport import (
    DELAYED_KINDS,
    Backlog,
    Consumption,
    Handler,
    OutgoingMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_transport_pulsar._admin import Admin
from infinitic_transport_pulsar._at_exit import AT_EXIT
from infinitic_transport_pulsar._bridge import LoopBridge
from infinitic_transport_pulsar._consuming import Inlet, PulsarConsumption
from infinitic_transport_pulsar._credentials import admin_credentials, admin_tls
from infinitic_transport_pulsar._names import TopicNames, parse
from infinitic_transport_pulsar._native import client_options, new_client
from infinitic_transport_pulsar._producers import Producers
from infinitic_transport_pulsar._provisioning import Provisioning
from infinitic_transport_pulsar._sending import Outlet
from infinitic_transport_pulsar._settings import client_settings, warn_of_what_has_no_effect
from infinitic_transport_pulsar._threads import Threads
from infinitic_transport_pulsar._watching import Watched, watch
from infinitic_transport_pulsar._window import Window

_LARGEST_TO_BROKER = 5 * 1024 * 1024
_LARGEST_IN_CHUNKS = 64 * 1024 * 1024
_DAY = 86_400
_FOR_PROPERTIES = 128 * 1024
_BYTES_PER_CHARACTER = 4
_UNDERWAY_MESSAGES = 20_000
_UNDERWAY_BYTES = 64 * 1024 * 1024


class PulsarTransport:
    """Moves messages over an Apache Pulsar cluster; see the port ``Transport``.

    Nothing is connected before it is first used; from then on it belongs to the event loop that
    used it.

    Args:
        configuration: The cluster and the place in it.
        name: The name of this process, unique in the namespace; made up when there is none.
    """

    def __init__(self, configuration: PulsarConfiguration, name: str | None = None) -> None:
        self._configuration = configuration
        self._name = name or f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        self._names = TopicNames(configuration.tenant, configuration.namespace)
        self._inlet: Inlet | None = None
        self._watching: asyncio.Task[None] | None = None
        self._consumptions: set[PulsarConsumption] = set()
        self._closed: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """See ``Transport``."""
        return self._name

    @property
    def max_message_bytes(self) -> int:
        """See ``Transport``: what a broker takes by default, less what properties may need.

        In chunks much more, which has to fit into memory, several times.
        """
        in_chunks = self._configuration.producer.enable_chunking
        return (_LARGEST_IN_CHUNKS if in_chunks else _LARGEST_TO_BROKER) - _FOR_PROPERTIES

    def now(self) -> int:
        """See ``Transport``: the clock of this machine, which the broker compares with its own."""
        return time.time_ns() // 1_000_000

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """See ``Transport``."""
        inlet = self._connected()
        for message in messages:
            self._check_size(topic, message)
        if not messages:
            return
        if topic.kind in DELAYED_KINDS and self._outlive_topic(messages):
            await inlet.provisioning.keep_for_ever(topic)
        if topic.kind is TopicKind.CLIENT_RESPONSE:
            await inlet.producers.answer(topic, messages)
        else:
            await inlet.producers.publish(topic, messages)

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        """See ``Transport``."""
        inlet = self._connected()
        consumption = PulsarConsumption(inlet, subscription, handler)
        self._consumptions.add(consumption)
        try:
            await consumption.start()
        except BaseException:
            self._consumptions.discard(consumption)
            raise
        return consumption

    @property
    def event_source(self) -> str:
        """See ``ListenableTransport``: the broker, tenant and namespace."""
        where = self._configuration
        return f"{where.broker_service_url.rstrip('/')}/{where.tenant}/{where.namespace}"

    async def entities(self, kind: TopicKind) -> frozenset[str]:
        """The services, workflows or clients that have a topic of that kind.

        Raises:
            TransportUnavailable: The administration cannot be reached now.
        """
        names = await self._connected().provisioning.topics()
        topics = (parse(name) for name in names)
        return frozenset(topic.entity for topic in topics if topic and topic.kind is kind)

    def full_name(self, topic: Topic) -> str:
        """See ``ObservableTransport``."""
        return self._names.of(topic)

    async def backlogs(self) -> Sequence[Backlog]:
        """See ``ObservableTransport``."""
        return await self._connected().provisioning.backlogs()

    async def problems(self) -> Sequence[str]:
        """See ``ObservableTransport``."""
        if self._closed is not None:
            return [f"the Pulsar transport {self._name} is closed"]
        return [problem for one in self._consumptions for problem in one.problems()]

    async def close(self) -> None:
        """See ``Transport``."""
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closed)

    async def _close(self) -> None:
        inlet = self._inlet
        if inlet is None:
            return
        if self._watching is not None:
            self._watching.cancel()
        await asyncio.gather(*(consumption.stop(0) for consumption in self._consumptions))
        await inlet.producers.close()
        outlet = inlet.outlet
        await outlet.threads.call("closing the connections", outlet.close)
        outlet.threads.close()
        await inlet.provisioning.close()

    def _outlive_topic(self, messages: Sequence[OutgoingMessage]) -> bool:
        """Whether any of them is due when the topic would have lost it, less a day to be handled."""
        seconds = self._configuration.policies.timer_ttl_seconds
        latest = self.now() + 1000 * max(0, seconds - _DAY)
        return bool(seconds) and any((m.deliver_at or 0) > latest for m in messages)

    def _watched(self) -> list[Watched]:
        producers = self._inlet.producers.watched if self._inlet is not None else []
        return [*producers, *(each for c in self._consumptions for each in c.watched)]

    def _connected(self) -> Inlet:
        if self._closed is not None:
            msg = f"the Pulsar transport {self._name} is closed; open another one"
            raise TransportError(msg)
        if self._inlet is None:
            warn_of_what_has_no_effect(self._configuration)
            self._inlet = self._connect()
            url = self._configuration.broker_service_url
            self._watching = asyncio.ensure_future(watch(self._watched, url))
        return self._inlet

    def _connect(self) -> Inlet:
        configuration = self._configuration
        client = new_client(
            configuration.broker_service_url, client_options(client_settings(configuration))
        )
        bridge = LoopBridge(asyncio.get_running_loop())
        window = Window(_UNDERWAY_MESSAGES, _UNDERWAY_BYTES)
        outlet = Outlet(client, Threads(), bridge, window, AT_EXIT.add(client.close))
        provisioning = Provisioning(configuration, _admin(configuration), self._names)
        return Inlet(
            configuration=configuration,
            outlet=outlet,
            provisioning=provisioning,
            producers=Producers(configuration, outlet, provisioning, self._names),
            names=self._names,
            # Unique even when two processes were given one name.
            consumer=f"{self._name}-{uuid.uuid4().hex[:8]}",
        )

    @property
    def _remedy(self) -> str:
        if self._configuration.producer.enable_chunking:
            return ""
        return "; `producer: {enableChunking: true}` takes larger ones"

    def _check_size(self, topic: Topic, message: OutgoingMessage) -> None:
        size, largest, remedy = len(message.body), self.max_message_bytes, self._remedy
        if topic.kind in DELAYED_KINDS:
            largest = min(largest, _LARGEST_TO_BROKER - _FOR_PROPERTIES)
            remedy = "; what may be delayed never travels in chunks: send where the data is instead"
        if size > largest:
            msg = (
                f"message {message.id} for {topic} has {size} bytes, more than the "
                f"{largest} that Pulsar takes{remedy}"
            )
            raise PayloadTooLarge(msg)
        beside = sum(len(key) + len(value) for key, value in message.properties.items())
        if beside > _FOR_PROPERTIES // _BYTES_PER_CHARACTER:
            msg = (
                f"message {message.id} for {topic} has {beside} characters of properties, more "
                f"than the {_FOR_PROPERTIES // _BYTES_PER_CHARACTER} that are kept free for them"
            )
            raise PayloadTooLarge(msg)


def _admin(configuration: PulsarConfiguration) -> Admin:
    settings = configuration.client
    timeout = httpx.Timeout(
        settings.request_timeout_seconds or 60.0,
        read=settings.read_timeout_seconds or 60.0,
    )
    http = httpx.AsyncClient(verify=admin_tls(configuration), timeout=timeout)
    credentials = admin_credentials(configuration.authentication, http)
    return Admin(configuration.web_service_url, http, credentials)
