"""Timers: due, or ended before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs

from infinitic_common.history import TimerCommand
from infinitic_common.messages import CompleteTimers, TimerCompleted
from infinitic_common.serialization import value_codec
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.tasks import run_with
from infinitic_workflow_engine._core.turn import Turn
from infinitic_workflow_engine._core.waits import complete_command

_INSTANT = value_codec(datetime, place="the value of a timer")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timer_completed(state: WorkflowState, message: TimerCompleted, turn: Turn) -> None:  # noqa: ARG001 - the signature of every handler
    """A timer is due; its value is the instant it was scheduled for, however late this comes."""
    run = run_with(state, message.method_id, message.position, TimerCommand)
    if run is not None:
        _end(state, run, message.position)


def complete_timers(state: WorkflowState, message: CompleteTimers, turn: Turn) -> None:  # noqa: ARG001 - as above
    """End now the timers that run, in order of position, and those that code at work starts."""
    for run in list(state.methods.values()):
        if message.method_id in (None, run.method_id):
            end_timers(state, run)
    running = state.running
    if running is not None and message.method_id in (None, running.method_id):
        state.running = attrs.evolve(running, ends_timers=True)
        state.dirty = True


def end_timers(state: WorkflowState, run: MethodRun) -> None:
    """End now the timers of a run, in order of position."""
    for position, command in sorted(run.commands.items()):
        if isinstance(command, TimerCommand):
            _end(state, run, position)


def _end(state: WorkflowState, run: MethodRun, position: int) -> None:
    command = run.commands[position]
    if isinstance(command, TimerCommand) and (position, 0) not in run.outcomes:
        instant = _EPOCH + timedelta(milliseconds=command.fires_at)
        complete_command(state, run, position, _INSTANT.encode(instant))
