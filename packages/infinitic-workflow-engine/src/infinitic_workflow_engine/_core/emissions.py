"""The messages of an effect: the same ones each time it is emitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from infinitic_common.codec import decode
from infinitic_common.command_ids import command_id
from infinitic_common.failures import WorkflowTimedOutError
from infinitic_common.history import (
    ChildWorkflowCommand,
    RemoteMethodCommand,
    SendSignalCommand,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    AddTagToTask,
    AddTagToWorkflow,
    DispatchMethod,
    DispatchWorkflow,
    ExecuteTask,
    Message,
    MethodCompleted,
    MethodFailed,
    RemoteMethodCompleted,
    RemoteMethodFailed,
    RemoveTagFromWorkflow,
    SendSignal,
    TaskTimedOut,
    TimerCompleted,
)
from infinitic_common.requesters import ClientRequester, Requester, WorkflowRequester
from infinitic_workflow_engine._core.outbox import (
    CommandsEffect,
    Effect,
    MessageEffect,
    OutcomeEffect,
)
from infinitic_workflow_engine._core.state import MethodOutcome, MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import ALL, ANSWERS, TAGS, Emission, emission


def emissions(state: WorkflowState, effect: Effect) -> Iterator[Emission]:
    """What an effect publishes; nothing when what it refers to is over."""
    match effect:
        case CommandsEffect():
            run = state.methods.get(effect.method_id)
            if run is not None:
                for position in effect.positions:
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


def command_emissions(
    state: WorkflowState, run: MethodRun, position: int, effect: CommandsEffect
) -> Iterator[Emission]:
    """The messages of the command at a position."""
    command = run.commands[position]
    requester = requester_of(state, run, position)
    identifier = command_id(state.workflow_id, run.method_id, position)
    match command:
        case TaskCommand():
            yield from _task(command, identifier, requester, effect)
        case ChildWorkflowCommand():
            yield from _child(command, identifier, requester, effect)
        case RemoteMethodCommand():
            yield from _remote_method(command, identifier, requester, effect)
        case SendSignalCommand():
            yield from _signal(command, identifier, requester, effect)
        case TimerCommand():
            yield timer_emission(command.fires_at, identifier, requester, effect.at)
        case _:
            pass


def requester_of(state: WorkflowState, run: MethodRun, position: int) -> WorkflowRequester:
    """The command of a run, as the one who asks."""
    return WorkflowRequester(
        workflow_name=state.workflow_name,
        workflow_id=state.workflow_id,
        method_name=run.method_name,
        method_id=run.method_id,
        position=position,
        workflow_version=state.workflow_version or 0,
    )


def _task(
    command: TaskCommand, task_id: str, requester: WorkflowRequester, effect: CommandsEffect
) -> Iterator[Emission]:
    sequence = effect.sequence
    for tag in sorted(command.tags):
        add = AddTagToTask(
            derived_id("tag", task_id, tag, sequence), command.service_name, task_id, tag
        )
        yield emission(add, wave=TAGS)
    yield emission(
        ExecuteTask(
            message_id=derived_id("task", task_id, sequence) if sequence else task_id,
            service_name=command.service_name,
            task_id=task_id,
            method_name=command.method_name,
            arguments=command.arguments,
            tags=command.tags,
            meta=command.meta,
            requester=requester,
            retry_sequence=sequence,
            emitted_at=effect.at,
        )
    )
    if command.timeout_ms is not None and not sequence:
        due = effect.at + command.timeout_ms
        timed_out = TaskTimedOut(
            message_id=derived_id("timeout", task_id),
            workflow_name=requester.workflow_name,
            workflow_id=requester.workflow_id,
            method_id=requester.method_id,
            position=requester.position,
            task_id=task_id,
            emitted_at=due,
        )
        yield emission(timed_out, deliver_at=due)


def _child(
    command: ChildWorkflowCommand,
    workflow_id: str,
    requester: WorkflowRequester,
    effect: CommandsEffect,
) -> Iterator[Emission]:
    for tag in sorted(command.tags):
        identifier = derived_id("tag", workflow_id, tag)
        yield emission(
            AddTagToWorkflow(identifier, command.workflow_name, workflow_id, tag), wave=TAGS
        )
    yield emission(
        DispatchWorkflow(
            message_id=workflow_id,
            workflow_name=command.workflow_name,
            workflow_id=workflow_id,
            method_name=command.method_name,
            arguments=command.arguments,
            tags=command.tags,
            meta=command.meta,
            requester=requester,
            client_waiting=False,
            emitted_at=effect.at,
        )
    )
    yield from _remote_timeout(command, (workflow_id, workflow_id), requester, effect)


def _remote_method(
    command: RemoteMethodCommand,
    method_id: str,
    requester: WorkflowRequester,
    effect: CommandsEffect,
) -> Iterator[Emission]:
    if command.workflow_id is None:
        return
    if command.workflow_id != requester.workflow_id:
        yield emission(
            DispatchMethod(
                message_id=method_id,
                workflow_name=command.workflow_name,
                workflow_id=command.workflow_id,
                method_id=method_id,
                method_name=command.method_name,
                arguments=command.arguments,
                requester=requester,
                client_waiting=False,
                emitted_at=effect.at,
            )
        )
    yield from _remote_timeout(command, (command.workflow_id, method_id), requester, effect)


def _remote_timeout(
    command: ChildWorkflowCommand | RemoteMethodCommand,
    target: tuple[str, str],
    requester: WorkflowRequester,
    effect: CommandsEffect,
) -> Iterator[Emission]:
    if command.timeout_ms is None:
        return
    workflow_id, method_id = target
    due = effect.at + command.timeout_ms
    error = WorkflowTimedOutError(
        command.workflow_name, workflow_id, command.method_name, method_id
    )
    yield emission(
        RemoteMethodFailed(
            message_id=derived_id("timeout", method_id),
            workflow_name=requester.workflow_name,
            workflow_id=requester.workflow_id,
            method_id=requester.method_id,
            position=requester.position,
            error=error,
            emitted_at=due,
        ),
        deliver_at=due,
    )


def _signal(
    command: SendSignalCommand,
    signal_id: str,
    requester: WorkflowRequester,
    effect: CommandsEffect,
) -> Iterator[Emission]:
    if command.workflow_id is None or command.workflow_id == requester.workflow_id:
        return
    yield emission(
        SendSignal(
            message_id=signal_id,
            workflow_name=command.workflow_name,
            workflow_id=command.workflow_id,
            channel_name=command.channel_name,
            signal_id=signal_id,
            value=command.value,
            value_types=command.value_types,
            requester=requester,
            emitted_at=effect.at,
        )
    )


def timer_emission(
    fires_at: int, timer_id: str, requester: WorkflowRequester, now: int
) -> Emission:
    """The message that ends a timer when it is due."""
    message = TimerCompleted(
        message_id=derived_id("timer", timer_id),
        workflow_name=requester.workflow_name,
        workflow_id=requester.workflow_id,
        method_id=requester.method_id,
        position=requester.position,
        emitted_at=fires_at,
    )
    return emission(message, deliver_at=fires_at, now=now)


def answer(state: WorkflowState, outcome: MethodOutcome, requester: Requester) -> Emission:
    """How a run ended, told to a requester."""
    return emission(answer_message(state, outcome, requester), wave=ANSWERS)


def answer_message(state: WorkflowState, outcome: MethodOutcome, requester: Requester) -> Message:
    """The message that tells a requester how a run ended, or that it failed for now."""
    if isinstance(requester, ClientRequester):
        return _to_client(state, outcome, requester.client_name)
    identifier = derived_id("answer", outcome.method_id, requester.method_id, requester.position)
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
    identifier = derived_id("answer", outcome.method_id, client_name)
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
    return all(
        isinstance(effect, CommandsEffect) and _has_ended(state, effect) for effect in effects
    )


def _has_ended(state: WorkflowState, effect: CommandsEffect) -> bool:
    run = state.methods.get(effect.method_id)
    return run is not None and all(
        (position, 0) in run.outcomes and not isinstance(run.commands[position], SendSignalCommand)
        for position in effect.positions
    )
