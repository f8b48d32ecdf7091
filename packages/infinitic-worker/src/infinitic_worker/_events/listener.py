"""The component that tells a listener of events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from typing import Self

from infinitic_common.arguments import demand_counts, demand_kinds
from infinitic_common.component import ComponentHost
from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    EventListenerConfiguration,
    Problem,
    instantiate,
    load_class,
)
from infinitic_common.contracts import contract_of
from infinitic_common.events import ListenableTransport, batch_of
from infinitic_common.exceptions import InfrastructureError, InvalidSetting, UndecodableMessage
from infinitic_common.transport import (
    Consumption,
    Counts,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
    Transport,
)
from infinitic_worker._events.contract import (
    CloudEventListener,
    Listener,
    SingleCloudEventListener,
    calling,
    complaint,
)
from infinitic_worker._events.discovery import (
    SERVICE_KINDS,
    WORKFLOW_KINDS,
    Discovery,
    Filter,
)
from infinitic_worker._events.envelopes import cloud_events
from infinitic_worker._events.feed import Feed

_LOGGER = logging.getLogger(__name__)

DEFAULT_SUBSCRIPTION = "listener-subscription"
_MAX_MESSAGES = 100
_MAX_IN_FLIGHT = 500
_MAX_DELIVERIES = 20
"""With growing pauses, some minutes, then the dead letters."""

Name = type | str
"""A contract, or the name of a service or workflow."""


class EventListener:
    """Tells a listener of what happens to services and workflows, as CloudEvents 1.0.

    A component of a worker. Every event is told at least once; those of a message that the listener
    raised for are told again. Two listeners with the same subscription name share the events; a new
    name gets everything that the broker still has.
    """

    label = "EventListener"

    def __init__(  # noqa: PLR0913 - what a listener can be told
        self,
        listener: Listener,
        *,
        concurrency: int = 1,
        subscription_name: str | None = None,
        batch: BatchConfiguration | None = None,
        allow_services: Iterable[Name] | None = None,
        disallow_services: Iterable[Name] = (),
        allow_workflows: Iterable[Name] | None = None,
        disallow_workflows: Iterable[Name] = (),
        service_list_refresh_seconds: float = 60.0,
        workflow_list_refresh_seconds: float = 60.0,
    ) -> None:
        """Take who is told; nothing starts yet.

        Args:
            listener: Has ``on_events(events)`` or ``on_event(event)``, plain or ``async``.
            concurrency: Calls of it at once.
            subscription_name: Name of its subscription; by default ``listener-subscription``.
            batch: The most events in a call of ``on_events``, and how long to wait for them; by
                default 1000, and 1 second. ``on_event`` is told at once.
            allow_services: The only services listened to; None for all.
            disallow_services: Services not listened to.
            allow_workflows: The only workflows listened to; None for all.
            disallow_workflows: Workflows not listened to.
            service_list_refresh_seconds: How often, at least, new services are looked for.
            workflow_list_refresh_seconds: The same for workflows.

        Raises:
            UsageError: The listener has neither method.
            InvalidSetting: ``concurrency`` is no number or less than 1, the name is blank, names
                are given as one text.
        """
        demand_counts(concurrency=concurrency, otherwise="leave the listener out")
        demand_kinds(BatchConfiguration, batch=batch)
        demand_kinds(str, subscription_name=subscription_name)
        if subscription_name is not None and not subscription_name.strip():
            msg = "subscription_name is blank: give it a name, or None for the usual one"
            raise InvalidSetting(msg)
        self._calling = calling(listener)
        self._listener = type(listener).__name__
        self._concurrency = concurrency
        self._subscription_name = subscription_name or DEFAULT_SUBSCRIPTION
        self._batch = batch or BatchConfiguration()
        self._services = _filter(allow_services, disallow_services)
        self._workflows = _filter(allow_workflows, disallow_workflows)
        self._service_seconds = service_list_refresh_seconds
        self._workflow_seconds = workflow_list_refresh_seconds
        self._transport: Transport | None = None
        self._feed: Feed | None = None
        self._prefix = ""
        self._consumptions: list[Consumption] = []
        self._looking: list[asyncio.Task[None]] = []

    @classmethod
    def from_configuration(cls, configuration: EventListenerConfiguration) -> Self:
        """The listener that a configuration describes.

        Raises:
            ConfigurationError: Its class cannot be loaded, or is no ``CloudEventListener``.
        """
        place = "eventListener.class"
        loaded = load_class(configuration.class_name, place=place)
        made = instantiate(loaded, place=place)
        if not isinstance(made, CloudEventListener | SingleCloudEventListener):
            raise ConfigurationError([Problem(place, complaint(loaded))])
        services, workflows = configuration.services, configuration.workflows
        return cls(
            made,
            concurrency=configuration.concurrency,
            subscription_name=configuration.subscription_name,
            batch=configuration.batch,
            allow_services=services.allow,
            disallow_services=services.disallow,
            allow_workflows=workflows.allow,
            disallow_workflows=workflows.disallow,
            service_list_refresh_seconds=services.list_refresh_seconds,
            workflow_list_refresh_seconds=workflows.list_refresh_seconds,
        )

    @property
    def counts(self) -> Counts:
        """See ``Component``; in messages, each of which has several events."""
        return sum((each.counts for each in self._consumptions), Counts())

    def __str__(self) -> str:
        return (
            f"{self.label} {self._listener} (concurrency {self._concurrency}, "
            f"subscription {self._subscription_name})"
        )

    async def start(self, host: ComponentHost) -> None:
        """See ``Component``."""
        self._transport = transport = host.transport
        listenable = transport if isinstance(transport, ListenableTransport) else None
        self._prefix = transport.name if listenable is None else listenable.event_source
        wait = 0.0 if self._calling.one_by_one else self._batch.max_seconds
        self._feed = Feed(self._calling.call, self._concurrency, self._batch.max_messages, wait)
        discoveries = [
            Discovery(
                listenable, SERVICE_KINDS, self._services, self._service_seconds, self._hear_service
            ),
            Discovery(
                listenable,
                WORKFLOW_KINDS,
                self._workflows,
                self._workflow_seconds,
                self._hear_workflow,
            ),
        ]
        for discovery in discoveries:
            try:
                await discovery.look()
            except InfrastructureError as error:
                _LOGGER.warning("nobody knows which topics there are now: %s", error)
        self._looking = [asyncio.create_task(discovery.run()) for discovery in discoveries]

    async def stop(self, grace_seconds: float) -> None:
        """See ``Component``."""
        for looking in self._looking:
            looking.cancel()
        for looking in self._looking:
            with contextlib.suppress(asyncio.CancelledError):
                await looking
        self._looking = []
        if self._feed is not None:
            self._feed.hurry()
        await asyncio.gather(*(each.stop(grace_seconds) for each in self._consumptions))
        if self._feed is not None:
            self._feed.close()

    async def _hear_service(self, name: str) -> None:
        await self._hear(name, (TopicKind.SERVICE_EXECUTOR_EVENT,))

    async def _hear_workflow(self, name: str) -> None:
        kinds = (TopicKind.WORKFLOW_STATE_EVENT, TopicKind.WORKFLOW_EXECUTOR_EVENT)
        await self._hear(name, kinds)

    async def _hear(self, name: str, kinds: Sequence[TopicKind]) -> None:
        if self._transport is None:
            return
        subscription = Subscription(
            topics=tuple(Topic(kind, name) for kind in kinds),
            name=self._subscription_name,
            max_batch_messages=_MAX_MESSAGES,
            max_in_flight_messages=_MAX_IN_FLIGHT,
            max_delivery_count=_MAX_DELIVERIES,
        )
        self._consumptions.append(await self._transport.consume(subscription, self._handle))
        _LOGGER.info("%s hears %s", self, ", ".join(map(str, subscription.topics)))

    async def _handle(self, messages: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """Tell the listener of a batch; gives back what it did not take, or nobody can read."""
        if self._feed is None:
            return messages
        told = await asyncio.gather(*(self._tell(each, self._feed) for each in messages))
        return [message for message, done in zip(messages, told, strict=True) if not done]

    async def _tell(self, message: ReceivedMessage, feed: Feed) -> bool:
        try:
            batch = batch_of(message)
            events = list(cloud_events(batch, message.topic, self._prefix))
            # What comes again may be what the listener cannot take: others must not suffer for it.
            await feed.take(events, alone=message.delivery_count > 1)
        except UndecodableMessage:
            _LOGGER.exception("events of %s cannot be read", message.topic)
            return False
        except Exception:
            _LOGGER.exception("%s raised: its events come again", self._listener)
            return False
        return True


def _filter(allow: Iterable[Name] | None, disallow: Iterable[Name]) -> Filter:
    allowed = None if allow is None else _names(allow)
    return Filter(allowed, _names(disallow))


def _names(given: Iterable[Name]) -> frozenset[str]:
    if isinstance(given, str | type):
        msg = f"{given!r} is one name where several are taken: give a list, as [{given!r}]"
        raise InvalidSetting(msg)
    return frozenset(map(_name_of, given))


def _name_of(name: Name) -> str:
    return name if isinstance(name, str) else contract_of(name).name
