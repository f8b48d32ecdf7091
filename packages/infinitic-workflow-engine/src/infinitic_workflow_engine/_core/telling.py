"""Events that tell of what messages led to.

Those that nothing but this turn knows of are remembered with its effects, until the broker has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from infinitic_common.codec import encode
from infinitic_common.events import EncodedValue, EventType, workflow_event
from infinitic_common.failures import DeferredError
from infinitic_common.history import MethodStarted
from infinitic_workflow_engine._core.outbox import CommandsEffect, Effect, ToldEffect
from infinitic_workflow_engine._core.own_commands import tell_own
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import Turn

Plain = Sequence[object]

_BODY = 5
"""Where the array of an event has its body; the method id comes next."""


def tell_run(  # noqa: PLR0913 - the fields of an event
    state: WorkflowState,
    run: MethodRun,
    event_type: str,
    turn: Turn,
    *,
    event_id: str | None = None,
    body: bytes = b"",
    names: dict[str, object] | None = None,
    duration_ms: float | None = None,
    remember: bool = False,
) -> None:
    """Tell of a run; to be remembered until the broker has it, unless it is of little use."""
    if turn.events is None:
        return
    event = workflow_event(
        event_type,
        event_id or f"{_name(state, run)}/{event_type.partition('.')[2]}",
        turn.now,
        state.workflow_id,
        body,
        run.method_id,
        run.method_name,
        state.workflow_version,
        names or {},
        duration_ms,
    )
    turn.events.append(event)
    if remember:
        turn.effects.append(ToldEffect(_with_body(event, b"") if body else event))


def _name(state: WorkflowState, run: MethodRun) -> str:
    """What tells a run from all others: run by tag, a method has one id in several workflows."""
    main = run.method_id == state.workflow_id
    return run.method_id if main else f"{state.workflow_id}/{run.method_id}"


def tell_workflow(
    state: WorkflowState,
    event_type: str,
    turn: Turn,
    *,
    event_id: str | None = None,
    duration_ms: float | None = None,
) -> None:
    """Tell of a workflow as a whole, remembered until the broker has it."""
    if turn.events is None:
        return
    event = workflow_event(
        event_type,
        event_id or f"{state.workflow_id}/{event_type.partition('.')[2]}",
        turn.now,
        state.workflow_id,
        workflow_version=state.workflow_version,
        duration_ms=duration_ms,
    )
    turn.events.append(event)
    turn.effects.append(ToldEffect(event))


def tell_code_ran(state: WorkflowState, run: MethodRun, task_id: str, turn: Turn) -> None:
    """Tell that code ran here; not remembered, as what it did is told anyway."""
    if turn.events is not None:
        version, retries = state.workflow_version, run.retries
        who = (state.workflow_id, run.method_id, run.method_name)
        turn.events.append((246, task_id, turn.now, *who, version, retries))


def tell_executor(  # noqa: PLR0913 - the fields of an event
    state: WorkflowState,
    run: MethodRun,
    event_type: str,
    task_id: str,
    turn: Turn,
    *,
    error: DeferredError | None = None,
    retry_after_ms: int | None = None,
) -> None:
    """Tell of a workflow task; not remembered, as what it did is told anyway."""
    if turn.events is None:
        return
    names: dict[str, object] = {"taskId": task_id, "retryIndex": run.retries}
    if error is not None:
        seconds = None if retry_after_ms is None else retry_after_ms / 1000
        names["secondsBeforeRetry"] = seconds
    tell_run(
        state,
        run,
        event_type,
        turn,
        event_id=f"{task_id}/{event_type.partition('.')[2]}",
        body=b"" if error is None else encode(error),
        names=names,
    )


def tell_completed(state: WorkflowState, run: MethodRun, value: bytes, turn: Turn) -> None:
    """Tell that a run returned."""
    if turn.events is not None:
        body, took = encode(EncodedValue(value)), duration(run, turn)
        event_type = EventType.METHOD_COMPLETED
        tell_run(state, run, event_type, turn, body=body, duration_ms=took, remember=True)


def tell_failed(state: WorkflowState, run: MethodRun, error: DeferredError, turn: Turn) -> None:
    """Tell that a run is stalled."""
    if turn.events is not None:
        tell_run(
            state,
            run,
            EventType.METHOD_FAILED,
            turn,
            event_id=f"{_name(state, run)}/methodFailed/{len(run.log.entries)}",
            body=encode(error),
            remember=True,
        )


def duration(run: MethodRun, turn: Turn) -> float | None:
    """How long a run has lasted, in milliseconds; None when its code has not begun."""
    first = run.log.entries[0] if run.log.entries else None
    return float(turn.now - first.at) if isinstance(first, MethodStarted) else None


def tell_signal(
    state: WorkflowState, event_type: str, signal_id: str, channel_name: str, turn: Turn
) -> None:
    """Tell that a signal was received or discarded; what is received is remembered."""
    if turn.events is None:
        return
    event = workflow_event(
        event_type,
        f"{state.workflow_id}/{signal_id}/{event_type.partition('.')[2]}",
        turn.now,
        state.workflow_id,
        workflow_version=state.workflow_version,
        names={"signalId": signal_id, "channel": channel_name},
    )
    turn.events.append(event)
    if event_type == EventType.SIGNAL_RECEIVED:
        turn.effects.append(ToldEffect(event))


def tell_again(state: WorkflowState, effect: Effect, turn: Turn) -> None:
    """Tell what an effect that is emitted again tells, besides its messages."""
    if turn.events is None:
        return
    if isinstance(effect, ToldEffect):
        turn.events.append(_remembered(state, cast("Plain", effect.event)))
    elif isinstance(effect, CommandsEffect) and effect.method_id in state.methods:
        for position in effect.positions:
            tell_own(state, state.methods[effect.method_id], position, effect, turn)


def _remembered(state: WorkflowState, event: Plain) -> Plain:
    """An event, with what the state has of it."""
    event_type, method_id = event[1], cast("str", event[_BODY + 1])
    if event_type == EventType.METHOD_COMPLETED:
        outcome = state.outcomes.get(method_id)
        if outcome is not None and outcome.value is not None:
            return _with_body(event, encode(EncodedValue(outcome.value)))
    elif event_type == EventType.METHOD_FAILED:
        run = state.methods.get(method_id)
        if run is not None and run.stalled is not None:
            return _with_body(event, encode(run.stalled))
    return event


def _with_body(event: Plain, body: bytes) -> Plain:
    return (*event[:_BODY], body, *event[_BODY + 1 :])
