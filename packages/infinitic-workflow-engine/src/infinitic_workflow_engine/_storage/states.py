"""States by workflow id, over the port to key-value storage."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, TypeVar

import attrs

from infinitic_common.storage import ABSENT, KeyValueStorage, Write
from infinitic_workflow_engine._core.log import Log
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._storage.format import (
    StoredState,
    head_from_bytes,
    segment_keys,
    to_bytes,
)
from infinitic_workflow_engine._storage.restoring import from_head

E = TypeVar("E")

MAILBOX_ONLY_MS = 60_000
"""How long a record lives that only keeps signals which overtook the start of their workflow."""

UNFINISHED_MS = 30 * 24 * 3600 * 1000
"""How much longer an ended record lives that is not known to have reached everyone.

Only a process that died between the last acknowledgement and the last write leaves one; without a
bound it would stay for ever, and all workers being away for longer is not to be expected.
"""


def state_key(workflow_id: str) -> str:
    """The key of a workflow's record."""
    return f"workflow.state.{workflow_id}"


@attrs.frozen
class Retention:
    """How long ended workflows are kept.

    Attributes:
        outcome_ms: Milliseconds during which the result of an ended workflow is known.
        tombstone_ms: Milliseconds during which a repeated start is recognised.
    """

    outcome_ms: int = 24 * 3600 * 1000
    tombstone_ms: int = 3600 * 1000

    def expires_at(self, state: WorkflowState) -> int | None:
        """When the record may go; much later while something it emitted may be lost."""
        if not state.started:
            return state.created_at + MAILBOX_ONLY_MS
        if state.ended_at is None:
            return None
        kept = state.ended_at + max(self.outcome_ms, self.tombstone_ms)
        unfinished = state.outbox.entries or state.garbage
        return kept + UNFINISHED_MS if unfinished else kept


class WorkflowStateStorage(Protocol):
    """States in bulk. Errors are those of ``KeyValueStorage``."""

    async def get_states(self, workflow_ids: Collection[str]) -> dict[str, WorkflowState | None]:
        """The state of each workflow, None for an unknown one."""
        ...

    async def update_states(self, states: Collection[WorkflowState]) -> dict[str, bool]:
        """Write each state whose version is still the stored one; then its version has grown.

        A state that was refused must be thrown away and read again.
        """
        ...

    async def delete_segments(self, keys: Collection[str]) -> None:
        """Delete segments that no state lists any more."""
        ...


class KeyValueWorkflowStateStorage:
    """States as records of a key-value storage: one head each, and segments of long logs."""

    def __init__(self, storage: KeyValueStorage, retention: Retention) -> None:
        self._storage = storage
        self._retention = retention
        self._refused: dict[str, set[str]] = {}
        """Segments, by workflow, that were stored with a head that was refused."""

    async def get_states(self, workflow_ids: Collection[str]) -> dict[str, WorkflowState | None]:
        """The state of each workflow; one read, and a second one when there are long logs."""
        stored = await self._storage.get([state_key(i) for i in workflow_ids])
        heads: dict[str, tuple[StoredState, int]] = {}
        for workflow_id in workflow_ids:
            found = stored.get(state_key(workflow_id), ABSENT)
            if found.value is not None:
                heads[workflow_id] = (head_from_bytes(found.value), found.version)
        segments = await self._segments([head for head, _ in heads.values()])
        states: dict[str, WorkflowState | None] = dict.fromkeys(workflow_ids)
        for workflow_id, (head, version) in heads.items():
            states[workflow_id] = from_head(head, segments, version)
        if self._refused:
            await self._delete_refused({i: head for i, (head, _) in heads.items()}, workflow_ids)
        return states

    async def _delete_refused(
        self, heads: Mapping[str, StoredState], workflow_ids: Collection[str]
    ) -> None:
        # Whoever won against the refused head may have written the very same segment.
        for workflow_id in self._refused.keys() & set(workflow_ids):
            head = heads.get(workflow_id)
            listed = [] if head is None else segment_keys(head)
            await self._storage.delete(self._refused[workflow_id].difference(listed))
            del self._refused[workflow_id]

    async def _segments(self, heads: list[StoredState]) -> dict[str, bytes]:
        keys = [key for head in heads for key in segment_keys(head)]
        if not keys:
            return {}
        found = await self._storage.get(keys)
        return {key: stored.value for key, stored in found.items() if stored.value is not None}

    async def update_states(self, states: Collection[WorkflowState]) -> dict[str, bool]:
        """Write heads, and segments that are new, in one statement."""
        each = {state.workflow_id: self._writes(state) for state in states}
        writes = {key: write for one in each.values() for key, write in one.items()}
        written = await self._storage.put(writes)
        results: dict[str, bool] = {}
        for state in states:
            done = written[state_key(state.workflow_id)]
            results[state.workflow_id] = done
            if done:
                _mark_written(state)
            elif stored := {key for key in each[state.workflow_id] if written[key]}:
                self._refused.setdefault(state.workflow_id, set()).update(stored)
        return results

    def _writes(self, state: WorkflowState) -> Mapping[str, Write]:
        writes = _segment_writes(state, state.mailbox.log)
        for run in state.methods.values():
            writes.update(_segment_writes(state, run.log))
        head = Write(to_bytes(state), state.version, self._retention.expires_at(state))
        return {**writes, state_key(state.workflow_id): head}

    async def delete_segments(self, keys: Collection[str]) -> None:
        """Delete segments."""
        await self._storage.delete(keys)


def _segment_writes(state: WorkflowState, log: Log[E]) -> dict[str, Write]:
    log.seal(state.workflow_id, state.version)
    return {key: Write(data, 0) for key, data in log.unwritten.items()}


def _mark_written(state: WorkflowState) -> None:
    state.version += 1
    state.mailbox.log.unwritten = {}
    for run in state.methods.values():
        run.log.unwritten = {}
