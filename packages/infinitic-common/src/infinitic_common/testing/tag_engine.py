"""Doubles of what surrounds a tag engine: a worker with a transport and a storage in memory."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NoReturn

import attrs

from infinitic_common.codec import decode
from infinitic_common.configuration import StorageConfiguration
from infinitic_common.messages import Message, to_outgoing, topic_of
from infinitic_common.storage import ABSENT, Page, VersionedValue, Write
from infinitic_common.transport import (
    Counts,
    Handler,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
)


@attrs.define(eq=False)
class Journal:
    """What is done to storage and transport, in order, and what goes wrong.

    Attributes:
        lines: One per call, as ``read foo`` or ``publish workflow-state-cmd:Name``.
        failures: By the first word of a line, what its next call raises.
        before: By the first word of a line, what somebody else does just before its next call.
    """

    lines: list[str] = attrs.field(factory=list[str])
    failures: dict[str, Exception] = attrs.field(factory=dict[str, Exception])
    before: dict[str, Callable[[], None]] = attrs.field(factory=dict[str, Callable[[], None]])

    def note(self, what: str, about: str = "") -> None:
        """Note a call, or raise what is to go wrong with it."""
        self.lines.append(f"{what} {about}".rstrip())
        failure = self.failures.pop(what, None)
        if failure is not None:
            raise failure
        self.before.pop(what, lambda: None)()


@attrs.define(eq=False)
class RecordingSets:
    """A ``KeySetStorage``; notes ``read``, ``page`` and ``update``."""

    journal: Journal
    sets: dict[str, set[str]] = attrs.field(factory=dict[str, set[str]])

    async def get(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        """See ``KeySetStorage``."""
        self.journal.note("read", " ".join(sorted(keys)))
        return {key: frozenset(self.sets.get(key, ())) for key in keys}

    async def get_page(self, key: str, limit: int, cursor: str | None = None) -> Page:
        """See ``KeySetStorage``; the cursor is the last value given."""
        self.journal.note("page", f"{key} {limit} {cursor or 'first'}")
        values = sorted(self.sets.get(key, ()))
        begin = 0 if cursor is None else bisect_right(values, cursor)
        given = tuple(values[begin : begin + limit])
        return Page(given, given[-1] if begin + limit < len(values) else None)

    async def update(
        self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
    ) -> None:
        """See ``KeySetStorage``."""
        self.journal.note("update")
        for key, values in remove.items():
            self.sets.setdefault(key, set()).difference_update(values)
        for key, values in add.items():
            self.sets.setdefault(key, set()).update(values)

    async def close(self) -> None:
        """Do nothing."""


@attrs.define(eq=False)
class RecordingRecords:
    """A ``KeyValueStorage`` without expiry; notes ``get`` and ``put``.

    Attributes:
        writes: By key, the last write that was made.
    """

    journal: Journal
    values: dict[str, VersionedValue] = attrs.field(factory=dict[str, VersionedValue])
    writes: dict[str, Write] = attrs.field(factory=dict[str, Write])

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        self.journal.note("get", " ".join(sorted(keys)))
        return {key: self.values.get(key, ABSENT) for key in keys}

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        self.journal.note("put", " ".join(sorted(writes)))
        return {key: self.write(key, write) for key, write in writes.items()}

    def write(self, key: str, write: Write) -> bool:
        """One conditional write; also for what somebody else does."""
        if self.values.get(key, ABSENT).version != write.expected_version:
            return False
        self.writes[key] = write
        if write.value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = VersionedValue(write.value, write.expected_version + 1)
        return True

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        for key in keys:
            self.values.pop(key, None)

    async def close(self) -> None:
        """Do nothing."""


@attrs.define(eq=False)
class RecordingStorage:
    """A ``Storage`` of both."""

    key_sets: RecordingSets
    key_values: RecordingRecords

    async def close(self) -> None:
        """Do nothing."""


@attrs.define(eq=False)
class RecordingConsumption:
    """A subscription whose messages are delivered by the test."""

    counts: Counts = attrs.field(factory=lambda: Counts(3, 1))
    stopped_within: list[float] = attrs.field(factory=list[float])

    async def stop(self, grace_seconds: float) -> None:
        """Note it."""
        self.stopped_within.append(grace_seconds)


@attrs.define(eq=False)
class RecordingTransport:
    """A ``Transport`` that keeps what is published; notes ``publish``."""

    journal: Journal
    name: str = "process"
    max_message_bytes: int = 10_000
    time: int = 1_000
    published: list[tuple[Topic, list[OutgoingMessage]]] = attrs.field(
        factory=list[tuple[Topic, list[OutgoingMessage]]]
    )
    subscription: Subscription | None = None
    handler: Handler | None = None
    consumption: RecordingConsumption = attrs.field(factory=RecordingConsumption)

    def now(self) -> int:
        """The time that the test says."""
        return self.time

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """See ``Transport``."""
        self.journal.note("publish", str(topic))
        self.published.append((topic, list(messages)))

    async def consume(self, subscription: Subscription, handler: Handler) -> RecordingConsumption:
        """See ``Transport``; ``TagEngineHost.deliver`` delivers."""
        self.subscription, self.handler = subscription, handler
        return self.consumption

    async def close(self) -> None:
        """Do nothing."""


@attrs.define(eq=False)
class TagEngineHost:
    """The ``ComponentHost`` of one tag engine.

    Attributes:
        journal: What is done to storage and transport.
        asked_for: The storages that were asked for.
    """

    worker_name: str = "worker"
    client: object = None
    async_client: object = None
    journal: Journal = attrs.field(factory=Journal)
    asked_for: list[StorageConfiguration | None] = attrs.field(
        factory=list[StorageConfiguration | None]
    )
    transport: RecordingTransport = attrs.field(init=False)
    sets: RecordingSets = attrs.field(init=False)
    records: RecordingRecords = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.transport = RecordingTransport(self.journal)
        self.sets = RecordingSets(self.journal)
        self.records = RecordingRecords(self.journal)

    def storage(self, configuration: StorageConfiguration | None = None) -> RecordingStorage:
        """See ``ComponentHost``."""
        self.asked_for.append(configuration)
        return RecordingStorage(self.sets, self.records)

    def workflow_task_handler(self, workflow_name: str) -> NoReturn:
        """See ``ComponentHost``; a tag engine asks for none."""
        raise NotImplementedError

    async def deliver(self, *messages: Message | ReceivedMessage) -> Sequence[object]:
        """Hand over a batch; gives what the handler gives back."""
        if self.transport.handler is None:
            msg = "start the engine on this host first"
            raise RuntimeError(msg)
        return await self.transport.handler([received(message) for message in messages])

    @property
    def lines(self) -> list[str]:
        """The journal."""
        return self.journal.lines

    @property
    def messages(self) -> list[object]:
        """All that was published, in order."""
        return [decode(message.body) for _, burst in self.transport.published for message in burst]

    @property
    def topics(self) -> list[str]:
        """Where it was published, burst by burst."""
        return [str(topic) for topic, _ in self.transport.published]

    def clear(self) -> None:
        """Forget what was published and noted; what is stored stays."""
        self.journal.lines.clear()
        self.transport.published.clear()


def received(message: Message | ReceivedMessage) -> ReceivedMessage:
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
