"""The messages of a command that leaves: the same ones each time they are made."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from infinitic_common.codec import encode
from infinitic_common.command_ids import command_id
from infinitic_common.events import TimerDispatched
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
    CancelWorkflow,
    CommandByTag,
    DispatchMethod,
    DispatchWorkflow,
    ExecuteTask,
    RemoteMethodFailed,
    RemoveTagFromWorkflow,
    SendSignal,
    StartByCustomId,
    TaskTimedOut,
    TimerCompleted,
)
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.stub_options import CUSTOM_ID
from infinitic_common.trace_context import TRACE_KEYS, inherited
from infinitic_workflow_engine._core.outbox import CommandsEffect
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import TAGS, Emission, TimerTold, emission


def command_emissions(
    state: WorkflowState, run: MethodRun, position: int, effect: CommandsEffect
) -> Iterator[Emission]:
    """The messages of the command at a position."""
    command = run.commands[position]
    if TRACE_KEYS[0] in state.meta and isinstance(command, TaskCommand | ChildWorkflowCommand):
        command = attrs.evolve(command, meta=inherited(command.meta, state.meta))
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
            yield _timer(command, identifier, requester, effect)
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
    start = DispatchWorkflow(
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
    custom_id = _custom_id(command)
    if custom_id is None:
        for tag in sorted(command.tags):
            identifier = derived_id("tag", workflow_id, tag)
            add = AddTagToWorkflow(identifier, command.workflow_name, workflow_id, tag)
            yield emission(add, wave=TAGS)
        yield emission(start, about=command.timeout_ms)
    else:
        yield emission(_unique(start, custom_id), about=command.timeout_ms)
    yield from _remote_timeout(command, (workflow_id, workflow_id), requester, effect)


def void_emissions(state: WorkflowState, run: MethodRun, position: int) -> Iterator[Emission]:
    """Instead of a command that nobody wants any more: what takes back the part that may have left.

    Tags are published before the start of a child. One that has started after all is cancelled.
    """
    command = run.commands[position]
    if not isinstance(command, ChildWorkflowCommand) or _custom_id(command) is not None:
        return
    if (position, 0) not in run.outcomes:
        workflow_id = command_id(state.workflow_id, run.method_id, position)
        for tag in sorted(command.tags):
            identifier = derived_id("untag", workflow_id, tag)
            name = command.workflow_name
            yield emission(RemoveTagFromWorkflow(identifier, name, workflow_id, tag))


def _custom_id(command: ChildWorkflowCommand) -> str | None:
    return min((tag for tag in command.tags if tag.startswith(CUSTOM_ID)), default=None)


def _unique(start: DispatchWorkflow, tag: str) -> StartByCustomId:
    """A start that the tag engine lets pass, with its tags, when the custom id is free."""
    return StartByCustomId(
        message_id=start.message_id,
        workflow_name=start.workflow_name,
        tag=tag,
        start=encode(start),
        requester=start.requester,
    )


def _by_tag(command: DispatchMethod | SendSignal | CancelWorkflow, tag: str) -> CommandByTag:
    """A command, for the tag engine to give to every workflow that has the tag."""
    return CommandByTag(
        message_id=command.message_id,
        workflow_name=command.workflow_name,
        tag=tag,
        command=encode(command),
        requester=command.requester,
    )


def _remote_method(
    command: RemoteMethodCommand,
    method_id: str,
    requester: WorkflowRequester,
    effect: CommandsEffect,
) -> Iterator[Emission]:
    tag = command.workflow_tag
    if command.workflow_id != requester.workflow_id:
        dispatch = method_dispatch(command, method_id, requester, effect.at)
        sent = dispatch if tag is None else _by_tag(dispatch, tag)
        yield emission(sent, about=command.timeout_ms)
    target = command.workflow_id or f"tag {tag}"
    yield from _remote_timeout(command, (target, method_id), requester, effect)


def method_dispatch(
    command: RemoteMethodCommand, method_id: str, requester: WorkflowRequester, at: int
) -> DispatchMethod:
    """The message that has another workflow run a method."""
    return DispatchMethod(
        message_id=method_id,
        workflow_name=command.workflow_name,
        workflow_id=command.workflow_id or "",
        method_id=method_id,
        method_name=command.method_name,
        arguments=command.arguments,
        requester=requester,
        client_waiting=False,
        emitted_at=at,
    )


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
    if command.workflow_id == requester.workflow_id:
        return
    signal = signal_sending(command, signal_id, requester, effect.at)
    tag = command.workflow_tag
    yield emission(signal if tag is None else _by_tag(signal, tag))


def signal_sending(
    command: SendSignalCommand, signal_id: str, requester: WorkflowRequester, at: int
) -> SendSignal:
    """The message that gives another workflow a signal."""
    return SendSignal(
        message_id=signal_id,
        workflow_name=command.workflow_name,
        workflow_id=command.workflow_id or "",
        channel_name=command.channel_name,
        signal_id=signal_id,
        value=command.value,
        value_types=command.value_types,
        requester=requester,
        emitted_at=at,
    )


def cancellation(
    state: WorkflowState, run: MethodRun, position: int, now: int
) -> CancelWorkflow | CommandByTag | None:
    """What cancels a child, or the run of a method, that is elsewhere; None for another command.

    It takes the way that the dispatch took, so that it cannot overtake it. Of a child that has a
    custom id the main run is named: another workflow may have the custom id.
    """
    command = run.commands[position]
    target = command_id(state.workflow_id, run.method_id, position)
    tag: str | None = None
    match command:
        case ChildWorkflowCommand():
            tag = _custom_id(command)
            workflow_id, method_id = target, None if tag is None else target
        case RemoteMethodCommand() if command.workflow_id != state.workflow_id:
            tag = command.workflow_tag
            workflow_id, method_id = command.workflow_id or "", target
        case _:
            return None
    cancel = CancelWorkflow(
        message_id=derived_id("cancel", target),
        workflow_name=command.workflow_name,
        workflow_id=workflow_id if tag is None else "",
        method_id=method_id,
        requester=requester_of(state, run, position),
        emitted_at=now,
    )
    return cancel if tag is None else _by_tag(cancel, tag)


def _timer(
    command: TimerCommand, timer_id: str, requester: WorkflowRequester, effect: CommandsEffect
) -> Emission:
    """The message that ends a timer when it is due."""
    message = TimerCompleted(
        message_id=derived_id("timer", timer_id),
        workflow_name=requester.workflow_name,
        workflow_id=requester.workflow_id,
        method_id=requester.method_id,
        position=requester.position,
        emitted_at=command.fires_at,
    )
    timer = TimerDispatched(timer_id, command.fires_at, command.duration_ms, effect.at)
    about = TimerTold(requester, timer)
    return emission(message, deliver_at=command.fires_at, now=effect.at, about=about)
