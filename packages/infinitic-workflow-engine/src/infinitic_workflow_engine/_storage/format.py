"""The stored form of a state: a head that lists the logs' segments, with format version.

Every released form stays readable: fields are only added at the end, with defaults.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from infinitic_common.codec import array_head, decode, encode_items, record, to_plain
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.history import Entry
from infinitic_common.requesters import Requester, WorkflowRequester
from infinitic_workflow_engine._core.log import Log, SegmentReference
from infinitic_workflow_engine._core.mailbox import ParkedSignal
from infinitic_workflow_engine._core.outbox import OutboxEntry
from infinitic_workflow_engine._core.state import (
    MethodOutcome,
    MethodRun,
    PendingRetry,
    Receiver,
    RunningTask,
    WorkflowState,
)

FORMAT = 1

_LOG, _RUN, _STATE = 220, 221, 223


@record(_LOG)
@attrs.frozen
class StoredLog:
    """A log: references to its segments, and its encoded tail."""

    segments: tuple[SegmentReference, ...]
    tail: tuple[bytes, ...]


@record(_RUN)
@attrs.frozen
class StoredRun:
    """A method run."""

    method_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    requester: Requester
    waiting_clients: tuple[str, ...]
    log: StoredLog
    returned: bool
    waiting_workflows: tuple[WorkflowRequester, ...] = ()
    retry: PendingRetry | None = None
    retries: int = 0


@record(222)
@attrs.frozen
class StoredChannel:
    """The receives that take signals of a channel, oldest first."""

    name: str
    receivers: tuple[Receiver, ...]


@record(_STATE)
@attrs.frozen
class StoredState:
    """The head of a state."""

    format: int
    workflow_id: str
    workflow_name: str
    workflow_version: int | None
    tags: frozenset[str]
    meta: Mapping[str, bytes]
    started: bool
    created_at: int
    runs: tuple[StoredRun, ...]
    running: RunningTask | None
    properties: Mapping[str, bytes]
    values: Mapping[bytes, bytes]
    channels: tuple[StoredChannel, ...]
    mailbox: StoredLog
    mailbox_first: int
    mailbox_taken: tuple[int, ...]
    discarding: frozenset[str]
    outcomes: tuple[MethodOutcome, ...]
    outbox: tuple[OutboxEntry, ...]
    known: bytes
    last_write: int
    ended_at: int | None
    garbage: tuple[str, ...]
    ready: tuple[str, ...] = ()


_STATE_HEAD = array_head(1 + len(attrs.fields(StoredState))) + encode_items([_STATE])
_RUN_HEAD = array_head(1 + len(attrs.fields(StoredRun))) + encode_items([_RUN])


def to_bytes(state: WorkflowState) -> bytes:
    """The head of a state; the segments that it lists and that are new are in its logs.

    These are the bytes of a ``StoredState``, joined from parts: most of a head is the same from
    write to write.
    """
    outbox = state.outbox
    last = encode_items(
        [
            [to_plain(entry) for entry in outbox.entries],
            b"".join(outbox.known),
            outbox.last_write,
            state.ended_at,
            state.garbage,
            [m for m in state.ready if m in state.methods],
        ]
    )
    runs = [_run_bytes(run) for run in state.methods.values()]
    return b"".join([_first_part(state), array_head(len(runs)), *runs, _middle_part(state), last])


def _first_part(state: WorkflowState) -> bytes:
    """Up to ``created_at``: all this is set when the workflow starts, but its version."""
    key = state.started, state.workflow_version
    if state.stored is None or state.stored[0] != key:
        items: list[object] = [
            FORMAT,
            state.workflow_id,
            state.workflow_name,
            state.workflow_version,
            sorted(state.tags),
            state.meta,
            state.started,
            state.created_at,
        ]
        state.stored = key, _STATE_HEAD + encode_items(items)
    return state.stored[1]


def _middle_part(state: WorkflowState) -> bytes:
    """From ``running`` to ``outcomes``; many workflows have nothing of all that."""
    mailbox = state.mailbox
    if not (
        state.running
        or state.properties
        or state.values
        or state.receivers
        or mailbox.log.entries
        or mailbox.first
        or mailbox.taken
        or state.discarding
        or state.outcomes
    ):
        return _NOTHING
    items: list[object] = [
        state.running and to_plain(state.running),
        state.properties,
        state.values and _unlogged_values(state),
        [
            to_plain(StoredChannel(name, tuple(receivers)))
            for name, receivers in state.receivers.items()
        ],
        _log_items(mailbox.log),
        mailbox.first,
        sorted(mailbox.taken),
        sorted(state.discarding),
        [to_plain(outcome) for outcome in state.outcomes.values()],
    ]
    return encode_items(items)


_NO_ITEMS: list[object] = [None, {}, {}, [], [_LOG, [], []], 0, [], [], []]
_NOTHING = encode_items(_NO_ITEMS)


def _run_bytes(run: MethodRun) -> bytes:
    """A ``StoredRun``, whose first four fields never change."""
    if not run.stored:
        first = [run.method_id, run.method_name, run.arguments, to_plain(run.requester)]
        run.stored = _RUN_HEAD + encode_items(first)
    return run.stored + encode_items(
        [
            run.waiting_clients,
            _log_items(run.log),
            run.returned,
            [to_plain(waiting) for waiting in run.waiting_workflows],
            run.retry and to_plain(run.retry),
            run.retries,
        ]
    )


def _log_items(log: Log[Entry] | Log[ParkedSignal]) -> list[object]:
    return [_LOG, [to_plain(segment) for segment in log.segments], log.tail]


def _unlogged_values(state: WorkflowState) -> dict[bytes, bytes]:
    """Values that no log has: of equal values one copy is stored."""
    logs = [run.known_values for run in state.methods.values()]
    return {
        digest: value
        for digest, value in state.values.items()
        if not any(digest in logged for logged in logs)
    }


def head_from_bytes(data: bytes) -> StoredState:
    """The head in these bytes.

    Raises:
        UndecodableMessage: They are no head, or one of a later release's format.
    """
    stored = decode(data)
    if not isinstance(stored, StoredState) or stored.format > FORMAT:
        msg = f"stored workflow state has a form that this release cannot read: {stored!r:.80}"
        raise UndecodableMessage(msg)
    return stored


def segment_keys(head: StoredState) -> list[str]:
    """The keys of all segments that a head lists."""
    logs = [head.mailbox, *(run.log for run in head.runs)]
    return [segment.key for log in logs for segment in log.segments]
