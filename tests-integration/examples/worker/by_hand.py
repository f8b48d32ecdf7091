"""A worker composed by hand: no YAML, no entry points, only the wheels that are imported."""

import asyncio

from shop import OrderWorkflow, OrderWorkflowImpl, PaymentService, PaymentServiceImpl

from infinitic_client import AsyncInfiniticClient
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import WorkflowStateEngine


async def main() -> None:
    """Process one order inside an application that has an event loop of its own."""
    transport = InMemoryTransport()
    worker = InfiniticWorker(
        transport=transport,
        storage=MemoryStorage(),
        components=[
            ServiceExecutor(PaymentService, PaymentServiceImpl, concurrency=10),
            WorkflowExecutor(OrderWorkflow, OrderWorkflowImpl, concurrency=5),
            WorkflowStateEngine(OrderWorkflow),
        ],
    )
    async with worker, AsyncInfiniticClient(transport=transport, close_transport=False) as client:
        order = client.new_workflow(OrderWorkflow)
        print((await client.call(order.process_order, "order-1")).transaction_id)  # noqa: T201 - its output


asyncio.run(main())
