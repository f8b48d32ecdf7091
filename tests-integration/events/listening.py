"""A worker with a listener beside it, and what the listener was told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs
from cloudevents.core.v1.event import CloudEvent

from events.shop import Orders, OrdersImpl, Stock, StockImpl
from infinitic_client import AsyncInfiniticClient
from infinitic_common.component import Component
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_task_tag import ServiceTagEngine
from infinitic_transport import InMemoryTransport
from infinitic_worker import EventListener, InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine

_LIMIT_SECONDS = 60


@attrs.define(eq=False)
class Told:
    """A listener that keeps what it is told, once for each source and id."""

    events: dict[tuple[str, str], CloudEvent] = attrs.field(
        factory=dict[tuple[str, str], CloudEvent]
    )
    changed: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def on_event(self, event: CloudEvent) -> None:
        """Keep it."""
        self.events[event.get_source(), event.get_id()] = event
        self.changed.set()

    def of(self, event_type: str) -> list[CloudEvent]:
        """The events of a type, as they came."""
        return [event for event in self.events.values() if event.get_type() == event_type]

    async def first(self, event_type: str, subject: str | None = None) -> CloudEvent:
        """The first event of a type, about a subject, once it is there."""
        async with asyncio.timeout(_LIMIT_SECONDS):
            while True:
                for event in self.of(event_type):
                    if subject in (None, event.get_subject()):
                        return event
                self.changed.clear()
                await self.changed.wait()


@attrs.frozen
class Scene:
    """What runs."""

    client: AsyncInfiniticClient
    told: Told
    transport: Transport


def components(*, remote: bool = False) -> list[Component]:
    """All that the shop needs."""
    return [
        ServiceExecutor(Stock, StockImpl, concurrency=5),
        ServiceTagEngine(Stock),
        WorkflowExecutor(Orders, OrdersImpl),
        WorkflowStateEngine(Orders, StateEngineOptions(remote_workflow_tasks=remote)),
    ]


@asynccontextmanager
async def listened(
    parts: Sequence[Component],
    transport: Transport | None = None,
    storage: Storage | None = None,
) -> AsyncIterator[Scene]:
    """A worker with these parts, and a listener."""
    told = Told()
    transport = transport or InMemoryTransport()
    worker = InfiniticWorker(
        transport=transport,
        storage=storage or MemoryStorage(),
        components=[EventListener(told), *parts],
        client_factory=AsyncInfiniticClient,
    )
    async with worker:
        client = AsyncInfiniticClient(transport=transport, close_transport=False)
        yield Scene(client, told, transport)
        await client.close()
