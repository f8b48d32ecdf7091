"""Ports to the client, for parts that use one without importing the wheel: worker and tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import ParamSpec, Protocol, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)


class ClientDeferred(Protocol[R_co]):
    """A method run that was started, seen from a client."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    def result(self, timeout: timedelta | None = None) -> R_co:
        """Wait for its value."""
        ...


class Client(Protocol):
    """The blocking client; ``InfiniticClient`` of infinitic-client describes each method."""

    def new_workflow(
        self,
        contract: Callable[..., S],
        *,
        tags: AbstractSet[str] = frozenset(),
        meta: Mapping[str, bytes] | None = None,
    ) -> S:
        """A stub that starts instances."""
        ...

    def get_workflow_by_id(self, contract: Callable[..., S], workflow_id: str) -> S:
        """A stub of a running instance."""
        ...

    @overload
    def dispatch(
        self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> ClientDeferred[R]: ...
    @overload
    def dispatch(
        self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> ClientDeferred[R]: ...

    @overload
    def call(self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def call(self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...

    def cancel(self, stub: object) -> None:
        """Cancel a running instance."""
        ...

    def get_status(self, stub: object) -> str | None:
        """One word for what an instance does; None for an unknown one."""
        ...

    def close(self) -> None:
        """Release."""
        ...


class AsyncClientDeferred(Protocol[R_co]):
    """A method run that was started, seen from a client for coroutines."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    async def result(self, timeout: timedelta | None = None) -> R_co:  # noqa: ASYNC109 - as for threads
        """Wait for its value."""
        ...


class AsyncClient(Protocol):
    """The client for coroutines; ``AsyncInfiniticClient`` describes each method."""

    def new_workflow(
        self,
        contract: Callable[..., S],
        *,
        tags: AbstractSet[str] = frozenset(),
        meta: Mapping[str, bytes] | None = None,
    ) -> S:
        """A stub that starts instances."""
        ...

    def get_workflow_by_id(self, contract: Callable[..., S], workflow_id: str) -> S:
        """A stub of a running instance."""
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

    async def cancel(self, stub: object) -> None:
        """Cancel a running instance."""
        ...

    async def get_status(self, stub: object) -> str | None:
        """One word for what an instance does; None for an unknown one."""
        ...

    def blocking(self) -> Client:
        """The same client, for threads."""
        ...

    async def close(self) -> None:
        """Release."""
        ...


class AsyncClientFactory(Protocol):
    """What the entry point ``infinitic.clients`` named ``async`` gives."""

    def __call__(self, *, transport: object, close_transport: bool) -> AsyncClient:
        """A client over a transport."""
        ...
