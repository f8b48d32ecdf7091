"""The shell that both tag engines share: a subscription in order by tag, handled in batches."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

import attrs

from infinitic_common.arguments import demand_counts, demand_kinds
from infinitic_common.component import ComponentHost
from infinitic_common.configuration import StorageConfiguration
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.storage import KeySetStorage, KeyValueStorage
from infinitic_common.transport import (
    Consumption,
    Counts,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
    Transport,
)

_LOGGER = logging.getLogger(__name__)

DEFAULT_BATCH = 1000
"""The most messages in one batch, when nothing else is said."""

Asked = TypeVar("Asked")
"""What the messages of an engine say, decoded."""


@attrs.frozen
class Surroundings:
    """What a turn works with."""

    transport: Transport
    sets: KeySetStorage
    records: KeyValueStorage


class TagEngine(ABC, Generic[Asked]):
    """Keeps the tags of one workflow, or of one service; a ``Component``.

    A subclass says which topic it reads, what a message asks, and does what a batch asks. A message
    that cannot be read is given back alone, and no other waits for it. Whatever else goes wrong is
    raised by the turn: the transport pauses while a store is away, and tries again.
    """

    label: ClassVar[str]
    """Its kind in logs and in a worker's counts."""

    kind: ClassVar[TopicKind]
    """The topics it reads."""

    def __init__(
        self,
        name: str,
        *,
        concurrency: int,
        max_batch_messages: int,
        storage: StorageConfiguration | None,
    ) -> None:
        """Take what to keep; nothing starts yet.

        Args:
            name: The workflow or the service.
            concurrency: Batches handled at once, of different tags.
            max_batch_messages: The most messages in one batch; nothing waits for them.
            storage: A storage of its own; None for the worker's.

        Raises:
            InvalidSetting: A number is none, or less than 1; the storage is no configuration.
        """
        demand_counts(
            concurrency=concurrency,
            max_batch_messages=max_batch_messages,
            otherwise="leave the tag engine out",
        )
        demand_kinds(StorageConfiguration, storage=storage)
        self._name = name
        self._concurrency = concurrency
        self._max_batch_messages = max_batch_messages
        self._storage = storage
        self._consumption: Consumption | None = None

    @property
    def counts(self) -> Counts:
        """See ``Component``."""
        return Counts() if self._consumption is None else self._consumption.counts

    def __str__(self) -> str:
        return f"{self.label} {self._name} ({', '.join(self._settings())})"

    async def start(self, host: ComponentHost) -> None:
        """See ``Component``."""
        storage = host.storage(self._storage)
        surroundings = Surroundings(host.transport, storage.key_sets, storage.key_values)

        async def handle(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
            asked, unreadable = self._read_all(batch)
            if asked:
                await self.turn(asked, surroundings)
            return unreadable

        self._consumption = await host.transport.consume(self._subscription(), handle)

    async def stop(self, grace_seconds: float) -> None:
        """See ``Component``."""
        if self._consumption is not None:
            await self._consumption.stop(grace_seconds)

    @abstractmethod
    def read(self, received: ReceivedMessage) -> Asked:
        """What a message asks.

        Raises:
            UndecodableMessage: It is no message to this engine.
        """

    @abstractmethod
    async def turn(self, asked: Sequence[Asked], surroundings: Surroundings) -> None:
        """Do what a batch asks, and publish; the batch is acknowledged when this returns."""

    def _settings(self) -> list[str]:
        return [f"concurrency {self._concurrency}", f"batches of {self._max_batch_messages}"]

    def _subscription(self) -> Subscription:
        return Subscription(
            topics=(Topic(self.kind, self._name),),
            name=self.kind.value,
            ordered=True,
            max_batch_messages=self._max_batch_messages,
            max_in_flight_messages=self._max_batch_messages * self._concurrency,
            max_in_flight_batches=self._concurrency,
        )

    def _read_all(
        self, batch: Sequence[ReceivedMessage]
    ) -> tuple[list[Asked], list[ReceivedMessage]]:
        asked, unreadable = list[Asked](), list[ReceivedMessage]()
        for received in batch:
            try:
                asked.append(self.read(received))
            except UndecodableMessage as error:
                about = {"key": received.key, "component": self.label}
                _LOGGER.warning("message %s cannot be read: %s", received.id, error, extra=about)
                unreadable.append(received)
        return asked, unreadable
