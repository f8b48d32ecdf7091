"""The last write of a workflow: once all that it emitted has reached the broker, it may expire.

It costs a row and is not urgent: such writes are collected, off the path of messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from infinitic_common.exceptions import InfrastructureError
from infinitic_workflow_engine._cache import StateCache
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._storage.states import WorkflowStateStorage

_LOGGER = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
MOST_AT_ONCE = 500


class Closing:
    """Collects states that have ended, or have segments to delete, and finishes them in bulk.

    Args:
        storage: Has the states.
        cache: Forgets a state that is finished.
    """

    def __init__(self, storage: WorkflowStateStorage, cache: StateCache) -> None:
        self._storage = storage
        self._cache = cache
        self._due: dict[str, WorkflowState] = {}
        self._in_progress: dict[str, asyncio.Future[None]] = {}

    def note(self, state: WorkflowState) -> None:
        """A turn of the state is over."""
        unconfirmed = len(state.outbox.entries) - len(state.outbox.confirmed)
        if state.garbage or (
            state.ended_at is not None and state.outbox.entries and not unconfirmed
        ):
            self._due[state.workflow_id] = state

    async def wait_for(self, workflow_ids: Iterable[str]) -> None:
        """Called before a turn: these workflows are not written here meanwhile."""
        for workflow_id in workflow_ids:
            self._due.pop(workflow_id, None)
            writing = self._in_progress.get(workflow_id)
            if writing is not None:
                await writing

    async def run(self) -> None:
        """Finish what is due, again and again, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Finish what is due now; a store that is away only delays it."""
        while self._due:
            states = [self._due.popitem()[1] for _ in range(min(MOST_AT_ONCE, len(self._due)))]
            done = asyncio.get_running_loop().create_future()
            self._in_progress = {state.workflow_id: done for state in states}
            try:
                await self._finish(states)
            except InfrastructureError as error:
                _LOGGER.warning("%d ended workflows are not finished yet: %s", len(states), error)
                for state in states:
                    self._cache.drop(state.workflow_id)
                return
            finally:
                self._in_progress = {}
                done.set_result(None)

    async def _finish(self, states: list[WorkflowState]) -> None:
        garbage = [key for state in states for key in state.garbage]
        if garbage:
            await self._storage.delete_segments(garbage)
        for state in states:
            state.garbage = []
        ended = [state for state in states if state.ended_at is not None]
        for state in ended:
            state.outbox.drop_confirmed()
        if ended:
            await self._storage.update_states(ended)
        for state in ended:
            self._cache.drop(state.workflow_id)
