"""When the code of a run goes on: the next workflow task, from the state."""

from __future__ import annotations

from collections.abc import Mapping

from infinitic_common.history import MethodStarted, RunCanceled, StepEnded
from infinitic_common.ids import derived_id
from infinitic_common.workflow_tasks import WorkflowTask
from infinitic_workflow_engine._core.cancels import is_canceled
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import Turn


def add_run(state: WorkflowState, run: MethodRun) -> None:
    """A method run begins: its code runs when its turn comes."""
    state.methods[run.method_id] = run
    state.ready.append(run.method_id)
    state.dirty = True


def pump(state: WorkflowState, turn: Turn) -> None:
    """Ask for the next workflow task, when one is due and none is running."""
    while state.ready and turn.task is None and state.running is None:
        run = state.methods.get(state.ready.pop(0))
        if run is not None and not run.returned:
            _resume(state, run, turn.now)
            turn.task = workflow_task(state, run, turn.number)


def _resume(state: WorkflowState, run: MethodRun, now: int) -> None:
    """Record what lets the run go on, with the properties as they are now."""
    state.dirty = True
    run.stalled = None
    if run.pending is None:
        run.log.append(MethodStarted(now, *_snapshot(state, run)))
    elif is_canceled(state, run) and not run.canceled:
        run.log.append(RunCanceled(run.pending.position, now, *_snapshot(state, run)))
        run.canceled = True
        run.ongoing.clear()
    else:
        run.log.append(StepEnded(run.pending.position, now, *_snapshot(state, run)))
    run.resumed_at = len(run.log.entries)


def _snapshot(
    state: WorkflowState, run: MethodRun
) -> tuple[Mapping[str, bytes] | None, Mapping[bytes, bytes]]:
    """The properties, when they differ from the last snapshot in the log; and values new to it."""
    unset = run.snapshot is None and not state.properties
    if unset or run.snapshot == state.properties:
        return None, {}
    run.snapshot = dict(state.properties)
    new = {h: state.values[h] for h in run.snapshot.values() if h not in run.known_values}
    run.known_values.update(new)
    return run.snapshot, new


def workflow_task(state: WorkflowState, run: MethodRun, turn_number: int) -> WorkflowTask:
    """The task that runs the code of a run, from its history."""
    return WorkflowTask(
        task_id=derived_id("workflow-task", state.workflow_id, run.method_id, len(run.log.entries)),
        workflow_name=state.workflow_name,
        workflow_id=state.workflow_id,
        workflow_version=state.workflow_version,
        tags=state.tags,
        meta=state.meta,
        method_id=run.method_id,
        method_name=run.method_name,
        arguments=run.arguments,
        history=run.log.entries,
        visible=run.resumed_at,
        state_version=state.version,
        turn=turn_number,
        retry_index=run.retries,
    )
