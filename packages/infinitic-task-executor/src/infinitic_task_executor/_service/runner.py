"""From messages that ask for tasks to reports of how they ended."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import cast

import attrs

from infinitic_common.component import ComponentHost
from infinitic_common.exceptions import MethodNotFound, UndecodableMessage
from infinitic_common.implementation import ServiceImplementation
from infinitic_common.messages import ExecuteTask, from_received
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.task_context import TaskContext, set_task_context
from infinitic_common.transport import ReceivedMessage
from infinitic_task_executor._service.plans import MethodPlan
from infinitic_task_executor._service.publishing import BurstPublisher, Pending
from infinitic_task_executor._service.reports import Report, Reporter
from infinitic_task_executor._service.retries import decide_retry
from infinitic_task_executor._service.threads import TaskThreads

_LOGGER = logging.getLogger("infinitic.service_executor")


@attrs.frozen(eq=False)
class Attempt:
    """One attempt of a task, and whom to tell when it is over."""

    message: ExecuteTask
    plan: MethodPlan
    pending: Pending


class TaskRunner:
    """Runs tasks: plain methods on threads, coroutines on the event loop.

    Args:
        implementation: The service.
        concurrency: The most tasks at once, of each kind.
        host: The worker.
    """

    def __init__(
        self,
        implementation: ServiceImplementation,
        plans: Mapping[str, MethodPlan],
        concurrency: int,
        host: ComponentHost,
    ) -> None:
        """Begin to run tasks on the event loop that is running."""
        self._implementation = implementation
        self._plans = plans
        self._host = host
        self._worker_name = host.worker_name
        self._client = host.client
        self._reporter = Reporter(host.transport, host.worker_name)
        self._publisher = BurstPublisher(host.transport)
        self._context = contextvars.copy_context()
        self._room = asyncio.Semaphore(concurrency)
        self._loop = asyncio.get_running_loop()
        self._coroutines: set[asyncio.Task[None]] = set()
        self._threads = TaskThreads[Attempt, Report | None](
            f"service-{implementation.name}", concurrency, self._loop, self._run, self._ended
        )

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
        try:
            report = self._reporter.failed(_read(received), RuntimeError(reason))
        except UndecodableMessage:
            report = self._reporter.unreadable(received, reason)
        pending = Pending(1)
        self._publisher.add(report, pending)
        await pending.finished

    def close(self) -> None:
        """Give up what still runs; its tasks come again."""
        for task in self._coroutines:
            task.cancel()
        self._threads.close()
        self._publisher.close()

    # --- running ----------------------------------------------------------------------------

    def _begin(self, message: ExecuteTask, pending: Pending) -> None:
        try:
            plan = self._plans[message.method_name]
        except KeyError:
            error = self._no_method(message)
            self._publisher.add(self._reporter.failed(message, error), pending)
            return
        attempt = Attempt(message, plan, pending)
        if not plan.method.is_async:
            self._threads.submit(attempt)
            return
        task = self._loop.create_task(self._run_coroutine(attempt))
        self._coroutines.add(task)
        task.add_done_callback(self._coroutines.discard)

    def _ended(self, attempt: Attempt, report: Report | None) -> None:
        self._publisher.add(report, attempt.pending)

    def _run(self, attempt: Attempt) -> Report | None:
        return self._context.copy().run(self._attempt, attempt)

    def _attempt(self, attempt: Attempt) -> Report | None:
        context = self._enter(attempt.message)
        try:
            value = attempt.plan.method.result.encode(self._call(attempt, context))
        except BaseException as error:  # noqa: BLE001 - user code cannot end the worker
            return self._failed(attempt, error)
        return self._reporter.completed(attempt.message, value, context.meta)

    async def _run_coroutine(self, attempt: Attempt) -> None:
        async with self._room:
            report = await self._attempt_coroutine(attempt)
        self._publisher.add(report, attempt.pending)

    async def _attempt_coroutine(self, attempt: Attempt) -> Report | None:
        context = self._enter(attempt.message)
        try:
            result = await cast("Awaitable[object]", self._call(attempt, context))
            value = attempt.plan.method.result.encode(result)
        except GeneratorExit:
            raise
        except BaseException as error:
            if _is_cancelled():
                raise
            return self._failed(attempt, error)
        return self._reporter.completed(attempt.message, value, context.meta)

    def _call(self, attempt: Attempt, context: TaskContext) -> object:
        plan = attempt.plan
        instance = self._implementation.new_instance()
        limit = plan.policies.limit(instance)
        context.timeout_seconds = None if limit is None else limit.seconds
        args, kwargs = plan.method.decode_arguments(attempt.message.arguments)
        return plan.method.bound_to(instance)(*args, **kwargs)

    def _no_method(self, message: ExecuteTask) -> BaseException:
        try:
            self._implementation.method(message.method_name)
        except MethodNotFound as error:
            return error
        return RuntimeError(message.method_name)

    def _failed(self, attempt: Attempt, error: BaseException) -> Report | None:
        seconds = decide_retry(attempt.message, error)
        if seconds is None:
            return self._reporter.failed(attempt.message, error)
        return self._reporter.retried(attempt.message, error, seconds)

    def _enter(self, message: ExecuteTask) -> TaskContext:
        requester = message.requester
        workflow = requester if isinstance(requester, WorkflowRequester) else None
        context = TaskContext(
            worker_name=self._worker_name,
            service_name=message.service_name,
            method_name=message.method_name,
            task_id=message.task_id,
            workflow_id=workflow.workflow_id if workflow else None,
            workflow_name=workflow.workflow_name if workflow else None,
            workflow_version=workflow.workflow_version if workflow else None,
            retry_sequence=message.retry_sequence,
            retry_index=message.retry_index,
            last_error=message.last_failure,
            tags=message.tags,
            meta=dict(message.meta),
            client=self._client,
        )
        set_task_context(context)
        return context


def _read(received: ReceivedMessage) -> ExecuteTask:
    message = from_received(received)
    if not isinstance(message, ExecuteTask):
        msg = f"{type(message).__name__} is no task"
        raise UndecodableMessage(msg)
    return message


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
