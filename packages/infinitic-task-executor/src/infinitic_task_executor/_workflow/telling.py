"""What is told of workflow tasks that come as messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from infinitic_common.codec import encode, to_plain
from infinitic_common.events import (
    EventPublisher,
    EventType,
    PlainEvent,
    task_event,
    workflow_executor_events,
)
from infinitic_common.messages import ExecuteWorkflowTask
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.transport import Transport
from infinitic_common.workflow_tasks import WORKFLOW_EXECUTOR, WorkflowTask, WorkflowTaskResult

_METHOD = "handle"
"""How events name the method of the service whose tasks are workflow tasks."""

Asked = tuple[ExecuteWorkflowTask, WorkflowTask]


class Telling:
    """Publishes the events of a workflow's tasks.

    Args:
        transport: Takes them, and gives the time.
        worker_name: Who tells.
        workflow_name: Whose workflow tasks they are about.
    """

    def __init__(self, transport: Transport, worker_name: str, workflow_name: str) -> None:
        self._now = transport.now
        self._publisher = EventPublisher(transport, worker_name)
        self._topic = workflow_executor_events(workflow_name)

    def started(self, tasks: Iterable[Asked]) -> asyncio.Task[None] | None:
        """Some tasks start together."""
        return self._begin([self._event(one, EventType.TASK_STARTED) for one in tasks])

    def ended(
        self, tasks: Iterable[Asked], results: Iterable[WorkflowTaskResult], began: float
    ) -> asyncio.Task[None] | None:
        """They have ended; ``began`` is what ``time.perf_counter`` said when they started."""
        took = (time.perf_counter() - began) * 1000
        pairs = zip(tasks, results, strict=True)
        return self._begin([self._ended(one, result, took) for one, result in pairs])

    async def finish(self, *publications: asyncio.Task[None] | None) -> None:
        """Wait until they are published; never raises, and not for ever."""
        for publication in publications:
            await self._publisher.finish(publication)

    def _begin(self, events: Sequence[PlainEvent]) -> asyncio.Task[None] | None:
        return self._publisher.begin({self._topic: events}) if events else None

    def _ended(self, one: Asked, result: WorkflowTaskResult, took: float) -> PlainEvent:
        """Without what the code asked for: the engine tells that."""
        if result.error is None:
            return self._event(one, EventType.TASK_COMPLETED, took=took)
        body, after = encode(result.error), result.retry_after_ms
        if after is None:
            return self._event(one, EventType.TASK_FAILED, body=body, took=took)
        names: dict[str, object] = {"secondsBeforeRetry": after / 1000}
        event_type = EventType.TASK_RETRY_SCHEDULED
        return self._event(one, event_type, body=body, took=took, names=names)

    def _event(
        self,
        one: Asked,
        event_type: str,
        *,
        body: bytes = b"",
        took: float | None = None,
        names: dict[str, object] | None = None,
    ) -> PlainEvent:
        message, task = one
        requester = WorkflowRequester(
            task.workflow_name,
            task.workflow_id,
            task.method_name,
            task.method_id,
            0,
            task.workflow_version or 0,
        )
        return task_event(
            event_type,
            f"{message.message_id}/{event_type.partition('.')[2]}",
            self._now(),
            (message.workflow_task_id, WORKFLOW_EXECUTOR, _METHOD),
            (0, message.retry_index),
            to_plain(requester),
            tags=task.tags,
            meta=task.meta,
            body=body,
            names=names or {},
            duration_ms=took,
        )
