"""What every action of a client needs, whatever its colour: sending, and asking."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import cast

from infinitic_client._names import new_name
from infinitic_client._outbox import Outbox
from infinitic_client._reminding import Hint, Reminder
from infinitic_client._responses import Key, Responses, request_key
from infinitic_client._sending import Handle, Sending, message_of, prepare
from infinitic_common.channels import Channel
from infinitic_common.exceptions import (
    DeferredTimeout,
    InvalidStub,
    TransportError,
    UsageError,
)
from infinitic_common.ids import new_id
from infinitic_common.messages import AddTagToWorkflow, ClientMessage, CustomIdClaimed, Message
from infinitic_common.requesters import ClientRequester
from infinitic_common.stub_options import checked_seconds
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
        self.name = new_name(transport)
        self.outbox = Outbox(transport)
        self.responses = Responses(transport, self.name)
        self.last_handle: ContextVar[Handle | None] = ContextVar("last_handle", default=None)
        self._close_transport = close_transport
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hints: dict[str, Hint] = {}

    @property
    def requester(self) -> ClientRequester:
        """This client, as the one who asks."""
        return ClientRequester(self.name)

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

    def prepare_signal(self, channel: object, value: object) -> Sending:
        """Read what ``send(channel, value)`` was given.

        Raises:
            InvalidStub: It is no channel of a stub.
            SerializationError: The value is not of the channel's type.
        """
        if not isinstance(channel, Channel):
            msg = (
                f"send: {channel!r} is no channel: give a channel of a stub, as in "
                "send(stub.approvals, True); a method is started with dispatch or call"
            )
            raise InvalidStub(msg)
        return self.prepare(cast("Channel[object]", channel).send, (value,), {})

    def prepare_call(self, call: MethodCall | SignalCall) -> Sending:
        """See ``prepare``."""
        refuse_in_workflow()
        sending = prepare(call)
        if isinstance(call, MethodCall):
            self.last_handle.set(sending.handle)
        return sending

    # --- messages -----------------------------------------------------------------------------

    async def send(self, sending: Sending, *, client_waiting: bool = False) -> None:
        """Send a call; returns when the broker has it.

        With a custom id it returns when the tag engine has told which instance has it: the handle
        is that of this instance from then on.
        """
        if sending.custom_id is not None:
            await self._claim(sending)
            return
        self.check_open()
        target = sending.call.target
        if isinstance(target, NewWorkflow) and target.tags:
            await self._add_tags(sending.handle, target.tags)
        message = message_of(
            sending, self.requester, self.transport.now(), client_waiting=client_waiting
        )
        await self.outbox.post(message)

    async def post(self, message: Message) -> None:
        """Publish a message; returns when the broker has it."""
        self.check_open()
        await self.outbox.post(message)

    async def ask(self, request_id: str, question: Callable[[str], Message], engine: str) -> object:
        """Publish a request and wait for its answer, asking again from time to time.

        Args:
            request_id: What the answer names.
            question: Makes the request from the id of its message, new each time it is asked.
            engine: Who answers, for the log.
        """
        hint = self._hints.setdefault(engine, Hint(f"does a worker with the {engine} run?"))
        return await self.answer(
            request_key(request_id), lambda: question(request_id), lambda: question(new_id()), hint
        )

    async def answer(
        self,
        key: Key,
        first: Callable[[], Message],
        again: Callable[[], Message],
        hint: Hint | None = None,
    ) -> ClientMessage:
        """Publish a message and wait for what it brings; see ``Reminder`` for the rest."""
        self.check_open()
        await self.responses.start()
        with self.responses.expect(key) as answer:
            await self.outbox.post(first())
            with Reminder(lambda: self.outbox.post(again()), hint):
                return await answer

    def check_open(self) -> None:
        """Refuse to go on with a closed client, or on another event loop than before.

        Raises:
            TransportError: It is closed.
            UsageError: Its connections belong to another loop: here their answers never arrive.
        """
        if self._closed:
            raise _closed(self.name)
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            msg = (
                f"client {self.name} is used on a second event loop: open one AsyncInfiniticClient "
                "for each asyncio.run, or use the blocking client, which any thread may use"
            )
            raise UsageError(msg)

    async def close(self) -> None:
        """Finish publishing, stop receiving; twice does nothing."""
        if self._closed:
            return
        self._closed = True
        await self.outbox.close()
        await self.responses.close(_closed(self.name))
        if self._close_transport:
            await self.transport.close()

    async def _claim(self, sending: Sending) -> None:
        handle, now = sending.handle, self.transport.now()
        # The very same message again: whoever has the custom id, the start stays the same start.
        message = message_of(sending, self.requester, now, client_waiting=False)
        engine = f"tag engine of workflow {handle.workflow_name}"
        answer = await self.ask(handle.id, lambda _: message, engine)
        if isinstance(answer, CustomIdClaimed):
            handle.id = handle.workflow_id = answer.workflow_id

    async def _add_tags(self, handle: Handle, tags: frozenset[str]) -> None:
        # Before the start, and confirmed: whoever sees the workflow finds it by its tags.
        name, workflow_id = handle.workflow_name, handle.workflow_id
        messages = [AddTagToWorkflow(new_id(), name, workflow_id, tag) for tag in sorted(tags)]
        await asyncio.gather(*[self.outbox.post(message) for message in messages])


@asynccontextmanager
async def within(limit: timedelta | None, what: str) -> AsyncGenerator[None]:
    """Limit a wait.

    Raises:
        DeferredTimeout: It lasted longer.
        UsageError: The limit is no duration.
    """
    seconds = checked_seconds(limit, what)
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            yield
    except TimeoutError:
        if seconds is None or not timer.expired():
            raise
        raise DeferredTimeout(seconds, what) from None


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
