"""The life of a delegated task: registered and done, in either order, then remembered a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from infinitic_common.codec import decode, encode, record
from infinitic_common.exceptions import StorageError
from infinitic_common.messages import (
    CompleteDelegatedTask,
    FailDelegatedTask,
    Message,
    RegisterDelegatedTask,
)
from infinitic_common.storage import VersionedValue, Write
from infinitic_common.tag_sets import is_storable, key_digest
from infinitic_task_tag._core.outcomes import outcome_of

DelegatedMessage = RegisterDelegatedTask | CompleteDelegatedTask | FailDelegatedTask

EARLY_OUTCOME_MS = 7 * 24 * 3_600_000
"""How long an outcome waits for its task to be registered."""

TOMBSTONE_MS = 3_600_000
"""How long a task that is done is remembered, so that repeated messages change nothing."""

_KNOWN = 8


@record(230)
@attrs.frozen
class DelegatedTask:
    """What is kept of a delegated task.

    Attributes:
        registration: Who waits for its outcome; None before its code returned, and once it is done.
        outcome: What came before the registration.
        known: Ids of messages that had their effect: repeated, they have no other.
        is_failed: Whether the outcome that was told last is a failure, which can be retried.
    """

    registration: RegisterDelegatedTask | None = None
    outcome: CompleteDelegatedTask | FailDelegatedTask | None = None
    known: tuple[str, ...] = ()
    is_failed: bool = False

    @property
    def is_done(self) -> bool:
        """Whether its outcome was told, and nothing is to come."""
        return bool(self.known) and self.registration is None and self.outcome is None

    def expires_at(self, now: int) -> int | None:
        """When it is forgotten, in milliseconds since the epoch; None while somebody waits."""
        if self.registration is not None:
            return None
        return now + (TOMBSTONE_MS if self.outcome is None else EARLY_OUTCOME_MS)


@attrs.frozen(eq=False)
class Settled:
    """What a batch does to delegated tasks.

    Attributes:
        messages: What is told of their outcomes.
        writes: The records, to write when the messages are out.
        warnings: For the log, each with the task that it is about, once its record is written.
        remarks: Likewise, of less weight.
    """

    messages: list[Message] = attrs.field(factory=list[Message])
    writes: dict[str, Write] = attrs.field(factory=dict[str, Write])
    warnings: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    remarks: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])


@attrs.frozen
class Limits:
    """When and where: milliseconds since the epoch, the broker's largest message, this process."""

    now: int
    max_bytes: int
    worker_name: str


def record_key(task_id: str) -> str:
    """The storage key of a task."""
    key = f"taskId:{task_id}|delegatedTaskData"
    return key if is_storable(key) else f"taskId#{key_digest(task_id)}|delegatedTaskData"


def settle(
    messages: Sequence[DelegatedMessage], found: Mapping[str, VersionedValue], limits: Limits
) -> Settled:
    """What the messages of a batch come to, in their order.

    A task whose outcome comes a second time is written again as it is: a cache may have given an
    older record, and only a write is judged by the store.

    Args:
        messages: The messages.
        found: Every record that they are about, as stored.
        limits: What bounds the result.
    """
    settled, tasks = Settled(), {key: _decoded(key, value) for key, value in found.items()}
    before = dict(tasks)
    for message in messages:
        key = record_key(message.task_id)
        tasks[key] = _next(tasks[key], message, settled, limits)
    doubted = {record_key(task_id) for task_id, _ in settled.warnings}
    for key, task in tasks.items():
        if task is not before[key] or key in doubted:
            expires_at = task.expires_at(limits.now)
            settled.writes[key] = Write(encode(task), found[key].version, expires_at)
    return settled


def _next(
    task: DelegatedTask, message: DelegatedMessage, settled: Settled, limits: Limits
) -> DelegatedTask:
    if message.message_id in _ids(task):
        return task
    if isinstance(message, RegisterDelegatedTask):
        return _registered(task, message, settled, limits)
    if task.registration is not None:
        return _told(task, task.registration, message, settled, limits)
    if task.outcome is not None or (task.is_done and not task.is_failed):
        text = f"{_what(message)} is done already: {type(message).__name__} changes nothing"
        settled.warnings.append((message.task_id, text))
        return task
    return _early(task, message, settled)


def _registered(
    task: DelegatedTask, message: RegisterDelegatedTask, settled: Settled, limits: Limits
) -> DelegatedTask:
    if task.outcome is not None:
        return _told(task, message, task.outcome, settled, limits)
    if task.registration is None:
        return attrs.evolve(task, registration=message)
    # The task was run again, by a retry: the older attempt has no say any more.
    known = _known(task, task.registration.message_id)
    return attrs.evolve(task, registration=message, known=known)


def _early(
    task: DelegatedTask, message: CompleteDelegatedTask | FailDelegatedTask, settled: Settled
) -> DelegatedTask:
    what, kept = _what(message), "it is kept for 7 days, until its code returns"
    if task.is_done:
        text = f"{what} has failed already: {type(message).__name__} is for a retry of it, or late"
        settled.warnings.append((message.task_id, text))
    else:
        text = f"{type(message).__name__} of {what} comes before its registration: {kept}"
        settled.remarks.append((message.task_id, text))
    return attrs.evolve(task, outcome=message)


def _told(
    task: DelegatedTask,
    registration: RegisterDelegatedTask,
    outcome: CompleteDelegatedTask | FailDelegatedTask,
    settled: Settled,
    limits: Limits,
) -> DelegatedTask:
    told = outcome_of(registration, outcome, limits.max_bytes, limits.worker_name)
    settled.messages.extend(told)
    if not told:
        text = f"{_what(outcome)} was asked by a client, and clients cannot ask for tasks: dropped"
        settled.warnings.append((outcome.task_id, text))
    return DelegatedTask(
        known=_known(task, registration.message_id, outcome.message_id),
        is_failed=isinstance(outcome, FailDelegatedTask),
    )


def _ids(task: DelegatedTask) -> tuple[str, ...]:
    pending = (task.registration, task.outcome)
    return (*task.known, *(message.message_id for message in pending if message is not None))


def _known(task: DelegatedTask, *more: str) -> tuple[str, ...]:
    return (*task.known, *more)[-_KNOWN:]


def _what(message: DelegatedMessage) -> str:
    return f"delegated task {message.service_name} {message.task_id}"


def _decoded(key: str, found: VersionedValue) -> DelegatedTask:
    if found.value is None:
        return DelegatedTask()
    task = decode(found.value)
    if isinstance(task, DelegatedTask):
        return task
    msg = f"the record {key} is no delegated task but {type(task).__name__}: delete or repair it"
    raise StorageError(msg)
