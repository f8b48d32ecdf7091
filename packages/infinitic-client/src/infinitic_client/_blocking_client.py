"""The client for code without coroutines."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, overload

from infinitic_client import _commands
from infinitic_client._core import ClientCore
from infinitic_client._deferreds import Deferred
from infinitic_client._opening import open_transport
from infinitic_client._running import LoopRunner
from infinitic_client._stubs import StubMaker
from infinitic_common.channels import Channel
from infinitic_common.configuration import file_source, resource_source, string_source
from infinitic_common.deferred import DeferredStatus
from infinitic_common.exceptions import UsageError
from infinitic_common.stubs import MethodCall, SignalCall
from infinitic_common.transport import Transport

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class InfiniticClient(StubMaker):
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
        return self._core.transport.name

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
        """Start a workflow, or a method on a running one, without waiting for its result.

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
            InvalidStub: and what else ``dispatch`` raises.
        """
        return self._runner.run(self._core.call(self._core.prepare(method, args, kwargs)))

    def send(self, channel: Channel[T], value: T) -> None:
        """Send a signal to a channel of a running workflow: ``stub.channel``.

        Raises:
            InvalidStub: The channel is that of no stub of one running workflow.
            SerializationError: The value is not of the channel's type.
            TransportUnavailable: The broker cannot be reached now.
        """
        self._runner.run(self._core.send(self._core.prepare(channel.send, (value,), {})))

    def cancel(self, stub: object) -> None:
        """Cancel every method run of the workflow of a stub by id.

        Raises:
            InvalidStub: It is no stub by id.
        """
        self._runner.run(_commands.cancel(self._core, stub))

    def complete_timers(self, stub: object, method_id: str | None = None) -> None:
        """End now the running timers of a method run of a workflow, or of all its runs.

        Raises:
            InvalidStub: The stub is not by id.
        """
        self._runner.run(_commands.complete_timers(self._core, stub, method_id))

    def retry_workflow_task(self, stub: object) -> None:
        """Run again the code of a workflow, where it is stalled.

        Raises:
            InvalidStub: The stub is not by id.
        """
        self._runner.run(_commands.retry_workflow_task(self._core, stub))

    def retry_tasks(
        self,
        stub: object,
        task_id: str | None = None,
        *,
        status: DeferredStatus | None = None,
        service: Callable[..., object] | str | None = None,
        all_tasks: bool = False,
    ) -> None:
        """Run again the tasks of a workflow that match every filter given.

        Args:
            stub: A stub by id.
            task_id: Id of the task.
            status: Its status.
            service: Its service, by contract or by name.
            all_tasks: Without any filter: every task, also completed ones.

        Raises:
            InvalidStub: The stub is not by id.
            UsageError: No filter is given, and ``all_tasks`` is False.
        """
        filters = _commands.TaskFilters(task_id, status, service)
        self._runner.run(_commands.retry_tasks(self._core, stub, filters, all_tasks=all_tasks))

    def get_ids(self, stub: object) -> frozenset[str]:
        """Ids of the running workflows that have the tag of a stub by tag.

        Raises:
            InvalidStub: The stub is not by tag.
        """
        return self._runner.run(_commands.get_ids(self._core, stub))

    def get_status(self, stub: object) -> str | None:
        """What the workflow of a stub by id does, in one word as ``WAITING``; None if unknown.

        Raises:
            InvalidStub: The stub is not by id.
        """
        return self._runner.run(_commands.get_status(self._core, stub))

    def get_state(self, stub: object) -> dict[str, object] | None:
        """All that is known about the workflow of a stub by id, as plain data; None if unknown.

        Raises:
            InvalidStub: The stub is not by id.
        """
        return self._runner.run(_commands.get_state(self._core, stub))

    def get_property(self, stub: object, name: str) -> object:
        """The value of a property of the workflow of a stub by id; None if there is none.

        It has the type that the contract gives the attribute, else it is plain data.

        Raises:
            InvalidStub: The stub is not by id.
        """
        return self._runner.run(_commands.get_property(self._core, stub, name))

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
        return self._runner.run(self._core.call(self._core.prepare_call(call)))

    def send(self, call: SignalCall) -> None:
        self._runner.run(self._core.send(self._core.prepare_call(call)))
