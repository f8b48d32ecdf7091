"""What users write to be told of events."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, cast, runtime_checkable

import attrs
from cloudevents.core.v1.event import CloudEvent

from infinitic_common.exceptions import UsageError


@runtime_checkable
class CloudEventListener(Protocol):
    """Told of events in lists, which are never empty; it may be a coroutine.

    When it returns the events are done with; when it raises they come again.
    """

    def on_events(self, events: Sequence[CloudEvent], /) -> Awaitable[None] | None:
        """Take events, in no particular order."""
        ...


@runtime_checkable
class SingleCloudEventListener(Protocol):
    """Told of one event after the other; it may be a coroutine.

    When it returns the event is done with; when it raises it comes again.
    """

    def on_event(self, event: CloudEvent, /) -> Awaitable[None] | None:
        """Take an event."""
        ...


Listener = CloudEventListener | SingleCloudEventListener
"""Who is told of events, all at once or one by one."""

Call = Callable[[Sequence[CloudEvent]], Awaitable[None]]


@attrs.frozen
class Calling:
    """How a listener is told.

    Attributes:
        call: Tells it of some events.
        one_by_one: Whether it takes single events, and need not wait for a batch to fill.
    """

    call: Call
    one_by_one: bool


def calling(listener: object) -> Calling:
    """How to tell a listener; one that is no coroutine runs on a thread.

    Raises:
        UsageError: It does not implement the contract.
    """
    if isinstance(listener, CloudEventListener):
        return Calling(_called(listener.on_events), one_by_one=False)
    if isinstance(listener, SingleCloudEventListener):
        return Calling(_one_by_one(_called(listener.on_event)), one_by_one=True)
    raise UsageError(complaint(type(listener)))


def complaint(cls: type) -> str:
    """What is wrong with a class that does not implement the contract."""
    return (
        f"{cls.__module__}.{cls.__qualname__} is no CloudEventListener: "
        "give it a method on_events(events) or on_event(event)"
    )


def _called(
    method: Callable[..., Awaitable[None] | None],
) -> Callable[[object], Awaitable[None]]:
    if inspect.iscoroutinefunction(method):
        return cast("Callable[[object], Awaitable[None]]", method)

    async def call(argument: object) -> None:
        result = await asyncio.to_thread(method, argument)
        if inspect.isawaitable(result):
            await result

    return call


def _one_by_one(call: Callable[[object], Awaitable[None]]) -> Call:
    async def call_each(events: Sequence[CloudEvent]) -> None:
        for event in events:
            await call(event)

    return call_each
