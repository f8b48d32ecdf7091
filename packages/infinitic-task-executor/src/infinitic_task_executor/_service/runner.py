"""From messages that ask for tasks to reports of how they ended."""

import logging
from collections.abc import Mapping, Sequence
from typing import cast

from infinitic_common.client import AsyncClient, Client
from infinitic_common.component import ComponentHost
from infinitic_common.configuration import BatchConfiguration
from infinitic_common.exceptions import MethodNotFound, UndecodableMessage, UsageError
from infinitic_common.implementation import ServiceImplementation
from infinitic_common.messages import ExecuteTask, from_received
from infinitic_common.task_context import BATCH_KEY
from infinitic_common.telemetry import telemetry_of
from infinitic_common.transport import ReceivedMessage
from infinitic_task_executor._service.attempts import Attempt, Surroundings
from infinitic_task_executor._service.coroutines import CoroutineRuns
from infinitic_task_executor._service.gathering import Gatherer
from infinitic_task_executor._service.plans import MethodPlan
from infinitic_task_executor._service.publishing import BurstPublisher, Pending
from infinitic_task_executor._service.reports import Reporter
from infinitic_task_executor._service.telling import Telling
from infinitic_task_executor._service.thread_runs import ThreadRuns
from infinitic_task_executor._service.works import BatchWork, Reports, SingleWork, Work

_LOGGER = logging.getLogger("infinitic.service_executor")

_BatchOf = tuple[str, bytes | None]
"""A method, and the batch key of the tasks."""


class TaskRunner:
    """Runs tasks: plain methods on threads, coroutines on the event loop.

    Args:
        implementation: The service.
        plans: How its methods run.
        concurrency: The most tasks, or batches, at once, of each kind.
        batch: How batches are gathered; None for none.
        host: The worker.
        events: Whether listeners are told.
    """

    def __init__(  # noqa: PLR0913 - what tasks run on
        self,
        implementation: ServiceImplementation,
        plans: Mapping[str, MethodPlan],
        concurrency: int,
        batch: BatchConfiguration | None,
        host: ComponentHost,
        *,
        events: bool = True,
    ) -> None:
        """Begin to run tasks on the event loop that is running."""
        self._implementation = implementation
        self._plans = plans
        self._reporter = Reporter(host.transport, host.worker_name)
        self._telling = telling = (
            Telling(host.transport, host.worker_name, implementation.name) if events else None
        )
        before = None if telling is None else telling.flush
        self._publisher = BurstPublisher(host.transport, before)
        self._around = Surroundings(
            implementation=implementation,
            reporter=self._reporter,
            worker_name=host.worker_name,
            client=cast("Client | None", host.client),
            async_client=cast("AsyncClient | None", host.async_client),
            telemetry=telemetry_of(host),
            telling=telling,
        )
        self._threads = ThreadRuns(f"service-{implementation.name}", concurrency, self._ended)
        self._coroutines = CoroutineRuns(concurrency, self._ended)
        self._gatherer = None if batch is None else self._gatherer_of(batch)

    async def handle(self, messages: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """Run the tasks of a batch until all are reported; gives back what cannot be read."""
        pending = Pending(len(messages))
        unreadable: list[ReceivedMessage] = []
        for received in messages:
            try:
                message = _read(received)
            except UndecodableMessage:
                _LOGGER.exception("a task cannot be read: %s", dict(received.properties))
                unreadable.append(received)
                pending.less()
            else:
                self._begin(message, pending)
        await pending.finished
        return unreadable

    async def bury(self, received: ReceivedMessage, reason: str) -> None:
        """Tell the workflow of a task that moves to the dead letters."""
        pending = Pending(1)
        try:
            asked = _read(received)
        except UndecodableMessage:
            report = self._reporter.unreadable(received, reason)
        else:
            report = self._reporter.failed(asked, RuntimeError(reason))
            if self._telling is not None:
                self._telling.ended(asked, report, pending)
        self._publisher.add(report, pending)
        await pending.finished

    def hurry(self) -> None:
        """Wait for no more messages to fill a batch."""
        if self._gatherer is not None:
            self._gatherer.hurry()

    def close(self) -> None:
        """Give up what still runs; its tasks come again."""
        self._coroutines.close()
        self._threads.close()
        self._publisher.close()
        if self._telling is not None:
            self._telling.close()

    def _begin(self, message: ExecuteTask, pending: Pending) -> None:
        plan = self._plans.get(message.method_name)
        if plan is None or message.service_name != self._implementation.name:
            self._refuse(message, pending)
            return
        if self._telling is not None:
            self._telling.expect()
        attempt = Attempt(message, plan, pending, self._around)
        if self._gatherer is not None and plan.batch is not None:
            self._gatherer.add((plan.method.name, message.meta.get(BATCH_KEY)), attempt)
        else:
            self._submit(SingleWork(attempt, self._around), is_async=plan.method.is_async)

    def _refuse(self, message: ExecuteTask, pending: Pending) -> None:
        error = self._not_implemented(message)
        self._around.telemetry.attempt(message).ended("failed", error)
        report = self._reporter.failed(message, error)
        if self._telling is not None:
            self._telling.expect()
            start = self._telling.started(message, pending)
            self._telling.ended(message, report, pending, start=start)
        self._publisher.add(report, pending)

    def _gatherer_of(self, batch: BatchConfiguration) -> Gatherer[_BatchOf, Attempt]:
        return Gatherer(batch.max_messages, batch.max_seconds, self._begin_batch)

    def _begin_batch(self, key: _BatchOf, attempts: list[Attempt]) -> None:
        batch = self._plans[key[0]].batch
        if batch is not None:
            self._submit(BatchWork(attempts, batch, self._around), is_async=batch.is_async)

    def _submit(self, work: Work, *, is_async: bool) -> None:
        if is_async:
            self._coroutines.submit(work)
        else:
            self._threads.submit(work)

    def _ended(self, work: Work, reports: Reports) -> None:
        for attempt, report in zip(work.attempts, reports, strict=True):
            self._publisher.add(report, attempt.pending)

    def _not_implemented(self, message: ExecuteTask) -> UsageError:
        if message.service_name != self._implementation.name:
            return UsageError(
                f"service {message.service_name!r} has no implementation in this executor, which "
                f"runs {self._implementation.name!r}"
            )
        cls = self._implementation.cls.__name__
        names = ", ".join(self._implementation.methods)
        return MethodNotFound(f"{cls} has no method named {message.method_name!r}; it has {names}")


def _read(received: ReceivedMessage) -> ExecuteTask:
    message = from_received(received)
    if not isinstance(message, ExecuteTask):
        msg = f"{type(message).__name__} is no task"
        raise UndecodableMessage(msg)
    return message
