"""A handler that remembers what it was given."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from infinitic_common.transport import ReceivedMessage

React = Callable[[Sequence[ReceivedMessage]], Awaitable[Sequence[ReceivedMessage]]]
"""What the handler does after remembering a batch; it may wait, answer or raise."""


class Recorder:
    """Remembers batches, what was handled, and what was in the handler at the same time.

    Attributes:
        batches: Every batch, in order of arrival.
        handled: Messages of a batch that was neither given back nor raised, in order.
        keys: Keys in the handler now, with the number of batches that hold each.
        in_handler: Messages in the handler now.
        most_messages: The most there were at once.
        most_batches: The most batches at once.
        shared_keys: Keys that were in two batches at once.
    """

    def __init__(self, timeout: float, react: React | None = None) -> None:
        self.batches: list[Sequence[ReceivedMessage]] = []
        self.handled: list[ReceivedMessage] = []
        self.keys: Counter[str | None] = Counter()
        self.in_handler = 0
        self.most_messages = 0
        self.most_batches = 0
        self.shared_keys: set[str | None] = set()
        self._batches_now = 0
        self._timeout = timeout
        self._react = react
        self._changed = asyncio.Event()

    async def __call__(self, messages: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """Remember, react, remember the outcome."""
        self._enter(messages)
        try:
            again = await self._react(messages) if self._react else ()
        finally:
            self._leave(messages)
        self.handled += [message for message in messages if message not in again]
        self._changed.set()
        return again

    def _enter(self, messages: Sequence[ReceivedMessage]) -> None:
        self.batches.append(messages)
        keys = {message.key for message in messages}
        self.shared_keys |= {key for key in keys if self.keys[key]}
        self.keys.update(keys)
        self.in_handler += len(messages)
        self._batches_now += 1
        self.most_messages = max(self.most_messages, self.in_handler)
        self.most_batches = max(self.most_batches, self._batches_now)
        self._changed.set()

    def _leave(self, messages: Sequence[ReceivedMessage]) -> None:
        self.keys.subtract({message.key for message in messages})
        self.in_handler -= len(messages)
        self._batches_now -= 1
        self._changed.set()

    @property
    def deliveries(self) -> list[ReceivedMessage]:
        """Every delivery, in order, each message as often as it came."""
        return [message for batch in self.batches for message in batch]

    @property
    def delivered_ids(self) -> list[str]:
        """The ids of the deliveries."""
        return [message.id for message in self.deliveries]

    @property
    def handled_ids(self) -> list[str]:
        """The ids of what was handled, in order."""
        return [message.id for message in self.handled]

    def handled_ids_of(self, key: str) -> list[str]:
        """The same, of one key."""
        return [message.id for message in self.handled if message.key == key]

    def counts_of(self, message_id: str) -> list[int]:
        """The delivery counts with which a message came."""
        return [message.delivery_count for message in self.deliveries if message.id == message_id]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds; it is looked at when something happens here."""
        async with asyncio.timeout(self._timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_handled(self, count: int) -> None:
        """Wait until that many different messages were handled."""
        await self.until(lambda: len(set(self.handled_ids)) >= count)
