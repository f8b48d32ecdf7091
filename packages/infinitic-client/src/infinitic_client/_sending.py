"""What a client sends for a call of a stub: fresh ids, and the message."""

import time

import attrs

from infinitic_common.contracts import MethodContract
from infinitic_common.exceptions import InvalidStub
from infinitic_common.ids import new_id
from infinitic_common.messages import DispatchMethod, DispatchWorkflow, SendSignal
from infinitic_common.requesters import ClientRequester
from infinitic_common.stubs import (
    MethodCall,
    NewWorkflow,
    SignalCall,
    StubTarget,
    WorkflowById,
    WorkflowByTag,
)
from infinitic_common.transport import Transport


@attrs.define(eq=False)
class Handle:
    """A method run that a client started, or a signal that it sent.

    Attributes:
        id: Of the workflow, the method run or the signal.
        workflow_name: Name of the workflow.
        workflow_id: Its id.
        method: The method; None for a signal.
        created_at: When, by the monotonic clock, in seconds.
        value: The encoded result, once it is known.
    """

    id: str
    workflow_name: str
    workflow_id: str
    method: MethodContract | None
    created_at: float = attrs.field(factory=time.monotonic)
    value: bytes | None = None

    @property
    def is_main(self) -> bool:
        """Whether it stands for a whole workflow."""
        return self.id == self.workflow_id


@attrs.frozen(eq=False)
class Sending:
    """A call, ready to be sent, and the handle of what it starts."""

    handle: Handle
    call: MethodCall | SignalCall


def prepare(call: MethodCall | SignalCall) -> Sending:
    """Give a call its ids.

    Raises:
        InvalidStub: The stub is that of a service, or of workflows by tag.
    """
    workflow_id = _workflow_id(call.target, str(call))
    is_start = isinstance(call.target, NewWorkflow)
    return Sending(
        Handle(
            id=workflow_id if is_start else new_id(),
            workflow_name=call.target.contract.name,
            workflow_id=workflow_id,
            method=call.method if isinstance(call, MethodCall) else None,
        ),
        call,
    )


def _workflow_id(target: StubTarget, what: str) -> str:
    match target:
        case NewWorkflow():
            return new_id()
        case WorkflowById():
            return target.workflow_id
        case WorkflowByTag():
            msg = f"{what}: a stub by tag has no single result; use get_ids and stubs by id"
            raise InvalidStub(msg)
        case _:
            msg = f"{what}: a client calls workflows; a task is called by a workflow"
            raise InvalidStub(msg)


def message_of(
    sending: Sending, transport: Transport, *, client_waiting: bool
) -> DispatchWorkflow | DispatchMethod | SendSignal:
    """The message of a call."""
    handle, call = sending.handle, sending.call
    requester = ClientRequester(transport.name)
    if isinstance(call, SignalCall):
        return _signal(handle, call, requester, transport.now())
    if not isinstance(call.target, NewWorkflow):
        return _method(handle, call, requester, transport.now(), client_waiting=client_waiting)
    return DispatchWorkflow(
        message_id=handle.id,
        workflow_name=handle.workflow_name,
        workflow_id=handle.workflow_id,
        method_name=call.method.name,
        arguments=call.arguments,
        tags=call.target.tags,
        meta=call.target.meta,
        requester=requester,
        client_waiting=client_waiting,
        emitted_at=transport.now(),
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
