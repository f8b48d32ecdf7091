"""States, with a log line for each access: for debugging."""

from __future__ import annotations

import logging
from collections.abc import Collection

from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._storage.states import WorkflowStateStorage

_LOGGER = logging.getLogger("infinitic.workflow_engine.states")


class LoggedWorkflowStateStorage:
    """Logs, at debug level, what is read and written through another storage of states."""

    def __init__(self, storage: WorkflowStateStorage) -> None:
        self._storage = storage

    async def get_states(self, workflow_ids: Collection[str]) -> dict[str, WorkflowState | None]:
        """As the storage behind."""
        states = await self._storage.get_states(workflow_ids)
        for workflow_id, state in states.items():
            version = 0 if state is None else state.version
            _log("read", workflow_id, version)
        return states

    async def update_states(self, states: Collection[WorkflowState]) -> dict[str, bool]:
        """As the storage behind."""
        written = await self._storage.update_states(states)
        for state in states:
            verb = "wrote" if written[state.workflow_id] else "lost the race for"
            _log(verb, state.workflow_id, state.version)
        return written

    async def delete_segments(self, keys: Collection[str]) -> None:
        """As the storage behind."""
        await self._storage.delete_segments(keys)


def _log(verb: str, workflow_id: str, version: int) -> None:
    _LOGGER.debug(
        "%s state of %s at version %d",
        verb,
        workflow_id,
        version,
        extra={"workflow_id": workflow_id},
    )
