"""What a client sends for a call of a stub: fresh ids, and the message."""

import time

import attrs

from infinitic_common.codec import encode
from infinitic_common.contracts import MethodContract
from infinitic_common.exceptions import InvalidStub, NotForTags
from infinitic_common.ids import new_id
from infinitic_common.messages import (
    CancelWorkflow,
    CommandByTag,
    CompleteTimers,
    DispatchMethod,
    DispatchWorkflow,
    RetryTasks,
    RetryWorkflowTask,
    SendSignal,
    StartByCustomId,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.stub_options import custom_id_of
from infinitic_common.stubs import (
    MethodCall,
    NewWorkflow,
    SignalCall,
    WorkflowById,
    WorkflowByTag,
)
from infinitic_common.trace_context import Meta, current_trace, inherited

RunningCommand = (
    DispatchMethod | SendSignal | CancelWorkflow | CompleteTimers | RetryTasks | RetryWorkflowTask
)
"""A command to one running workflow, or to every one that has a tag."""


@attrs.define(eq=False)
class Handle:
    """A method run that a client started, or a signal that it sent.

    Attributes:
        id: Of the workflow, the method run or the signal; with a custom id, that of the instance
            that has it, once that is known.
        workflow_name: Name of the workflow.
        workflow_id: Its id; empty by tag.
        method: The method; None for a signal.
        tag: The tag, of what was sent by tag.
        created_at: When, by the monotonic clock, in seconds.
        value: The encoded result, once it is known.
    """

    id: str
    workflow_name: str
    workflow_id: str
    method: MethodContract | None
    tag: str | None = None
    created_at: float = attrs.field(factory=time.monotonic)
    value: bytes | None = None

    @property
    def is_main(self) -> bool:
        """Whether it stands for a whole workflow."""
        return self.id == self.workflow_id

    def refuse_by_tag(self, what: str) -> None:
        """Refuse what only a single run has; a signal has its id, however many get it.

        Raises:
            NotForTags: It was sent by tag.
        """
        if self.tag is not None and self.method is not None:
            msg = (
                f"{what} of {self.method.label} on the workflows {self.workflow_name} with tag "
                f"'{self.tag}': there may be many of them, or none; use get_ids, and a stub by id "
                "for each"
            )
            raise NotForTags(msg)


@attrs.frozen(eq=False)
class Sending:
    """A call, ready to be sent, and the handle of what it starts.

    Attributes:
        handle: The handle.
        call: The call.
        custom_id: The tag that makes the start unique, with its ``customId:``; None without one.
        trace: The trace that the caller of a start is in, if any.
    """

    handle: Handle
    call: MethodCall | SignalCall
    custom_id: str | None = None
    trace: Meta = attrs.field(factory=dict[str, bytes])


def prepare(call: MethodCall | SignalCall) -> Sending:
    """Give a call its ids.

    Raises:
        InvalidStub: The stub is that of a service.
    """
    method = call.method if isinstance(call, MethodCall) else None
    name = call.target.contract.name
    match call.target:
        case NewWorkflow(tags=tags):
            workflow_id = new_id()
            custom_id = custom_id_of(tags) if tags else None
            handle = Handle(workflow_id, name, workflow_id, method)
            # Here and not later: what sends may run in another thread than the caller.
            return Sending(handle, call, custom_id, current_trace())
        case WorkflowById(workflow_id=workflow_id):
            return Sending(Handle(new_id(), name, workflow_id, method), call)
        case WorkflowByTag(tag=tag):
            return Sending(Handle(new_id(), name, "", method, tag), call)
        case _:
            msg = f"{call}: a client calls workflows; a task is called by a workflow"
            raise InvalidStub(msg)


def message_of(
    sending: Sending, requester: ClientRequester, now: int, *, client_waiting: bool
) -> DispatchWorkflow | DispatchMethod | SendSignal | CommandByTag | StartByCustomId:
    """The message of a call."""
    handle, call = sending.handle, sending.call
    if isinstance(call.target, NewWorkflow) and isinstance(call, MethodCall):
        start = _start(sending, call, call.target, requester, now, client_waiting=client_waiting)
        return start if sending.custom_id is None else _unique(start, sending.custom_id)
    command = (
        _signal(handle, call, requester, now)
        if isinstance(call, SignalCall)
        else _method(handle, call, requester, now, client_waiting=client_waiting)
    )
    return command if handle.tag is None else by_tag(command, handle.tag)


def by_tag(command: RunningCommand, tag: str) -> CommandByTag:
    """The message that gives a command, whose workflow id is empty, to all that have a tag."""
    return CommandByTag(
        message_id=command.message_id,
        workflow_name=command.workflow_name,
        tag=tag,
        command=encode(command),
        requester=command.requester,
    )


def _unique(start: DispatchWorkflow, tag: str) -> StartByCustomId:
    return StartByCustomId(
        message_id=start.message_id,
        workflow_name=start.workflow_name,
        tag=tag,
        start=encode(start),
        requester=start.requester,
        request_id=start.message_id,
    )


def _start(  # noqa: PLR0913 - the fields of the message
    sending: Sending,
    call: MethodCall,
    target: NewWorkflow,
    requester: ClientRequester,
    now: int,
    *,
    client_waiting: bool,
) -> DispatchWorkflow:
    handle = sending.handle
    return DispatchWorkflow(
        message_id=handle.id,
        workflow_name=handle.workflow_name,
        workflow_id=handle.workflow_id,
        method_name=call.method.name,
        arguments=call.arguments,
        tags=target.tags,
        meta=inherited(target.meta, sending.trace),
        requester=requester,
        client_waiting=client_waiting,
        emitted_at=now,
    )


def _method(
    handle: Handle, call: MethodCall, requester: ClientRequester, now: int, *, client_waiting: bool
) -> DispatchMethod:
    return DispatchMethod(
        message_id=handle.id,
        workflow_name=handle.workflow_name,
        workflow_id=handle.workflow_id,
        method_id=handle.id,
        method_name=call.method.name,
        arguments=call.arguments,
        requester=requester,
        client_waiting=client_waiting,
        emitted_at=now,
    )


def _signal(handle: Handle, call: SignalCall, requester: ClientRequester, now: int) -> SendSignal:
    return SendSignal(
        message_id=handle.id,
        workflow_name=handle.workflow_name,
        workflow_id=handle.workflow_id,
        channel_name=call.channel.name,
        signal_id=handle.id,
        value=call.value,
        value_types=call.value_types,
        requester=requester,
        emitted_at=now,
    )
