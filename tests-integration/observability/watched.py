"""A watched worker with everything that orders need, in memory, and a client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from observability.programs import Orders, OrdersImpl, Payments, PaymentsImpl
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from infinitic_client import AsyncInfiniticClient
from infinitic_common.client import AsyncClient
from infinitic_common.transport import Transport
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine
from infinitic_workflow_tag import WorkflowTagEngine


def _client(*, transport: object, close_transport: bool) -> AsyncClient:
    return AsyncInfiniticClient(
        transport=cast("Transport", transport), close_transport=close_transport
    )


@asynccontextmanager
async def watched(
    *,
    remote: bool = False,
    always_replay: bool = False,
    meter_provider: MeterProvider | None = None,
    tracer_provider: TracerProvider | None = None,
) -> AsyncIterator[AsyncInfiniticClient]:
    """Run a worker during the block, which gets a client of its own."""
    transport = InMemoryTransport()
    worker = InfiniticWorker(
        transport=transport,
        storage=MemoryStorage(),
        components=[
            ServiceExecutor(Payments, PaymentsImpl, concurrency=2),
            WorkflowExecutor(Orders, OrdersImpl, always_replay=always_replay),
            WorkflowTagEngine(Orders),
            WorkflowStateEngine(Orders, StateEngineOptions(remote_workflow_tasks=remote)),
        ],
        name="metrics-worker",
        client_factory=_client,
        meter_provider=meter_provider,
        tracer_provider=tracer_provider,
        close_transport=False,
    )
    async with worker, AsyncInfiniticClient(transport=transport) as client:
        yield client
    await transport.close()
