"""Events that tell of what a run asks of its own workflow, for which no message leaves."""

from __future__ import annotations

from infinitic_common.codec import encode
from infinitic_common.command_ids import command_id
from infinitic_common.events import EventType, workflow_event
from infinitic_common.history import RemoteMethodCommand, SendSignalCommand
from infinitic_common.messages import DispatchMethod, SendSignal
from infinitic_workflow_engine._core.dispatches import (
    method_dispatch,
    requester_of,
    signal_sending,
)
from infinitic_workflow_engine._core.outbox import CommandsEffect
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import Turn


def tell_own(
    state: WorkflowState, run: MethodRun, position: int, effect: CommandsEffect, turn: Turn
) -> None:
    """Tell what a run asks of its own workflow, for which no message leaves."""
    if turn.events is None:
        return
    command = run.commands[position]
    requester = requester_of(state, run, position)
    identifier = command_id(state.workflow_id, run.method_id, position)
    message: DispatchMethod | SendSignal
    if isinstance(command, RemoteMethodCommand) and command.workflow_id == state.workflow_id:
        sent, received = EventType.REMOTE_METHOD_DISPATCHED, EventType.DISPATCH_METHOD
        message = method_dispatch(command, identifier, requester, effect.at)
    elif isinstance(command, SendSignalCommand) and command.workflow_id == state.workflow_id:
        sent, received = EventType.SIGNAL_DISPATCHED, EventType.SIGNAL
        message = signal_sending(command, identifier, requester, effect.at)
    else:
        return
    event = workflow_event(
        sent,
        sent_id(identifier),
        effect.at,
        state.workflow_id,
        encode(message),
        run.method_id,
        run.method_name,
        state.workflow_version,
    )
    turn.events += [event, (event[0], received, identifier, *event[3:])]


def sent_id(message_id: str) -> str:
    """Id of the event that tells of a message where it is sent: its reader's event has its own id."""
    return f"{message_id}/dispatched"
