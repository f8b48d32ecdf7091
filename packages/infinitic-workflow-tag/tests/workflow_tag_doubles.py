"""Doubles of what surrounds a tag engine: a worker with a transport and sets in memory."""

# ruff: noqa: D102, INP001, S101 - these are read beside the tests

from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

import attrs

from infinitic_common.codec import decode
from infinitic_common.configuration import StorageConfiguration
from infinitic_common.messages import WorkflowTagMessage, to_outgoing, topic_of
from infinitic_common.storage import KeyValueStorage, Page
from infinitic_common.transport import (
    Counts,
    Handler,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
)


@attrs.define(eq=False)
class RecordingSets:
    """Sets in memory that count how they are used, together with the transport.

    Attributes:
        failure: What the next call raises.
    """

    sets: dict[str, set[str]]
    journal: list[str]
    failure: Exception | None = None

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        self.journal.append(f"read {' '.join(sorted(keys))}")
        self._fail()
        return {key: frozenset(self.sets.get(key, ())) for key in keys}

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        raise NotImplementedError

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        self.journal.append("update")
        self._fail()
        for key, values in remove.items():
            self.sets.setdefault(key, set()).difference_update(values)
        for key, values in add.items():
            self.sets.setdefault(key, set()).update(values)

    async def close(self) -> None:
        raise NotImplementedError

    def _fail(self) -> None:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure


@attrs.define(eq=False)
class RecordingStorage:
    """A storage of sets alone."""

    key_sets: RecordingSets

    @property
    def key_values(self) -> KeyValueStorage:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


@attrs.define(eq=False)
class RecordingConsumption:
    """A subscription whose messages are delivered by the test."""

    counts: Counts = attrs.field(factory=lambda: Counts(3, 1))
    stopped_within: list[float] = attrs.field(factory=list[float])

    async def stop(self, grace_seconds: float) -> None:
        self.stopped_within.append(grace_seconds)


@attrs.define(eq=False)
class RecordingTransport:
    """Keeps what is published."""

    journal: list[str]
    name: str = "process"
    max_message_bytes: int = 10_000
    published: list[tuple[Topic, list[OutgoingMessage]]] = attrs.field(
        factory=list[tuple[Topic, list[OutgoingMessage]]]
    )
    subscription: Subscription | None = None
    handler: Handler | None = None
    consumption: RecordingConsumption = attrs.field(factory=RecordingConsumption)

    def now(self) -> int:
        return 0

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        self.journal.append("publish")
        self.published.append((topic, list(messages)))

    async def consume(self, subscription: Subscription, handler: Handler) -> RecordingConsumption:
        self.subscription, self.handler = subscription, handler
        return self.consumption

    async def close(self) -> None:
        raise NotImplementedError


@attrs.define(eq=False)
class Host:
    """A worker of one tag engine.

    Attributes:
        journal: What is done to storage and transport, in order.
        asked_for: The storages that were asked for.
    """

    worker_name: str = "worker"
    client: object = None
    journal: list[str] = attrs.field(factory=list[str])
    asked_for: list[StorageConfiguration | None] = attrs.field(
        factory=list[StorageConfiguration | None]
    )
    transport: RecordingTransport = attrs.field(init=False)
    sets: RecordingSets = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.transport = RecordingTransport(self.journal)
        self.sets = RecordingSets({}, self.journal)

    def storage(self, configuration: StorageConfiguration | None = None) -> RecordingStorage:
        self.asked_for.append(configuration)
        return RecordingStorage(self.sets)

    def workflow_task_handler(self, workflow_name: str) -> NoReturn:
        raise NotImplementedError

    async def deliver(self, *messages: WorkflowTagMessage | ReceivedMessage) -> Sequence[object]:
        """Hand over a batch; gives what the handler gives back."""
        assert self.transport.handler is not None
        return await self.transport.handler([received(message) for message in messages])

    @property
    def answers(self) -> list[object]:
        """All that was published."""
        return [decode(message.body) for _, burst in self.transport.published for message in burst]


def received(message: WorkflowTagMessage | ReceivedMessage) -> ReceivedMessage:
    """A message as delivered."""
    if isinstance(message, ReceivedMessage):
        return message
    outgoing = to_outgoing(message)
    return ReceivedMessage(
        id=outgoing.id,
        topic=topic_of(message),
        body=outgoing.body,
        key=outgoing.key,
        properties=outgoing.properties,
        delivery_count=1,
        published_at=0,
    )
