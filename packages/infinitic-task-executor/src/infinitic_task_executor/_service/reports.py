"""What is told to the workflow that asked for a task."""

import attrs

from infinitic_common.exceptions import DeferredException, PayloadTooLarge
from infinitic_common.failures import TaskFailure
from infinitic_common.ids import derived_id
from infinitic_common.messages import ExecuteTask, TaskCompleted, TaskFailed, to_outgoing, topic_of
from infinitic_common.outcomes import error_of, failure_of
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.transport import OutgoingMessage, ReceivedMessage, Topic, TopicKind, Transport


@attrs.frozen
class Report:
    """A message, and where it goes."""

    topic: Topic
    message: OutgoingMessage


class Reporter:
    """Makes the reports of one executor; from any thread."""

    def __init__(self, transport: Transport, worker_name: str) -> None:
        """Report in the name of a worker."""
        self._now = transport.now
        self._max_bytes = transport.max_message_bytes
        self._worker_name = worker_name

    def completed(self, asked: ExecuteTask, value: bytes, meta: dict[str, bytes]) -> Report | None:
        """A task has a value; None when nobody asked for it."""
        requester = asked.requester
        if not isinstance(requester, WorkflowRequester):
            return None
        message = TaskCompleted(
            message_id=_message_id(asked, "completed"),
            workflow_name=requester.workflow_name,
            workflow_id=requester.workflow_id,
            method_id=requester.method_id,
            position=requester.position,
            task_id=asked.task_id,
            value=value,
            meta=meta,
            emitted_at=self._now(),
        )
        outgoing = to_outgoing(message)
        if len(outgoing.body) > self._max_bytes:
            return self.failed(asked, self._too_large(asked, len(outgoing.body)))
        return Report(topic_of(message), outgoing)

    def failed(self, asked: ExecuteTask, exception: BaseException) -> Report | None:
        """A task failed after its last attempt; None when nobody asked for it."""
        requester = asked.requester
        if not isinstance(requester, WorkflowRequester):
            return None
        failure = self._failure(asked, exception, None)
        deferred = error_of(exception) if isinstance(exception, DeferredException) else None
        message = TaskFailed(
            message_id=_message_id(asked, "failed"),
            workflow_name=requester.workflow_name,
            workflow_id=requester.workflow_id,
            method_id=requester.method_id,
            position=requester.position,
            task_id=asked.task_id,
            service_name=asked.service_name,
            method_name=asked.method_name,
            failure=failure,
            emitted_at=self._now(),
            deferred_error=deferred,
        )
        return Report(topic_of(message), self._bounded(message))

    def retried(self, asked: ExecuteTask, exception: BaseException, seconds: float) -> Report:
        """A task is attempted again, after so many seconds."""
        again = attrs.evolve(
            asked,
            message_id=derived_id(asked.task_id, asked.retry_sequence, asked.retry_index, "retry"),
            retry_index=asked.retry_index + 1,
            last_failure=self._failure(asked, exception, seconds),
            emitted_at=self._now(),
        )
        if seconds <= 0:
            return Report(topic_of(again), to_outgoing(again))
        due = self._now() + round(seconds * 1000)
        topic = Topic(TopicKind.SERVICE_EXECUTOR_RETRY, asked.service_name)
        return Report(topic, to_outgoing(again, deliver_at=due))

    def unreadable(self, received: ReceivedMessage, reason: str) -> Report | None:
        """A task whose message cannot be read fails, as far as its properties tell whose it is."""
        known = received.properties
        if "workflow_id" not in known or "position" not in known:
            return None
        message = TaskFailed(
            message_id=derived_id("dead", received.id),
            workflow_name=known["workflow_name"],
            workflow_id=known["workflow_id"],
            method_id=known["method_id"],
            position=int(known["position"]),
            task_id=known.get("task_id", ""),
            service_name=known.get("service_name", ""),
            method_name="",
            failure=failure_of(RuntimeError(reason), worker_name=self._worker_name),
            emitted_at=self._now(),
        )
        return Report(topic_of(message), to_outgoing(message))

    def _failure(
        self, asked: ExecuteTask, exception: BaseException, seconds: float | None
    ) -> TaskFailure:
        return failure_of(
            exception,
            worker_name=self._worker_name,
            retry_sequence=asked.retry_sequence,
            retry_index=asked.retry_index,
            seconds_before_retry=seconds,
            previous=asked.last_failure,
        )

    def _bounded(self, message: TaskFailed) -> OutgoingMessage:
        """The report of a failure, without what the broker has no room for."""
        outgoing = to_outgoing(message)
        if len(outgoing.body) <= self._max_bytes:
            return outgoing
        exception = attrs.evolve(message.failure.exception, properties={}, cause=None)
        failure = attrs.evolve(message.failure, exception=exception, previous=None)
        return to_outgoing(attrs.evolve(message, failure=failure, deferred_error=None))

    def _too_large(self, asked: ExecuteTask, size: int) -> PayloadTooLarge:
        return PayloadTooLarge(
            f"the result of task {asked.service_name}.{asked.method_name} ({asked.task_id}) takes "
            f"{size} bytes, more than the {self._max_bytes} of the broker: store it and return a "
            "reference to it"
        )


def _message_id(asked: ExecuteTask, outcome: str) -> str:
    return derived_id(asked.task_id, asked.retry_sequence, asked.retry_index, outcome)
