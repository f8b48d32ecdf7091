"""The client for coroutines, as a port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import ParamSpec, Protocol, TypeVar, overload

from infinitic_common._client.blocking import Client
from infinitic_common._client.stubs import WorkflowStubs
from infinitic_common.channels import Channel
from infinitic_common.deferred import DeferredStatus
from infinitic_common.transport import Transport

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)


class AsyncClientDeferred(Protocol[R_co]):
    """A method run that was started, seen from a client for coroutines."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def name(self) -> str:
        """Name of the workflow."""
        ...

    async def result(self, timeout: timedelta | None = None) -> R_co:  # noqa: ASYNC109 - as for threads
        """Wait for its value."""
        ...

    async def cancel(self) -> None:
        """Cancel the workflow, or just the method run that was started on a running one."""
        ...

    async def retry(self) -> None:
        """Run again the code of the workflow, where it is stalled."""
        ...

    async def status(self) -> DeferredStatus:
        """How it stands."""
        ...


class AsyncClient(WorkflowStubs, Protocol):
    """The client for coroutines; ``AsyncInfiniticClient`` describes each method."""

    @property
    def name(self) -> str:
        """Its unique name on the transport."""
        ...

    @property
    def last_deferred(self) -> AsyncClientDeferred[object] | None:
        """What the latest call in this context started."""
        ...

    @overload
    async def dispatch(
        self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncClientDeferred[R]: ...
    @overload
    async def dispatch(
        self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncClientDeferred[R]: ...

    @overload
    async def call(
        self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R: ...
    @overload
    async def call(self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...

    async def send(self, channel: Channel[T], value: T) -> None:
        """Send a signal."""
        ...

    async def cancel(self, stub: object, method_id: str | None = None) -> None:
        """Cancel a method run of running instances, or all."""
        ...

    async def complete_timers(self, stub: object, method_id: str | None = None) -> None:
        """End now the running timers of a method run, or of all."""
        ...

    async def retry_workflow_task(self, stub: object) -> None:
        """Run again the code of running instances, where it is stalled."""
        ...

    async def retry_tasks(
        self,
        stub: object,
        task_id: str | None = None,
        *,
        status: DeferredStatus | None = None,
        service: Callable[..., object] | str | None = None,
        all: bool = False,  # noqa: A002 - a call reads all=True
    ) -> None:
        """Run again the tasks that match every filter."""
        ...

    async def complete_delegated_task(
        self,
        service: Callable[..., object] | str,
        task_id: str,
        value: object,
        *,
        method: str | None = None,
    ) -> None:
        """Give a delegated task its value."""
        ...

    async def fail_delegated_task(
        self, service: Callable[..., object] | str, task_id: str, error: BaseException | str
    ) -> None:
        """Tell that a delegated task failed."""
        ...

    async def get_ids(
        self,
        stub: object,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - as for threads
    ) -> frozenset[str]:
        """Ids of the running instances that have a tag."""
        ...

    async def get_status(
        self,
        stub: object,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - as for threads
    ) -> str | None:
        """One word for what an instance does; None for an unknown one."""
        ...

    async def get_state(
        self,
        stub: object,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - as for threads
    ) -> dict[str, object] | None:
        """All that is known about an instance, as plain data; None for an unknown one."""
        ...

    async def get_state_json(
        self,
        stub: object,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - as for threads
    ) -> str | None:
        """All that is known about an instance, as JSON; None for an unknown one."""
        ...

    async def get_property(
        self,
        stub: object,
        name: str,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - as for threads
    ) -> object:
        """The value of a property of an instance."""
        ...

    def blocking(self) -> Client:
        """The same client, for threads."""
        ...

    async def close(self) -> None:
        """Release."""
        ...


class AsyncClientFactory(Protocol):
    """What the entry point ``infinitic.clients`` named ``async`` gives."""

    def __call__(self, *, transport: Transport, close_transport: bool) -> AsyncClient:
        """A client over a transport."""
        ...
