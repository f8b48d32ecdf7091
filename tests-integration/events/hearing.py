"""Listeners that keep what they hear, and what there is to listen to."""

# ruff: noqa: D102 - their names say what they do

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

import attrs
from cloudevents.core.v1.event import CloudEvent
from harness.deployment import Deployment, workflow_components
from harness.modes import Ground, Mode
from harness.stores import STORES
from harness.times import RealTime

from events.programs import Orders, OrdersImpl, Stock, StockImpl
from infinitic_client import AsyncInfiniticClient
from infinitic_common.component import Component
from infinitic_common.transport import TopicKind, Transport
from infinitic_task_executor import ServiceExecutor
from infinitic_task_tag import ServiceTagEngine
from infinitic_transport import InMemoryTransport

LOCAL, REMOTE = Mode("local"), Mode("remote", remote=True)
_LIMIT_SECONDS = 20.0
_POLL_SECONDS = 0.005


async def until(
    condition: Callable[[], object],
    what: Callable[[], object] = str,
    seconds: float = _LIMIT_SECONDS,
) -> None:
    """Wait for a condition; says what there was instead when it does not come."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - any condition, of threads too
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(what()) from None


class Memory:
    """What was heard."""

    def __init__(self) -> None:
        self.events: list[CloudEvent] = []

    def about(self, subject: str) -> list[CloudEvent]:
        return [event for event in list(self.events) if event.get_subject() == subject]

    def types(self, subject: str) -> set[str]:
        return {event.get_type() for event in self.about(subject)}

    def ids(self) -> set[str]:
        return {event.get_id() for event in list(self.events)}

    async def until_heard(self, subject: str, *types: str) -> dict[str, CloudEvent]:
        """Wait for events of these types; gives the first of every type."""
        await until(lambda: self.types(subject).issuperset(types), lambda: self.types(subject))
        return {event.get_type(): event for event in reversed(self.about(subject))}


class Heard(Memory):
    """Hears one event after the other."""

    async def on_event(self, event: CloudEvent) -> None:
        self.events.append(event)


class Kept(Heard):
    """What a worker makes by its configuration."""

    made: ClassVar[list["Kept"]] = []

    def __init__(self) -> None:
        super().__init__()
        self.made.append(self)


class HeardTogether(Memory):
    """Hears lists of events, on a thread."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def on_events(self, events: Sequence[CloudEvent]) -> None:
        self.sizes.append(len(events))
        self.events.extend(events)


@attrs.frozen
class Shop:
    """What runs, with a client of it."""

    deployment: Deployment

    @property
    def client(self) -> AsyncInfiniticClient:
        return self.deployment.client


def stock() -> list[Component]:
    """The service."""
    return [ServiceExecutor(Stock, StockImpl, concurrency=5), ServiceTagEngine(Stock)]


def orders(mode: Mode) -> list[Component]:
    """The workflow."""
    return workflow_components(mode, Orders, OrdersImpl)


@asynccontextmanager
async def shop(
    mode: Mode = LOCAL,
    *,
    listeners: Collection[Component] = (),
    transport: Transport | None = None,
    parts: Collection[Component] | None = None,
) -> AsyncIterator[Shop]:
    """A shop in memory, with listeners in a worker of their own."""
    carrier = InMemoryTransport() if transport is None else transport
    components = [*stock(), *orders(mode)] if parts is None else parts
    async with STORES["memory"]() as storage:
        ground = Ground(carrier, storage, RealTime())
        async with AsyncInfiniticClient(transport=carrier) as client:
            running = Deployment(mode, client, ground)
            async with running.worker(*listeners), running.worker(*components):
                yield Shop(running)


def published_events(transport: InMemoryTransport) -> set[TopicKind]:
    """The kinds of events that were published, whether or not anybody heard them."""
    kinds = {topic.kind for topic in transport.universe.topics()}
    return {kind for kind in kinds if kind.endswith("-event")}


async def run_order(running: Shop) -> str:
    """Have a workflow run to its end; gives its id."""
    client = running.client
    item = "pen"
    started = await client.dispatch(client.new_workflow(Orders).order, item)
    assert await started.result() == len(item)
    return started.id
