"""Transport and storage as they are, with what goes through them counted."""

from collections.abc import Collection, Mapping, Sequence

import attrs

from infinitic_common.events import EVENT_KINDS
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Storage, VersionedValue, Write
from infinitic_common.transport import Consumption, Handler, OutgoingMessage, Subscription, Topic
from infinitic_common.transport import Transport as TransportPort


@attrs.define
class Counters:
    """What went through, and how large it was; events apart."""

    messages: int = 0
    event_messages: int = 0
    message_bytes: int = 0
    rows: int = 0
    statements: int = 0


class CountingTransport:
    """A transport whose published messages are counted."""

    def __init__(self, transport: TransportPort, counters: Counters) -> None:
        self._transport = transport
        self._counters = counters

    @property
    def name(self) -> str:
        """See ``Transport``."""
        return self._transport.name

    @property
    def max_message_bytes(self) -> int:
        """See ``Transport``."""
        return self._transport.max_message_bytes

    def now(self) -> int:
        """See ``Transport``."""
        return self._transport.now()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        """See ``Transport``."""
        if topic.kind in EVENT_KINDS:
            self._counters.event_messages += len(messages)
        else:
            self._counters.messages += len(messages)
            self._counters.message_bytes += sum(len(message.body) for message in messages)
        await self._transport.publish(topic, messages)

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        """See ``Transport``."""
        return await self._transport.consume(subscription, handler)

    async def close(self) -> None:
        """See ``Transport``."""
        await self._transport.close()


class CountingStorage:
    """A storage whose written rows are counted.

    The second write of an ended workflow, which lets it expire soon, is not counted: it is one for
    each workflow, off the path of messages.
    """

    def __init__(self, storage: Storage, counters: Counters) -> None:
        self._storage = storage
        self._key_values: KeyValueStorage = storage.key_values
        self._counters = counters
        self._ended: set[str] = set()

    @property
    def key_values(self) -> KeyValueStorage:
        """See ``Storage``."""
        return self

    @property
    def key_sets(self) -> KeySetStorage:
        """See ``Storage``."""
        return self._storage.key_sets

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        return await self._key_values.get(keys)

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        ended = {key for key, write in writes.items() if write.expires_at is not None}
        self._counters.rows += len(writes) - len(ended & self._ended)
        self._ended |= ended
        self._counters.statements += 1
        return await self._key_values.put(writes)

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        await self._key_values.delete(keys)

    async def close(self) -> None:
        """See ``Storage``."""
        await self._storage.close()
