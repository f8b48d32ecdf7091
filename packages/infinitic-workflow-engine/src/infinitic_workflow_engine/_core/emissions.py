"""The messages of an effect: the same ones each time it is emitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from infinitic_common.codec import decode, encode
from infinitic_common.history import (
    ChildWorkflowCommand,
    RemoteMethodCommand,
    SendSignalCommand,
    TaskCommand,
)
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    Message,
    MethodCompleted,
    MethodFailed,
    RemoteMethodCompleted,
    RemoteMethodFailed,
    RemoveTagFromWorkflow,
)
from infinitic_common.requesters import ClientRequester, Requester
from infinitic_workflow_engine._core.cancels import is_canceled
from infinitic_workflow_engine._core.dispatches import command_emissions, void_emissions
from infinitic_workflow_engine._core.outbox import (
    CommandsEffect,
    Effect,
    MessageEffect,
    OutcomeEffect,
    ToldEffect,
    WorkflowTaskEffect,
)
from infinitic_workflow_engine._core.remote_dispatches import (
    is_in_progress,
    workflow_task_emissions,
)
from infinitic_workflow_engine._core.state import MethodOutcome, MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import ALL, ANSWERS, Emission, Turn, emission

_LEAVES = (TaskCommand, ChildWorkflowCommand, RemoteMethodCommand)


def emit(state: WorkflowState, turn: Turn, effect: Effect) -> None:
    """Add an effect to the turn."""
    turn.effects.append(effect)
    turn.emissions.extend(emissions(state, effect))


def tell(state: WorkflowState, turn: Turn, message: Message) -> None:
    """Add a message to the turn that is not made from what the state has."""
    emit(state, turn, MessageEffect(encode(message)))


def emissions(state: WorkflowState, effect: Effect) -> Iterator[Emission]:
    """What an effect publishes; nothing when what it refers to is over."""
    match effect:
        case CommandsEffect():
            run = state.methods.get(effect.method_id)
            if run is not None:
                for position in effect.positions:
                    if _is_over(state, run, position, effect.sequence):
                        yield from void_emissions(state, run, position)
                    else:
                        yield from command_emissions(state, run, position, effect)
        case OutcomeEffect():
            outcome = state.outcomes.get(effect.method_id)
            if outcome is not None:
                yield answer(state, outcome, effect.requester)
        case MessageEffect():
            message = cast("Message", decode(effect.message))
            answers = isinstance(message, MethodCompleted | MethodFailed)
            wave = ANSWERS if answers else ALL
            yield emission(message, deliver_at=effect.deliver_at, wave=wave)
        case WorkflowTaskEffect():
            yield from workflow_task_emissions(state, effect)
        case ToldEffect():
            pass


def _is_over(state: WorkflowState, run: MethodRun, position: int, sequence: int) -> bool:
    """Whether nobody waits any more for what a command started, or it was started anew since.

    To start it again would leave behind what nobody ends: a child, or the tags of a task.
    """
    command = run.commands[position]
    if isinstance(command, _LEAVES):
        unheard = is_canceled(state, run) and not run.canceled
        retried = sequence < run.sequences.get(position, 0)
        return unheard or retried or position not in run.ongoing
    return (position, 0) in run.outcomes and not isinstance(command, SendSignalCommand)


def answer(state: WorkflowState, outcome: MethodOutcome, requester: Requester) -> Emission:
    """How a run ended, told to a requester."""
    return emission(answer_message(state, outcome, requester), wave=ANSWERS)


def answer_message(state: WorkflowState, outcome: MethodOutcome, requester: Requester) -> Message:
    """The message that tells a requester how a run ended, or that it failed for now."""
    if isinstance(requester, ClientRequester):
        return _to_client(state, outcome, requester.client_name)
    place = requester.workflow_id, requester.method_id, requester.position
    identifier = derived_id("answer", state.workflow_id, outcome.method_id, *place)
    target = (requester.workflow_name, requester.workflow_id, requester.method_id)
    if outcome.error is None:
        value = cast("bytes", outcome.value)
        return RemoteMethodCompleted(
            identifier, *target, requester.position, value, outcome.ended_at
        )
    identifier = derived_id(identifier, outcome.ended_at, outcome.generation)
    return RemoteMethodFailed(
        identifier, *target, requester.position, outcome.error, outcome.ended_at
    )


def _to_client(state: WorkflowState, outcome: MethodOutcome, client_name: str) -> Message:
    identifier = derived_id("answer", state.workflow_id, outcome.method_id, client_name)
    if outcome.error is None:
        value = cast("bytes", outcome.value)
        return MethodCompleted(identifier, client_name, state.workflow_id, outcome.method_id, value)
    identifier = derived_id(identifier, outcome.ended_at, outcome.generation)
    return MethodFailed(
        identifier, client_name, state.workflow_id, outcome.method_id, outcome.error
    )


def tag_removals(state: WorkflowState) -> Iterator[Message]:
    """Tell the tag engine that an ended workflow's tags find it no more."""
    for tag in sorted(state.tags):
        identifier = derived_id("untag", state.workflow_id, tag)
        yield RemoveTagFromWorkflow(identifier, state.workflow_name, state.workflow_id, tag)


def drop_done(state: WorkflowState) -> None:
    """Forget outbox entries that reached the broker: seen here, or shown by their outcomes."""
    state.outbox.drop_confirmed()
    if state.outbox.entries:
        state.outbox.entries = [
            entry for entry in state.outbox.entries if not _all_ended(state, entry.effects)
        ]


def _all_ended(state: WorkflowState, effects: tuple[Effect, ...]) -> bool:
    return all(_has_ended(state, effect) for effect in effects)


def _has_ended(state: WorkflowState, effect: Effect) -> bool:
    if isinstance(effect, WorkflowTaskEffect):
        return not is_in_progress(state, effect)
    if not isinstance(effect, CommandsEffect):
        return False
    run = state.methods.get(effect.method_id)
    return run is not None and all(
        (position, 0) in run.outcomes and not isinstance(run.commands[position], SendSignalCommand)
        for position in effect.positions
    )
