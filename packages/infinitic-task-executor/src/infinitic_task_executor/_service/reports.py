"""What is told to the workflow that asked for a task."""

from collections.abc import Iterator, Mapping
from enum import Enum

import attrs

from infinitic_common.exceptions import DeferredException, PayloadTooLarge
from infinitic_common.failures import TaskFailure
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    ExecuteTask,
    RegisterDelegatedTask,
    RemoveTagFromTask,
    TaskCompleted,
    TaskFailed,
    to_outgoing,
    topic_of,
)
from infinitic_common.outcomes import error_of, failure_of
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.transport import OutgoingMessage, ReceivedMessage, Topic, TopicKind, Transport

_MOST_FAILURES = 20
"""How many failures an attempt knows of: its message must not grow without end."""


class Outcome(Enum):
    """How an attempt ended."""

    COMPLETED = "completed"
    DELEGATED = "delegated"
    RETRIED = "retried"
    FAILED = "failed"


@attrs.frozen
class Report:
    """A message, where it goes, what is told beside it, and how the attempt ended."""

    topic: Topic
    message: OutgoingMessage
    beside: tuple["Report", ...] = ()
    outcome: Outcome | None = None


class Reporter:
    """Makes the reports of one executor; from any thread."""

    def __init__(self, transport: Transport, worker_name: str) -> None:
        """Report in the name of a worker."""
        self._now = transport.now
        self._max_bytes = transport.max_message_bytes
        self._worker_name = worker_name

    def completed(
        self, asked: ExecuteTask, value: bytes, meta: Mapping[str, bytes]
    ) -> Report | None:
        """A task has a value; None when nobody asked for it.

        Raises:
            PayloadTooLarge: The broker has no room for it.
        """
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
            raise self._too_large(asked, len(outgoing.body))
        untagging = _untagging(asked) if asked.tags else ()
        return Report(topic_of(message), outgoing, untagging, Outcome.COMPLETED)

    def delegated(self, asked: ExecuteTask, meta: Mapping[str, bytes]) -> Report:
        """The code of a delegated task has returned; the service tag engine waits for the rest."""
        message = RegisterDelegatedTask(
            message_id=_message_id(asked, "delegated"),
            service_name=asked.service_name,
            task_id=asked.task_id,
            method_name=asked.method_name,
            requester=asked.requester,
            meta=meta,
            emitted_at=self._now(),
            retry_sequence=asked.retry_sequence,
            retry_index=asked.retry_index,
            tags=asked.tags,
        )
        return Report(topic_of(message), to_outgoing(message), outcome=Outcome.DELEGATED)

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
        bounded = self._bounded(message)
        return Report(topic_of(message), bounded, _untagging(asked), Outcome.FAILED)

    def retried(
        self,
        asked: ExecuteTask,
        exception: BaseException,
        seconds: float,
        meta: Mapping[str, bytes],
    ) -> Report:
        """A task is attempted again, after so many seconds, 0 for at once.

        Raises:
            PayloadTooLarge: The broker has no room for that, however little is told of the failure.
        """
        failure = _latest(self._failure(asked, exception, seconds), _MOST_FAILURES)
        again = attrs.evolve(
            asked,
            message_id=derived_id(asked.task_id, asked.retry_sequence, asked.retry_index, "retry"),
            retry_index=asked.retry_index + 1,
            last_failure=failure,
            meta=meta,
            emitted_at=self._now(),
        )
        due = self._now() + round(seconds * 1000) if seconds else None
        outgoing = to_outgoing(again, deliver_at=due)
        if len(outgoing.body) > self._max_bytes:
            again = attrs.evolve(again, last_failure=_shortest(failure))
            outgoing = to_outgoing(again, deliver_at=due)
        if len(outgoing.body) > self._max_bytes:
            msg = f"the next attempt of task {asked.task_id} takes {len(outgoing.body)} bytes"
            raise PayloadTooLarge(msg)
        kind = TopicKind.SERVICE_EXECUTOR_RETRY if seconds else TopicKind.SERVICE_EXECUTOR
        return Report(Topic(kind, asked.service_name), outgoing, outcome=Outcome.RETRIED)

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
        failure = _shortest(message.failure)
        return to_outgoing(attrs.evolve(message, failure=failure, deferred_error=None))

    def _too_large(self, asked: ExecuteTask, size: int) -> PayloadTooLarge:
        return PayloadTooLarge(
            f"the result of task {asked.service_name}.{asked.method_name} ({asked.task_id}) takes "
            f"{size} bytes, more than the {self._max_bytes} of the broker: store it and return a "
            "reference to it"
        )


def _untagging(asked: ExecuteTask) -> tuple[Report, ...]:
    """The end of a task's tags; a manual retry gives them again."""
    return tuple(_untaggings(asked))


def _untaggings(asked: ExecuteTask) -> Iterator[Report]:
    for tag in sorted(asked.tags):
        message = RemoveTagFromTask(
            message_id=derived_id("untag", asked.task_id, tag, asked.retry_sequence),
            service_name=asked.service_name,
            task_id=asked.task_id,
            tag=tag,
        )
        yield Report(topic_of(message), to_outgoing(message))


def _latest(failure: TaskFailure, count: int) -> TaskFailure:
    """A failure with so many of those before it."""
    chain = [failure]
    while (previous := chain[-1].previous) is not None and len(chain) < count:
        chain.append(previous)
    if chain[-1].previous is None:
        return failure
    shortened: TaskFailure | None = None
    for one in reversed(chain):
        shortened = attrs.evolve(one, previous=shortened)
    return shortened or failure


def _shortest(failure: TaskFailure) -> TaskFailure:
    """A failure without what may take much room."""
    exception = attrs.evolve(failure.exception, properties={}, cause=None)
    return attrs.evolve(failure, exception=exception, previous=None)


def _message_id(asked: ExecuteTask, outcome: str) -> str:
    return derived_id(asked.task_id, asked.retry_sequence, asked.retry_index, outcome)
