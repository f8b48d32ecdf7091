"""Whether code still does what the history says it did."""

from typing import cast

from infinitic_common.decorators import CheckMode
from infinitic_common.history import (
    ChildWorkflowCommand,
    Command,
    CommandIssued,
    InlineCommand,
    ReceiveCommand,
    RemoteMethodCommand,
    SendSignalCommand,
    StepStarted,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.steps import Leaf, Step, fingerprint, step_from_plain, step_to_plain


def same_command(recorded: Command, attempted: Command, mode: CheckMode) -> bool:
    """Tell whether two commands are the same for that mode.

    An inline block is an inline block in every mode, since its value is what replay gives back.
    """
    if type(recorded) is not type(attempted):
        inline = isinstance(recorded, InlineCommand) or isinstance(attempted, InlineCommand)
        return mode is CheckMode.NONE and not inline
    if mode is CheckMode.NONE or isinstance(recorded, InlineCommand):
        return True
    if _names(recorded) != _names(attempted):
        return False
    return mode is CheckMode.SIMPLE or _details(recorded) == _details(attempted)


def _names(command: Command) -> object:
    match command:
        case TaskCommand():
            return command.service_name, command.method_name
        case ChildWorkflowCommand() | RemoteMethodCommand():
            return command.workflow_name, command.method_name
        case TimerCommand():
            return command.duration_ms is None
        case _:
            return None


def _details(command: Command) -> object:
    match command:
        case TaskCommand() | ChildWorkflowCommand():
            return command.arguments
        case RemoteMethodCommand():
            return command.workflow_id, command.workflow_tag, command.arguments
        case TimerCommand():
            return command.fires_at if command.duration_ms is None else command.duration_ms
        case _:
            return command


def same_step(recorded: object, attempted: Step) -> bool:
    """Tell whether a recorded wait (plain data) is for that step; members have no order."""
    if isinstance(attempted, Leaf) and not attempted.index:
        return recorded == attempted.position
    if recorded == step_to_plain(attempted):
        return True
    return fingerprint(step_from_plain(recorded)) == fingerprint(attempted)


def describe_entry(entry: CommandIssued | StepStarted | None) -> str:
    """A recorded command or wait, for messages."""
    if entry is None:
        return "a wait that was over at once"
    if isinstance(entry, CommandIssued):
        return describe_command(entry.command, entry.location)
    return _at(f"a wait for {_plain(entry.step)}", entry.location)


def describe_step(step: Step, location: str) -> str:
    """A wait, for messages."""
    return _at(f"a wait for {_plain(step_to_plain(step))}", location)


def describe_command(command: Command, location: str) -> str:
    """A command, for messages."""
    return _at(_what(command), location)


def _what(command: Command) -> str:  # noqa: PLR0911 - one line for each kind of command
    match command:
        case TaskCommand():
            return f"task {command.service_name}.{command.method_name}"
        case ChildWorkflowCommand():
            return f"child workflow {command.workflow_name}.{command.method_name}"
        case RemoteMethodCommand():
            return f"method {command.workflow_name}.{command.method_name} of a running workflow"
        case SendSignalCommand():
            return f"a signal to channel {command.channel_name} of {command.workflow_name}"
        case ReceiveCommand():
            return f"a receive on channel {command.channel_name}"
        case InlineCommand():
            return "an inline block"
        case TimerCommand():
            return "a timer" + (" at an instant" if command.duration_ms is None else "")


def _plain(step: object) -> str:
    match step:
        case int():
            return f"the command at position {step}"
        case [int() as position, int() as index]:
            return f"signal {index} of the receive at position {position}"
        case list():
            name, *members = cast("list[object]", step)
            return f"{name} of ({', '.join(map(_plain, members))})"
        case _:
            return repr(step)


def _at(what: str, location: str) -> str:
    return f"{what} ({location})" if location else what
