"""How the code of a cancelled run learns of it: who waits was told, the record stays meanwhile."""

from __future__ import annotations

from infinitic_common.history import RunCanceled
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import Turn

INTERRUPTED = -1
"""Instead of the order of the outcome that ended a wait: a cancellation did."""


def is_canceled(state: WorkflowState, run: MethodRun) -> bool:
    """Whether the run was cancelled and is cleaning up: its outcome is there, and it is too."""
    return run.method_id in state.outcomes and not run.returned


def can_clean_up(run: MethodRun) -> bool:
    """Whether there is code to go on, in a wait: a run that never began, or stalled, just ends."""
    return run.pending is not None and run.stalled is None and not run.returned


def clean_up(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    """Have the code of a run go on where it waits, with an exception.

    A task of its code that another process is at is void. A wait in which the code shields itself
    goes on: the code is told when it does.
    """
    pending = run.pending
    if pending is None:
        return
    run.ongoing.clear()
    ended = pending.resolved is not None
    if run.shielded:
        run.log.append(RunCanceled(None, turn.now))
        run.canceled = True
    else:
        pending.resolved = INTERRUPTED
    if state.running is not None and state.running.method_id == run.method_id:
        state.running = None
    if (ended or not run.shielded) and run.method_id not in state.ready:
        state.ready.append(run.method_id)
    state.dirty = True
