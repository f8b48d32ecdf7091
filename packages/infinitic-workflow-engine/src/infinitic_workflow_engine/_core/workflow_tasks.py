"""What the code of a workflow did in a workflow task."""

from __future__ import annotations

from infinitic_common.command_ids import command_id
from infinitic_common.events import EventType
from infinitic_common.failures import (
    ExceptionDetail,
    TaskFailedError,
    TaskFailure,
    WorkflowExecutorFailedError,
)
from infinitic_common.history import (
    ChildWorkflowCommand,
    CommandIssued,
    InlineCommand,
    ReceiveCommand,
    RemoteMethodCommand,
    SendSignalCommand,
    StepStarted,
    TaskCommand,
)
from infinitic_common.serialization import content_hash
from infinitic_common.steps import Outcome, step_from_plain
from infinitic_common.workflow_tasks import WorkflowTaskResult
from infinitic_workflow_engine._core.channels import deliver, open_receive
from infinitic_workflow_engine._core.code_failures import code_failed, stall
from infinitic_workflow_engine._core.dispatches import command_emissions, requester_of
from infinitic_workflow_engine._core.ends import run_returned
from infinitic_workflow_engine._core.executors import awaiting_executor
from infinitic_workflow_engine._core.mailbox import ParkedSignal
from infinitic_workflow_engine._core.outbox import CommandsEffect
from infinitic_workflow_engine._core.own_commands import tell_own
from infinitic_workflow_engine._core.runs import add_run
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.telling import tell_code_ran, tell_executor
from infinitic_workflow_engine._core.turn import Emission, Turn
from infinitic_workflow_engine._core.unused_signals import note_uses
from infinitic_workflow_engine._core.waits import await_step, fail_command

_LEAVES = (
    TaskCommand,
    ChildWorkflowCommand,
    RemoteMethodCommand,
)


def workflow_task_ended(
    state: WorkflowState, method_id: str, result: WorkflowTaskResult, turn: Turn
) -> None:
    """Take in what a workflow task did; nothing when its run is gone (cancelled meanwhile)."""
    here = state.running is None
    state.running = None
    state.dirty = True
    run = state.methods.get(method_id)
    if run is None:
        return
    if result.error is not None:
        result = awaiting_executor(run, result)
    _tell(state, run, result, turn, here=here)
    if result.error is not None:
        code_failed(state, run, result, turn)
        return
    run.retries = 0
    if state.workflow_version is None:
        state.workflow_version = result.workflow_version
    _merge_properties(state, result)
    state.discarding = frozenset(result.discarding_channels)
    _issue(state, run, result, turn)
    if result.value is not None:
        _returned(state, run, result, turn)
    elif result.step is not None:
        step = result.step
        used = result.signals_used
        run.log.append(StepStarted(step.position, step.step, step.location, step.shielded, used))
        note_uses(run, used)
        run.shielded = step.shielded
        await_step(state, run, step.position, step_from_plain(step.step))


def _tell(
    state: WorkflowState, run: MethodRun, result: WorkflowTaskResult, turn: Turn, *, here: bool
) -> None:
    """Tell of the workflow task; of one that ran here also that it began."""
    task_id, error = result.task_id, result.error
    if here and error is None:
        tell_code_ran(state, run, task_id, turn)
        return
    if here:
        tell_executor(state, run, EventType.EXECUTOR_DISPATCHED, task_id, turn)
    if error is None:
        tell_executor(state, run, EventType.EXECUTOR_COMPLETED, task_id, turn)
    else:
        after = result.retry_after_ms
        event_type = EventType.EXECUTOR_FAILED
        tell_executor(state, run, event_type, task_id, turn, error=error, retry_after_ms=after)


def _merge_properties(state: WorkflowState, result: WorkflowTaskResult) -> None:
    for name, value in result.properties.items():
        digest = content_hash(value)
        state.properties[name] = digest
        state.values[digest] = value
    for name in result.removed_properties:
        state.properties.pop(name, None)
    if len(state.values) > 2 * len(state.properties):
        kept = set(state.properties.values())
        state.values = {digest: v for digest, v in state.values.items() if digest in kept}


def _issue(state: WorkflowState, run: MethodRun, result: WorkflowTaskResult, turn: Turn) -> None:
    for issued in result.commands:
        register(run, issued, run.log.append(issued))
    effect = CommandsEffect(
        run.method_id, tuple(c.position for c in result.commands if _leaves(c)), 0, turn.now
    )
    emissions: list[Emission] = []
    for issued in result.commands:
        emissions += _act(state, run, issued, effect, turn)
    if effect.positions:
        turn.effects.append(effect)
        turn.emissions += emissions


def _leaves(issued: CommandIssued) -> bool:
    return not isinstance(issued.command, InlineCommand | ReceiveCommand)


def register(run: MethodRun, issued: CommandIssued, order: int) -> None:
    """Know a command that is in the log, at that index."""
    command = issued.command
    run.commands[issued.position] = command
    if isinstance(command, _LEAVES):
        run.ongoing.add(issued.position)
    elif isinstance(command, InlineCommand | SendSignalCommand):
        run.outcomes[issued.position, 0] = Outcome(order)


def _act(
    state: WorkflowState, run: MethodRun, issued: CommandIssued, effect: CommandsEffect, turn: Turn
) -> list[Emission]:
    command, position = issued.command, issued.position
    if isinstance(command, ReceiveCommand):
        open_receive(state, run, position, turn)
        return []
    if isinstance(command, InlineCommand):
        return []
    if isinstance(command, RemoteMethodCommand) and command.workflow_id == state.workflow_id:
        _own_method(state, run, command, position)
        tell_own(state, run, position, effect, turn)
    if isinstance(command, SendSignalCommand) and command.workflow_id == state.workflow_id:
        tell_own(state, run, position, effect, turn)
        _own_signal(state, run, command, position, turn)
    emissions = list(command_emissions(state, run, position, effect))
    largest = max((len(e.message.body) for e in emissions), default=0)
    if largest > turn.max_message_bytes:
        _refuse(state, run, position, largest, turn)
        return []
    return emissions


def _own_method(
    state: WorkflowState, run: MethodRun, command: RemoteMethodCommand, position: int
) -> None:
    """A method of this very workflow starts after the code that asked for it waits."""
    method_id = command_id(state.workflow_id, run.method_id, position)
    requester = requester_of(state, run, position)
    add_run(state, MethodRun(method_id, command.method_name, command.arguments, requester))


def _own_signal(
    state: WorkflowState, run: MethodRun, command: SendSignalCommand, position: int, turn: Turn
) -> None:
    signal_id = command_id(state.workflow_id, run.method_id, position)
    signal = ParkedSignal(command.channel_name, signal_id, command.value, command.value_types)
    deliver(state, signal, turn)


def _refuse(state: WorkflowState, run: MethodRun, position: int, size: int, turn: Turn) -> None:
    """A command whose message the broker would not take has failed before it leaves."""
    command = run.commands[position]
    text = f"the message has {size} bytes and the broker takes {turn.max_message_bytes}: send less"
    detail = ExceptionDetail("infinitic_common.exceptions.PayloadTooLarge", text)
    failure = TaskFailure("", 0, 0, None, text, detail)
    identifier = command_id(state.workflow_id, run.method_id, position)
    if isinstance(command, TaskCommand):
        error = TaskFailedError(command.service_name, command.method_name, identifier, failure)
        fail_command(state, run, position, error)
    else:
        executor_error = WorkflowExecutorFailedError(
            state.workflow_name, state.workflow_id, identifier, failure
        )
        run.outcomes.pop((position, 0), None)
        fail_command(state, run, position, executor_error)


def _returned(state: WorkflowState, run: MethodRun, result: WorkflowTaskResult, turn: Turn) -> None:
    value = result.value or b""
    room = turn.max_message_bytes - 1000
    if len(value) <= room:
        note_uses(run, result.signals_used)
        run_returned(state, run, value, turn)
        return
    text = f"the result has {len(value)} bytes and the broker takes {room}: return less"
    detail = ExceptionDetail("infinitic_common.exceptions.PayloadTooLarge", text)
    failure = TaskFailure("", 0, 0, None, text, detail)
    error = WorkflowExecutorFailedError(
        state.workflow_name, state.workflow_id, run.method_id, failure
    )
    stall(state, run, error, turn)
