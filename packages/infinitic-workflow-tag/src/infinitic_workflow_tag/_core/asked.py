"""What a message to the engine asks, with the message that it carries decoded."""

import attrs

from infinitic_common.codec import decode
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.messages import (
    AddTagToWorkflow,
    CancelWorkflow,
    CommandByTag,
    CompleteTimers,
    DispatchMethod,
    DispatchWorkflow,
    GetWorkflowIdsByTag,
    RemoveTagFromWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    StartByCustomId,
    from_received,
)
from infinitic_common.tag_sets import set_key
from infinitic_common.transport import ReceivedMessage

Command = (
    DispatchMethod | SendSignal | CancelWorkflow | CompleteTimers | RetryTasks | RetryWorkflowTask
)
"""What can be addressed by tag."""


@attrs.frozen
class FanOut:
    """A command for every workflow that has a tag."""

    message: CommandByTag
    command: Command


@attrs.frozen
class UniqueStart:
    """A start with a custom id.

    Attributes:
        message: The message.
        start: The start that it carries.
        holder: The workflow that has the custom id; empty as long as nobody looked.
    """

    message: StartByCustomId
    start: DispatchWorkflow
    holder: str = ""

    @property
    def is_won(self) -> bool:
        """Whether the workflow to start has the custom id."""
        return self.holder == self.start.workflow_id


Asked = AddTagToWorkflow | RemoveTagFromWorkflow | GetWorkflowIdsByTag | FanOut | UniqueStart


def read(received: ReceivedMessage) -> Asked:
    """What a message asks.

    Raises:
        UndecodableMessage: It is no message about tags of workflows, or carries none that it can.
    """
    message = from_received(received)
    match message:
        case AddTagToWorkflow() | RemoveTagFromWorkflow() | GetWorkflowIdsByTag():
            return message
        case CommandByTag():
            return FanOut(message, _command(message))
        case StartByCustomId():
            return UniqueStart(message, _start(message))
        case _:
            msg = f"{type(message).__name__} is no message about tags of workflows"
            raise UndecodableMessage(msg)


def key_of(asked: Asked) -> str:
    """The storage key of the ids that have the tag asked about."""
    message = asked.message if isinstance(asked, FanOut | UniqueStart) else asked
    return set_key("workflow", message.workflow_name, message.tag)


def _command(message: CommandByTag) -> Command:
    command = decode(message.command)
    if isinstance(command, Command):
        return command
    msg = f"{type(command).__name__} is nothing that can be asked of workflows by tag"
    raise UndecodableMessage(msg)


def _start(message: StartByCustomId) -> DispatchWorkflow:
    start = decode(message.start)
    if isinstance(start, DispatchWorkflow):
        return start
    msg = f"{type(start).__name__} is no start of a workflow"
    raise UndecodableMessage(msg)
