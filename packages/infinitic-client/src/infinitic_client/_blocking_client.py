"""The client for code without coroutines."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, overload

from infinitic_client import _results
from infinitic_client._blocking_commands import BlockingCommands
from infinitic_client._core import ClientCore
from infinitic_client._deferreds import Deferred
from infinitic_client._opening import open_transport
from infinitic_client._running import LoopRunner
from infinitic_client._stubs import StubMaker
from infinitic_common.channels import Channel
from infinitic_common.configuration import file_source, resource_source, string_source
from infinitic_common.exceptions import UsageError
from infinitic_common.stubs import MethodCall, SignalCall
from infinitic_common.transport import Transport

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class InfiniticClient(StubMaker, BlockingCommands):
    """Starts, follows, signals and cancels workflows, from any thread; calls block it.

    Nothing is connected, and no thread started, before it is first used. Close it, or use it with
    ``with``.

    Args:
        transport: Moves the messages; from now on it belongs to the thread of this client.
        close_transport: Whether the transport is closed with the client; False when others use it.
    """

    def __init__(self, *, transport: Transport, close_transport: bool = True) -> None:
        self._use(ClientCore(transport, close_transport=close_transport), LoopRunner())

    @classmethod
    def _sharing(cls, core: ClientCore, loop: asyncio.AbstractEventLoop) -> Self:
        """A client over the core of an ``AsyncInfiniticClient``, which lives on that loop."""
        client = cls.__new__(cls)
        client._use(core, LoopRunner(loop))  # noqa: SLF001 - an instance of this class
        return client

    def _use(self, core: ClientCore, runner: LoopRunner) -> None:
        self._core = core
        self._runner = runner
        StubMaker.__init__(self, _BlockingCaller(core, runner))

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
    def last_deferred(self) -> Deferred[object] | None:
        """What the latest call in this thread, or task, started, by ``call``, ``dispatch`` or a stub."""
        handle = self._core.last_handle.get()
        return None if handle is None else Deferred(self._core, self._runner, handle)

    @overload
    def dispatch(
        self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[R]: ...
    @overload
    def dispatch(
        self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[R]: ...
    def dispatch(
        self, method: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Any]:
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
        self._runner.run(self._core.send(sending))
        return Deferred(self._core, self._runner, sending.handle)

    @overload
    def call(self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def call(self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...
    def call(self, method: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Any:
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
        sending = self._core.prepare(method, args, kwargs)
        return self._runner.run(_results.call(self._core, sending))

    def send(self, channel: Channel[T], value: T) -> None:
        """Send a signal to a channel of one running workflow, or of all by tag: ``stub.channel``.

        Raises:
            InvalidStub: The channel is that of no stub.
            SerializationError: The value is not of the channel's type.
            TransportUnavailable: The broker cannot be reached now.
        """
        self._runner.run(self._core.send(self._core.prepare_signal(channel, value)))

    def close(self) -> None:
        """Finish publishing, end waits with an error, release; twice does nothing."""
        self._runner.stop(self._core.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _BlockingCaller:
    """Carries out calls of stubs for code without coroutines."""

    def __init__(self, core: ClientCore, runner: LoopRunner) -> None:
        self._core = core
        self._runner = runner

    def call(self, call: MethodCall) -> object:
        if call.method.is_async:
            name = call.method.python_name
            msg = (
                f"{call.method.label} is 'async def': call it with 'client.call(stub.{name}, …)' "
                f"or 'client.dispatch(stub.{name}, …)', or use AsyncInfiniticClient"
            )
            raise UsageError(msg)
        return self._runner.run(_results.call(self._core, self._core.prepare_call(call)))

    def send(self, call: SignalCall) -> None:
        self._runner.run(self._core.send(self._core.prepare_call(call)))
