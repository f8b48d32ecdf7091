"""What turns report to whoever watches the worker: runs that ended, and runs that stall."""

from __future__ import annotations

from collections.abc import Iterable

from infinitic_common.failures import DeferredError
from infinitic_common.telemetry import RunReport, Telemetry
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import Turn


def report(telemetry: Telemetry, turns: Iterable[Turn]) -> None:
    """Report turns whose states are written."""
    for turn in turns:
        state = turn.state
        if state is None:
            continue
        for run in turn.ended_runs:
            outcome = state.outcomes.get(run.method_id)
            if outcome is not None:
                telemetry.run_reported(_report(state, run, outcome.ended_at, outcome.error))
        for run in turn.stalled_runs:
            telemetry.run_reported(_report(state, run, turn.now, run.stalled, stalled=True))


def _report(
    state: WorkflowState,
    run: MethodRun,
    ended_at: int,
    error: DeferredError | None,
    *,
    stalled: bool = False,
) -> RunReport:
    is_main = run.method_id == state.workflow_id
    return RunReport(
        workflow_name=state.workflow_name,
        workflow_id=state.workflow_id,
        method_id=run.method_id,
        method_name=run.method_name,
        meta=state.meta,
        requester=run.requester,
        started_at=state.created_at if is_main else None,
        ended_at=ended_at,
        error=error,
        stalled=stalled,
    )
