"""What a client does, whatever its colour: all of it asynchronous."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta

from infinitic_client._outbox import Outbox
from infinitic_client._responses import Responses, request_key, run_key
from infinitic_client._sending import Handle, Sending, message_of, prepare
from infinitic_common.exceptions import (
    DeferredException,
    DeferredTimeout,
    TransportError,
    UsageError,
    WorkflowTimedOut,
)
from infinitic_common.ids import new_id
from infinitic_common.messages import (
    AddTagToWorkflow,
    CancelWorkflow,
    ClientMessage,
    Message,
    MethodCompleted,
    MethodFailed,
    RetryWorkflowTask,
    WaitWorkflow,
)
from infinitic_common.outcomes import to_exception
from infinitic_common.requesters import ClientRequester
from infinitic_common.stubs import MethodCall, NewWorkflow, SignalCall, call_of
from infinitic_common.transport import Transport
from infinitic_common.workflow_run import current_run


class ClientCore:
    """A client of the messages on a transport.

    Args:
        transport: Moves the messages.
        close_transport: Whether the transport is closed with the client.
    """

    def __init__(self, transport: Transport, *, close_transport: bool) -> None:
        self.transport = transport
        self.outbox = Outbox(transport)
        self.responses = Responses(transport)
        self.last_handle: ContextVar[Handle | None] = ContextVar("last_handle", default=None)
        self._close_transport = close_transport
        self._closed = False

    @property
    def requester(self) -> ClientRequester:
        """This client, as the one who asks."""
        return ClientRequester(self.transport.name)

    # --- before anything is sent, in the thread of the caller ---------------------------------

    def prepare(
        self, method: object, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> Sending:
        """Read a call, and remember its handle as the last one.

        Raises:
            InvalidStub: It is no call of a stub of workflows.
            InvalidArguments: The arguments do not fit.
            SerializationError: An argument is not of the type of its parameter.
        """
        return self.prepare_call(call_of(method, args, kwargs))

    def prepare_call(self, call: MethodCall | SignalCall) -> Sending:
        """See ``prepare``."""
        refuse_in_workflow()
        sending = prepare(call)
        if isinstance(call, MethodCall):
            self.last_handle.set(sending.handle)
        return sending

    # --- calls --------------------------------------------------------------------------------

    async def send(self, sending: Sending) -> None:
        """Send a call; returns when the broker has it."""
        await self._send(sending, client_waiting=False)

    async def call(self, sending: Sending) -> object:
        """Send a call and wait for its result.

        Raises:
            DeferredException: There is no result.
        """
        handle = sending.handle
        async with _limited(handle, None):
            await self.responses.start()
            with self.responses.expect(run_key(handle.workflow_id, handle.id)) as answer:
                await self._send(sending, client_waiting=True)
                message = await answer
        return _value_of(handle, message)

    async def result(self, handle: Handle, limit: timedelta | None) -> object:
        """Wait for the result of what was sent.

        Raises:
            DeferredException: There is none.
        """
        if handle.method is None:
            return None
        if handle.value is not None:
            return handle.method.result.decode(handle.value)
        async with _limited(handle, limit):
            await self.responses.start()
            with self.responses.expect(run_key(handle.workflow_id, handle.id)) as answer:
                await self.post(self._wait_for(handle))
                message = await answer
        return _value_of(handle, message)

    async def cancel(self, handle: Handle) -> None:
        """Cancel the method run, or the whole workflow when it is the main one.

        Raises:
            UsageError: It is a signal.
        """
        _refuse_signal(handle, "cancel")
        method_id = None if handle.is_main else handle.id
        await self.post(
            CancelWorkflow(
                message_id=new_id(),
                workflow_name=handle.workflow_name,
                workflow_id=handle.workflow_id,
                method_id=method_id,
                requester=self.requester,
                emitted_at=self.transport.now(),
            )
        )

    async def retry(self, handle: Handle) -> None:
        """Run again the code of the workflow, where it is stalled.

        Raises:
            UsageError: It is a signal.
        """
        _refuse_signal(handle, "retry")
        await self.post(
            RetryWorkflowTask(
                message_id=new_id(),
                workflow_name=handle.workflow_name,
                workflow_id=handle.workflow_id,
                requester=self.requester,
                emitted_at=self.transport.now(),
            )
        )

    # --- messages -----------------------------------------------------------------------------

    async def post(self, message: Message) -> None:
        """Publish a message; returns when the broker has it."""
        self._check_open()
        await self.outbox.post(message)

    async def ask(self, request_id: str, message: Message) -> ClientMessage:
        """Publish a request and wait for its answer."""
        self._check_open()
        await self.responses.start()
        with self.responses.expect(request_key(request_id)) as answer:
            await self.outbox.post(message)
            return await answer

    async def close(self) -> None:
        """Finish publishing, stop receiving; twice does nothing."""
        if self._closed:
            return
        self._closed = True
        await self.outbox.close()
        await self.responses.close(_closed(self.transport.name))
        if self._close_transport:
            await self.transport.close()

    async def _send(self, sending: Sending, *, client_waiting: bool) -> None:
        self._check_open()
        target = sending.call.target
        if isinstance(target, NewWorkflow) and target.tags:
            await self._add_tags(sending.handle, target.tags)
        message = message_of(sending, self.transport, client_waiting=client_waiting)
        await self.outbox.post(message)

    async def _add_tags(self, handle: Handle, tags: frozenset[str]) -> None:
        # Before the start, and confirmed: whoever sees the workflow finds it by its tags.
        name, workflow_id = handle.workflow_name, handle.workflow_id
        messages = [AddTagToWorkflow(new_id(), name, workflow_id, tag) for tag in sorted(tags)]
        await asyncio.gather(*[self.outbox.post(message) for message in messages])

    def _wait_for(self, handle: Handle) -> WaitWorkflow:
        return WaitWorkflow(
            message_id=new_id(),
            workflow_name=handle.workflow_name,
            workflow_id=handle.workflow_id,
            method_id=handle.id,
            requester=self.requester,
            emitted_at=self.transport.now(),
        )

    def _check_open(self) -> None:
        if self._closed:
            raise _closed(self.transport.name)


def refuse_in_workflow() -> None:
    """Refuse what the code of a workflow must not do.

    Raises:
        UsageError: The caller is the code of a workflow.
    """
    run = current_run()
    if run is not None:
        msg = (
            f"{run.workflow_name}.{run.method_name} uses a client: the code of a workflow runs "
            "again when it is replayed; use stubs from infinitic_common, or a client in a task"
        )
        raise UsageError(msg)


def _closed(name: str) -> TransportError:
    return TransportError(f"client {name} is closed: open another one")


def _refuse_signal(handle: Handle, what: str) -> None:
    if handle.method is None:
        msg = f"{what}: signal {handle.id} was sent, there is nothing to {what}"
        raise UsageError(msg)


def _value_of(handle: Handle, message: ClientMessage) -> object:
    match message, handle.method:
        case MethodCompleted(value=value), method if method is not None:
            handle.value = value
            return method.result.decode(value)
        case MethodFailed(error=error), _:
            raise to_exception(error)
        case _:
            msg = f"{type(message).__name__} is no answer about {handle.workflow_id}"
            raise TransportError(msg)


@asynccontextmanager
async def _limited(handle: Handle, longest: timedelta | None) -> AsyncGenerator[None]:
    """Limit a wait by what its contract declares, counted from the call, and by its own limit."""
    own = None if longest is None else longest.total_seconds()
    declared = _seconds_left(handle)
    limits = [limit for limit in (own, declared) if limit is not None]
    limit = asyncio.timeout(min(limits) if limits else None)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise _timed_out(handle, own, declared) from None


def _timed_out(handle: Handle, own: float | None, declared: float | None) -> DeferredException:
    if own is not None and (declared is None or own < declared):
        return DeferredTimeout(own, f"workflow {handle.workflow_name} ({handle.id})")
    method = "" if handle.method is None else handle.method.name
    return WorkflowTimedOut(handle.workflow_name, handle.workflow_id, method, handle.id)


def _seconds_left(handle: Handle) -> float | None:
    limit = None if handle.method is None else handle.method.timeout_ms()
    return None if limit is None else limit / 1000 - (time.monotonic() - handle.created_at)
