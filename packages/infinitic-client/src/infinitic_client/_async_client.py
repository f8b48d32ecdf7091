"""The client for coroutines."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, overload

from infinitic_client import _results
from infinitic_client._async_commands import AsyncCommands
from infinitic_client._blocking_client import InfiniticClient
from infinitic_client._core import ClientCore
from infinitic_client._deferreds import AsyncDeferred
from infinitic_client._opening import open_transport
from infinitic_client._stubs import StubMaker
from infinitic_common.channels import Channel
from infinitic_common.configuration import file_source, resource_source, string_source
from infinitic_common.exceptions import InvalidChannelUsage, UsageError
from infinitic_common.stubs import MethodCall, SignalCall
from infinitic_common.transport import Transport

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class AsyncInfiniticClient(StubMaker, AsyncCommands):
    """Starts, follows, signals and cancels workflows, from coroutines of one event loop.

    Nothing is connected before it is first used. Close it, or use it with ``async with``.

    Args:
        transport: Moves the messages.
        close_transport: Whether the transport is closed with the client; False when others use it.
    """

    def __init__(self, *, transport: Transport, close_transport: bool = True) -> None:
        self._core = ClientCore(transport, close_transport=close_transport)
        super().__init__(_AsyncCaller(self._core))

    @classmethod
    def from_yaml_file(cls, *paths: str | os.PathLike[str]) -> Self:
        """Make a client from files, of which the first one given wins.

        Without any, from the files that the variable ``INFINITIC_CONFIG`` lists.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: The wheel of the transport is missing.
        """
        return cls(transport=open_transport(*map(file_source, paths)))

    @classmethod
    def from_yaml_resource(cls, *names: str) -> Self:
        """Make a client from files inside packages, named ``package:file.yml``.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: The wheel of the transport is missing.
        """
        return cls(transport=open_transport(*map(resource_source, names)))

    @classmethod
    def from_yaml_string(cls, *texts: str) -> Self:
        """Make a client from YAML documents.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: The wheel of the transport is missing.
        """
        return cls(transport=open_transport(*map(string_source, texts)))

    @property
    def name(self) -> str:
        """The unique name of this client on its transport."""
        return self._core.name

    @property
    def last_deferred(self) -> AsyncDeferred[object] | None:
        """What the latest call in this task started, by ``call``, ``dispatch`` or a stub."""
        handle = self._core.last_handle.get()
        return None if handle is None else AsyncDeferred(self._core, handle)

    @overload
    async def dispatch(
        self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncDeferred[R]: ...
    @overload
    async def dispatch(
        self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncDeferred[R]: ...
    async def dispatch(
        self, method: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncDeferred[Any]:
        """Start a workflow, or a method on running ones, without waiting for its result.

        With a tag ``customId:…`` it returns once it is known which instance has the custom id:
        the deferred is that of this instance, whether it is new or not.

        Args:
            method: ``stub.method``, or ``stub.channel.send``.
            args: Its arguments.
            kwargs: Its arguments by name.

        Raises:
            InvalidStub: It is no method of a stub of workflows.
            InvalidArguments: The arguments do not fit.
            SerializationError: An argument is not of the type of its parameter.
            TransportUnavailable: The broker cannot be reached now.
            PayloadTooLarge: The arguments are too large for the broker.
        """
        sending = self._core.prepare(method, args, kwargs)
        await self._core.send(sending)
        return AsyncDeferred(self._core, sending.handle)

    @overload
    async def call(
        self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R: ...
    @overload
    async def call(self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...
    async def call(self, method: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Any:
        """Start a workflow, or a method on a running one, and wait for its result.

        Args:
            method: ``stub.method``.
            args: Its arguments.
            kwargs: Its arguments by name.

        Raises:
            WorkflowFailed: and the other children of ``DeferredException``: there is no result.
            NotForTags: The stub is by tag; nothing is sent.
            InvalidStub: and what else ``dispatch`` raises.
        """
        return await _results.call(self._core, self._core.prepare(method, args, kwargs))

    async def send(self, channel: Channel[T], value: T) -> None:
        """Send a signal to a channel of one running workflow, or of all by tag: ``stub.channel``.

        Raises:
            InvalidStub: The channel is that of no stub.
            SerializationError: The value is not of the channel's type.
            TransportUnavailable: The broker cannot be reached now.
        """
        await self._core.send(self._core.prepare_signal(channel, value))

    def blocking(self) -> InfiniticClient:
        """This client for other threads: its calls block them while this loop does the work.

        Raises:
            RuntimeError: It is not asked for in the event loop that uses this client.
        """
        return InfiniticClient._sharing(self._core, asyncio.get_running_loop())  # noqa: SLF001 - made for this class  # pyright: ignore[reportPrivateUsage]

    async def close(self) -> None:
        """Finish publishing, end waits with an error, release; twice does nothing."""
        await self._core.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class _AsyncCaller:
    """Carries out calls of stubs for coroutines."""

    def __init__(self, core: ClientCore) -> None:
        self._core = core

    def call(self, call: MethodCall) -> object:
        if not call.method.is_async:
            name = call.method.python_name
            msg = (
                f"{call.method.label} is no 'async def': call it with "
                f"'await client.call(stub.{name}, …)' or 'await client.dispatch(stub.{name}, …)'"
            )
            raise UsageError(msg)
        return _results.call(self._core, self._core.prepare_call(call))

    def send(self, call: SignalCall) -> None:
        name = call.channel.name
        msg = f"channel '{name}': send with 'await client.send(stub.{name}, …)'"
        raise InvalidChannelUsage(msg)
