"""Live states of this process, bounded by what they hold."""

from __future__ import annotations

from collections import OrderedDict

from infinitic_workflow_engine._core.state import WorkflowState


class StateCache:
    """The states used last; never the judge of what is current: the stored version is.

    Args:
        max_entries: How many history entries all states together may hold.
    """

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._states: OrderedDict[str, tuple[WorkflowState, int]] = OrderedDict()
        self._entries = 0

    def get(self, workflow_id: str) -> WorkflowState | None:
        """The state, if it is here."""
        found = self._states.get(workflow_id)
        if found is None:
            return None
        self._states.move_to_end(workflow_id)
        return found[0]

    def put(self, state: WorkflowState) -> None:
        """Keep a state that was just read or written."""
        self.drop(state.workflow_id)
        size = 1 + sum(len(run.log.entries) for run in state.methods.values())
        self._states[state.workflow_id] = (state, size)
        self._entries += size
        while self._entries > self._max_entries and len(self._states) > 1:
            self.drop(next(iter(self._states)))

    def drop(self, workflow_id: str) -> None:
        """Forget a state."""
        found = self._states.pop(workflow_id, None)
        if found is not None:
            self._entries -= found[1]
