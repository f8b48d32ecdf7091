"""What is told when a delegated task is done."""

from collections.abc import Iterator

import attrs

from infinitic_common.codec import encode
from infinitic_common.exceptions import PayloadTooLarge
from infinitic_common.failures import TaskFailure
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    CompleteDelegatedTask,
    FailDelegatedTask,
    Message,
    RegisterDelegatedTask,
    RemoveTagFromTask,
    TaskCompleted,
    TaskFailed,
)
from infinitic_common.outcomes import failure_of
from infinitic_common.requesters import WorkflowRequester


def outcome_of(
    registration: RegisterDelegatedTask,
    outcome: CompleteDelegatedTask | FailDelegatedTask,
    max_bytes: int,
    worker_name: str,
) -> list[Message]:
    """What the workflow that waits is told, and the end of the task's tags; empty for a client.

    The ids are those of registration and outcome together: told again, it is the same, and a later
    attempt at the task tells something else.

    Args:
        registration: Who waits.
        outcome: What came.
        max_bytes: The largest message that the broker accepts.
        worker_name: This process, for the failure of what is too large.
    """
    requester = registration.requester
    if not isinstance(requester, WorkflowRequester):
        return []
    if isinstance(outcome, FailDelegatedTask):
        told = _failed(registration, requester, outcome, outcome.failure)
        return [_bounded(told, max_bytes), *_untagged(registration, outcome.message_id)]
    completed = _completed(registration, requester, outcome)
    size = len(encode(completed))
    if size <= max_bytes:
        return [completed, *_untagged(registration, outcome.message_id)]
    failure = failure_of(_too_large(registration, size, max_bytes), worker_name=worker_name)
    told = _failed(registration, requester, outcome, failure)
    return [told, *_untagged(registration, outcome.message_id)]


def _completed(
    registration: RegisterDelegatedTask,
    requester: WorkflowRequester,
    outcome: CompleteDelegatedTask,
) -> TaskCompleted:
    return TaskCompleted(
        message_id=derived_id("delegated", registration.message_id, outcome.message_id),
        workflow_name=requester.workflow_name,
        workflow_id=requester.workflow_id,
        method_id=requester.method_id,
        position=requester.position,
        task_id=registration.task_id,
        value=outcome.value,
        meta=registration.meta,
        emitted_at=max(registration.emitted_at, outcome.emitted_at),
    )


def _failed(
    registration: RegisterDelegatedTask,
    requester: WorkflowRequester,
    outcome: CompleteDelegatedTask | FailDelegatedTask,
    failure: TaskFailure,
) -> TaskFailed:
    return TaskFailed(
        message_id=derived_id("delegated", registration.message_id, outcome.message_id),
        workflow_name=requester.workflow_name,
        workflow_id=requester.workflow_id,
        method_id=requester.method_id,
        position=requester.position,
        task_id=registration.task_id,
        service_name=registration.service_name,
        method_name=registration.method_name,
        # The client does not know which attempt it speaks of; the engine ignores older ones.
        failure=attrs.evolve(
            failure,
            retry_sequence=registration.retry_sequence,
            retry_index=registration.retry_index,
            seconds_before_retry=None,
        ),
        emitted_at=max(registration.emitted_at, outcome.emitted_at),
    )


def _bounded(told: TaskFailed, max_bytes: int) -> TaskFailed:
    """The failure, without what the broker has no room for."""
    if len(encode(told)) <= max_bytes:
        return told
    exception = attrs.evolve(told.failure.exception, properties={}, cause=None)
    failure = attrs.evolve(told.failure, exception=exception, previous=None)
    return attrs.evolve(told, failure=failure)


def _too_large(registration: RegisterDelegatedTask, size: int, limit: int) -> PayloadTooLarge:
    method = f"{registration.service_name}.{registration.method_name}"
    return PayloadTooLarge(
        f"the result of delegated task {method} ({registration.task_id}) takes {size} bytes with "
        f"its meta, more than the {limit} of the broker: store it and give a reference to it"
    )


def _untagged(registration: RegisterDelegatedTask, cause: str) -> Iterator[RemoveTagFromTask]:
    for tag in sorted(registration.tags):
        yield RemoveTagFromTask(
            message_id=derived_id("untag", registration.message_id, cause, tag),
            service_name=registration.service_name,
            task_id=registration.task_id,
            tag=tag,
        )
