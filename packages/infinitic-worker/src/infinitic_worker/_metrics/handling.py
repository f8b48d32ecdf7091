"""A handler of batches that is measured: what arrived, how long it took, what is to come again."""

import time
from collections import Counter as Counts
from collections.abc import Awaitable, Iterable, Mapping, Sequence

import attrs
from opentelemetry.metrics import Counter

from infinitic_common.codec import decode
from infinitic_common.telemetry import watched_decoder
from infinitic_common.transport import Deferral, Handler, ReceivedMessage, Topic
from infinitic_worker._metrics.instruments import Instruments

_Answer = Sequence[ReceivedMessage | Deferral]


class MeteredHandler:
    """Handles a batch as another handler does, and measures each of its messages.

    Args:
        handler: Does the work.
        instruments: Are told.
        labels: What measurements carry, by topic.
    """

    def __init__(
        self, handler: Handler, instruments: Instruments, labels: Mapping[Topic, Mapping[str, str]]
    ) -> None:
        self._handler = handler
        self._instruments = instruments
        self._labels = labels

    async def __call__(self, batch: Sequence[ReceivedMessage]) -> _Answer:
        """See ``Handler``."""
        instruments = self._instruments
        self._count(instruments.received, batch)
        passage = _Passage(instruments, self._labels)
        token = watched_decoder.set(passage.decode)
        try:
            answer = await self._handler(batch)
        except BaseException:
            self._count(instruments.returned, batch)
            raise
        finally:
            watched_decoder.reset(token)
        return self._measured(batch, answer, passage) if answer else passage.done(batch)

    def _measured(
        self, batch: Sequence[ReceivedMessage], answer: _Answer, passage: "_Passage"
    ) -> _Answer:
        late = [one for one in answer if isinstance(one, Deferral)]
        again = [one for one in answer if isinstance(one, ReceivedMessage)]
        self._count(self._instruments.returned, again)
        elsewhere = {id(message) for message in again}
        elsewhere |= {id(message) for one in late for message in one.messages}
        passage.done(message for message in batch if id(message) not in elsewhere)
        return [*again, *(self._late(one, passage) for one in late)]

    def _late(self, deferral: Deferral, passage: "_Passage") -> Deferral:
        async def answer(awaited: Awaitable[Sequence[ReceivedMessage]]) -> list[ReceivedMessage]:
            again = list(await awaited)
            self._count(self._instruments.returned, again)
            known = {id(message) for message in again}
            passage.done(message for message in deferral.messages if id(message) not in known)
            return again

        return attrs.evolve(deferral, answer=answer(deferral.answer))

    def _count(self, counter: Counter, messages: Iterable[ReceivedMessage]) -> None:
        # One measurement costs more than counting a batch.
        for topic, count in Counts(message.topic for message in messages).items():
            counter.add(count, self._labels[topic])


class _Passage:
    """One batch on its way through a handler."""

    def __init__(self, instruments: Instruments, labels: Mapping[Topic, Mapping[str, str]]) -> None:
        self._instruments = instruments
        self._labels = labels
        self._began = time.perf_counter()
        self._decoded: dict[int, tuple[str, float]] = {}

    def decode(self, received: ReceivedMessage) -> object:
        """Decode a message, and remember its kind."""
        began = time.perf_counter()
        message = decode(received.body)
        ended = time.perf_counter()
        labels = self._labels.get(received.topic)
        if labels is not None:
            self._instruments.deserialization.record(ended - began, labels)
            self._decoded[id(received)] = type(message).__name__, ended
        return message

    def done(self, messages: Iterable[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """These messages are acknowledged; answers that none is to come again."""
        now, instruments = time.perf_counter(), self._instruments
        for message in messages:
            labels = self._labels[message.topic]
            instruments.handling.record(now - self._began, labels)
            decoded = self._decoded.get(id(message))
            if decoded is not None:
                kind, since = decoded
                instruments.processing.record(now - since, {**labels, "message_type": kind})
        return []
