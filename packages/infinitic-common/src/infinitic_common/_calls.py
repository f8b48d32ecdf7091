"""Calls of stubs by the code of workflows, as commands of its run."""

from collections.abc import Mapping, Sequence
from typing import cast

from infinitic_common._running import running
from infinitic_common.channels import Channel, issue_signal
from infinitic_common.deferred import CommandDeferred, Deferred
from infinitic_common.history import (
    ChildWorkflowCommand,
    Command,
    RemoteMethodCommand,
    SendSignalCommand,
    TaskCommand,
)
from infinitic_common.stubs import (
    MethodCall,
    NewService,
    NewWorkflow,
    SignalCall,
    WorkflowById,
    WorkflowByTag,
    call_of,
    is_stub_call,
)


def dispatched(
    method: object, args: Sequence[object], kwargs: Mapping[str, object]
) -> Deferred[object]:
    """Do what ``dispatch(method, …)`` means: of a stub, or of a channel of the workflow itself.

    Raises:
        InvalidStub: It is neither.
        InvalidArguments: The arguments do not fit.
        SerializationError: An argument is not of the type of its parameter.
        NotInWorkflow: The caller is not the code of a workflow.
    """
    if not is_stub_call(method):
        owner = cast("object", getattr(method, "__self__", None))
        if isinstance(owner, Channel) and method == cast("Channel[object]", owner).send:
            return cast("Channel[object]", owner).dispatch_send(*args, **kwargs)
    return issue(call_of(method, args, kwargs))


def issue(call: MethodCall | SignalCall) -> Deferred[object]:
    """Do what a call means; gives its result to come.

    Raises:
        NotInWorkflow: The caller is not the code of a workflow.
    """
    if isinstance(call, SignalCall):
        return issue_signal(_signal(call))
    method = call.method
    run = running(f"calling {method.label}")
    return CommandDeferred(run, run.issue(_command(call)), method.result.decode, method.label)


def _command(call: MethodCall) -> Command:
    target, method = call.target, call.method
    name, arguments, limit = target.contract.name, call.arguments, method.timeout_ms()
    match target:
        case NewService():
            return TaskCommand(name, method.name, arguments, target.tags, target.meta, limit)
        case NewWorkflow():
            tags, meta = target.tags, target.meta
            return ChildWorkflowCommand(name, method.name, arguments, tags, meta, limit)
        case WorkflowById():
            one = target.workflow_id
            return RemoteMethodCommand(name, one, None, method.name, arguments, limit)
        case WorkflowByTag():
            return RemoteMethodCommand(name, None, target.tag, method.name, arguments, limit)


def _signal(call: SignalCall) -> SendSignalCommand:
    target = call.target
    return SendSignalCommand(
        workflow_name=target.contract.name,
        workflow_id=target.workflow_id if isinstance(target, WorkflowById) else None,
        workflow_tag=target.tag if isinstance(target, WorkflowByTag) else None,
        channel_name=call.channel.name,
        value=call.value,
        value_types=call.value_types,
    )


class RunCaller:
    """Carries out calls of stubs as commands of the run whose code calls."""

    def call(self, call: MethodCall) -> object:
        """See ``Caller``."""
        if call.method.is_async:
            return _call_when_awaited(call)
        return issue(call).result()

    def send(self, call: SignalCall) -> None:
        """See ``Caller``."""
        _ = issue(call)


async def _call_when_awaited(call: MethodCall) -> object:
    return await issue(call)
