"""One attempt of a task: what its code knows, and what is told when it is over."""

import logging
from collections.abc import Mapping

import attrs

from infinitic_common.client import AsyncClient, Client
from infinitic_common.exceptions import UsageError
from infinitic_common.implementation import ServiceImplementation
from infinitic_common.messages import ExecuteTask
from infinitic_common.policies import RetryPolicy
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.serialization import SerializationError, encode_untyped
from infinitic_common.task_context import TaskContext
from infinitic_common.telemetry import NO_TELEMETRY, Telemetry
from infinitic_task_executor._errors import untellable
from infinitic_task_executor._service.plans import MethodPlan
from infinitic_task_executor._service.publishing import Pending
from infinitic_task_executor._service.reports import Report, Reporter
from infinitic_task_executor._service.retries import decide_retry
from infinitic_task_executor._service.telling import Start, Telling

_LOGGER = logging.getLogger("infinitic.service_executor")


@attrs.frozen(eq=False)
class Surroundings:
    """What all attempts of an executor share."""

    implementation: ServiceImplementation
    reporter: Reporter
    worker_name: str
    client: Client | None
    async_client: AsyncClient | None
    telemetry: Telemetry = NO_TELEMETRY
    telling: Telling | None = None


class Attempt:
    """One attempt of a task.

    Attributes:
        message: What asks for it.
        plan: How its method runs.
        pending: Who waits for its report.
        context: What its code knows.
        watch: Is told how it goes.
    """

    __slots__ = (
        "_reporter",
        "_start",
        "_telling",
        "context",
        "message",
        "pending",
        "plan",
        "watch",
    )

    def __init__(
        self, message: ExecuteTask, plan: MethodPlan, pending: Pending, around: Surroundings
    ) -> None:
        """Nothing runs yet."""
        self.message = message
        self.plan = plan
        self.pending = pending
        self._reporter = around.reporter
        self._telling = around.telling
        self._start: Start | None = None
        self.watch = around.telemetry.attempt(message)
        requester = message.requester
        workflow = requester if isinstance(requester, WorkflowRequester) else None
        self.context = TaskContext(
            worker_name=around.worker_name,
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
            client=around.client,
            async_client=around.async_client,
        )

    def begin(self) -> None:
        """Its code starts now; once, however often it is said."""
        if self._telling is not None and self._start is None:
            self._start = self._telling.started(self.message, self.pending)

    def returned(self, value: object) -> Report | None:
        """The code gave a value."""
        try:
            plan, meta, delegated = self.plan, self._meta(), None
            if plan.is_delegated:
                delegated = self._ignored(value)
                report: Report | None = self._reporter.delegated(self.message, meta)
            else:
                encoded = plan.method.result.encode(value)
                report = self._reporter.completed(self.message, encoded, meta)
        except BaseException as error:  # noqa: BLE001 - the value is the user's
            return self.failed(error)
        self.watch.ended("delegated" if plan.is_delegated else "completed")
        self._tell(report, meta=meta, delegated=delegated)
        return report

    def raised(self, error: BaseException, policy: RetryPolicy | None) -> Report | None:
        """The code raised something, or lasted too long.

        Args:
            error: What.
            policy: Decides whether it is attempted again.
        """
        seconds = decide_retry(policy, self.message, error)
        if seconds is None:
            return self.failed(error)
        try:
            meta = self._meta()
            report = self._reporter.retried(self.message, error, seconds, meta)
        except UsageError as wrong:
            wrong.__cause__ = error
            return self.failed(wrong)
        except BaseException:  # noqa: BLE001 - it looked into an exception of the user
            return self.failed(error)
        self.watch.ended("retried", error)
        self._tell(report, meta=meta)
        return report

    def failed(self, error: BaseException) -> Report | None:
        """The task failed, and is not attempted again."""
        self.watch.ended("failed", error)
        try:
            report = self._reporter.failed(self.message, error)
        except BaseException as failing:  # noqa: BLE001 - it looked into an exception of the user
            report = self._reporter.failed(self.message, untellable(error, failing))
        self._tell(report)
        return report

    def _tell(
        self,
        report: Report | None,
        *,
        meta: Mapping[str, bytes] | None = None,
        delegated: bytes | None = None,
    ) -> None:
        if self._telling is not None:
            self._telling.ended(
                self.message,
                report,
                self.pending,
                meta=meta,
                start=self._start,
                delegated=delegated,
            )

    def _meta(self) -> dict[str, bytes]:
        meta = self.context.meta
        for key, value in meta.items():
            if type(value) is not bytes or type(key) is not str:
                msg = f"Task.meta[{key!r}] is {value!r}: meta are bytes by text"
                raise UsageError(msg)
        return meta

    def _ignored(self, value: object) -> bytes | None:
        """What events tell of the value of a delegated task's code, whatever it is."""
        if value is not None:
            _LOGGER.debug(
                "what %s returns is ignored: task %s is delegated",
                self.plan.method.label,
                self.message.task_id,
            )
        try:
            return None if self._telling is None else encode_untyped(value)
        except SerializationError:
            return None
