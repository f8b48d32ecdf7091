"""What is told of attempts: events leave beside the reports of the same burst."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Final

import attrs

from infinitic_common.codec import encode, to_plain
from infinitic_common.events import (
    EncodedValue,
    EventPublisher,
    EventType,
    PlainEvent,
    service_events,
    task_event,
)
from infinitic_common.messages import ExecuteTask
from infinitic_common.transport import Transport
from infinitic_task_executor._service.publishing import Pending
from infinitic_task_executor._service.reports import Outcome, Report

_LINGER_SECONDS = 0.05
"""How long the start of an attempt waits for its end: of a short one both are told together."""

_TYPES: Final = {
    Outcome.COMPLETED: EventType.TASK_COMPLETED,
    Outcome.DELEGATED: EventType.TASK_DELEGATION_COMPLETED,
    Outcome.RETRIED: EventType.TASK_RETRY_SCHEDULED,
    Outcome.FAILED: EventType.TASK_FAILED,
}


@attrs.define(eq=False)
class Start:
    """An attempt that has begun.

    Attributes:
        asked: What asked for it.
        pending: Who waits for all that is told of it.
        at: When it began, in milliseconds since the epoch.
        began: The same, for durations.
        told: Its beginning was told, or is to be told with its end.
    """

    asked: ExecuteTask
    pending: Pending
    at: int
    began: float
    told: bool = False

    @property
    def event_id(self) -> str:
        """Id of the event that tells of it."""
        return f"{self.asked.message_id}/started"


class Telling:
    """Collects events, from any thread, and publishes them on the event loop that is running.

    Args:
        transport: Takes them, and gives the time.
        worker_name: Who tells.
        service_name: Whose tasks they are about.
    """

    def __init__(self, transport: Transport, worker_name: str, service_name: str) -> None:
        self._publisher = EventPublisher(transport, worker_name)
        self._now = transport.now
        self._topic = service_events(service_name)
        self._loop = asyncio.get_running_loop()
        self._told: deque[Start | tuple[PlainEvent, Pending]] = deque()
        self._lock = threading.Lock()
        self._expected = 0
        self._timer: asyncio.TimerHandle | None = None
        self._publishing: set[asyncio.Task[None]] = set()

    def expect(self) -> None:
        """An attempt is about to start; on the event loop."""
        self._expected += 1
        if self._timer is None:
            self._timer = self._loop.call_later(_LINGER_SECONDS, self._tick)

    def started(self, asked: ExecuteTask, pending: Pending) -> Start:
        """An attempt starts; gives what ``ended`` wants."""
        start = Start(asked, pending, self._now(), time.perf_counter())
        self._told.append(start)
        return start

    def ended(  # noqa: PLR0913 - what there is to tell
        self,
        asked: ExecuteTask,
        report: Report | None,
        pending: Pending,
        *,
        meta: Mapping[str, bytes] | None = None,
        start: Start | None = None,
        delegated: bytes | None = None,
    ) -> None:
        """An attempt has ended, as its report says.

        Args:
            asked: What asked for it.
            report: How it ended.
            pending: Who waits for all that is told of it.
            meta: The meta of the task, as its code left it.
            start: How it started, as ``started`` said.
            delegated: What the code of a delegated task returned.
        """
        if report is None or report.outcome is None:
            return
        outcome, message = report.outcome, report.message
        retried = outcome is Outcome.RETRIED
        event_id = f"{asked.message_id}/retryScheduled" if retried else message.id
        body = message.body
        if outcome is Outcome.DELEGATED:
            body = b"" if delegated is None else encode(EncodedValue(delegated))
        took = None if start is None else (time.perf_counter() - start.began) * 1000
        of = asked.meta if meta is None else meta
        event_type = _TYPES[outcome]
        started = (start.at, start.event_id) if start is not None and self._claims(start) else None
        event = self._event(
            asked, event_type, event_id, meta=of, body=body, took=took, started=started
        )
        self._told.append((event, pending))
        if retried:
            # What events call dispatched is told once, where it is decided.
            again = attrs.evolve(asked, retry_index=asked.retry_index + 1)
            event = self._event(again, EventType.TASK_DISPATCH, message.id, meta=of, body=body)
            self._told.append((event, pending))

    def flush(self) -> None:
        """Publish what was told so far; on the event loop, before its reports are settled."""
        told = self._told
        pairs: list[tuple[PlainEvent, Pending]] = []
        for _ in range(len(told)):
            one = told.popleft()
            if not isinstance(one, Start):
                pairs.append(one)
                continue
            self._expected -= 1
            if self._claims(one):
                pairs.append((self._begun(one), one.pending))
        if not pairs:
            return
        for _, pending in pairs:
            pending.more(1)
        task = self._loop.create_task(self._publish(pairs))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    def _claims(self, start: Start) -> bool:
        """Whether the caller is to tell of a start: whoever asks first."""
        with self._lock:
            first, start.told = not start.told, True
        return first

    def _begun(self, start: Start) -> PlainEvent:
        asked = start.asked
        return self._event(
            asked, EventType.TASK_STARTED, start.event_id, meta=asked.meta, at=start.at
        )

    def close(self) -> None:
        """Give up what is not published yet: its tasks come again."""
        if self._timer is not None:
            self._timer.cancel()
        for publishing in self._publishing:
            publishing.cancel()

    async def _publish(self, pairs: list[tuple[PlainEvent, Pending]]) -> None:
        publication = self._publisher.begin({self._topic: [event for event, _ in pairs]})
        await self._publisher.finish(publication)
        for _, pending in pairs:
            pending.less()

    def _tick(self) -> None:
        self.flush()
        again = self._expected > 0
        self._timer = self._loop.call_later(_LINGER_SECONDS, self._tick) if again else None

    def _event(  # noqa: PLR0913 - the fields of the event
        self,
        asked: ExecuteTask,
        event_type: str,
        event_id: str,
        *,
        meta: Mapping[str, bytes],
        body: bytes = b"",
        took: float | None = None,
        at: int | None = None,
        started: tuple[int, str] | None = None,
    ) -> PlainEvent:
        return task_event(
            event_type,
            event_id,
            self._now() if at is None else at,
            (asked.task_id, asked.service_name, asked.method_name),
            (asked.retry_sequence, asked.retry_index),
            to_plain(asked.requester),
            tags=asked.tags,
            meta=meta,
            body=body,
            duration_ms=took,
            started=started,
        )
