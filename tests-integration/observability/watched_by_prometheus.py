"""A worker on real servers under load, as its own process, scraped by a real Prometheus."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import attrs
from demo_shop.contracts import Order, OrderWorkflow
from demo_shop.journal import FILE_VARIABLE
from deployments.configurations import servers
from deployments.environments import ALL_WHEELS, environment_with
from deployments.processes import WorkerProcess, running
from observability.programs import Orders
from observability.prometheus import Prometheus, prometheus
from service_control._process import free_port

from infinitic_client import AsyncInfiniticClient
from infinitic_common.configuration import (
    ClientConfiguration,
    PulsarConfiguration,
    load_configuration,
    string_source,
)
from infinitic_common.exceptions import InfiniticError
from infinitic_common.transport import OutgoingMessage, Topic, TopicKind
from infinitic_transport_pulsar import PulsarTransport

_TOOLS = Path(__file__).resolve().parents[2] / "tools"
"""Where the demo's shop is."""

_PROGRAMS = """\
name: watched
services:
  - name: Payments
    class: observability.programs.PaymentsImpl
    concurrency: 5
  - {name: PaymentService, class: demo_shop.services.PaymentServiceImpl, concurrency: 5}
  - {name: ApprovalService, class: demo_shop.services.ApprovalServiceImpl, concurrency: 5}
  - {name: ShippingService, class: demo_shop.services.ShippingServiceImpl, concurrency: 5}
workflows:
  - name: OrderWorkflow
    class: demo_shop.workflows.OrderWorkflowImpl
    concurrency: 5
    stateEngine: {}
  - name: Orders
    class: observability.programs.OrdersImpl
    concurrency: 5
    stateEngine: {remoteWorkflowTasks: true}
    tagEngine: {}
"""


@attrs.frozen
class Watched:
    """What runs: the worker, where its health is told, and who scrapes it."""

    worker: WorkerProcess
    health_port: int
    prometheus: Prometheus


@contextmanager
def watched_by_prometheus(folder: Path) -> Generator[Watched]:
    """Run all of it during the block, and keep the worker busy."""
    places, metrics_port, health_port = servers(), free_port(9464), free_port(8080)
    storage = places.storage + "  cache: {}\n"
    watching = (
        f"metrics: {{prometheus: {{port: {metrics_port}}}, queueDepthSeconds: 1}}\n"
        f"health: {{port: {health_port}}}\n"
        "logs: {format: json, level: info}\n"
    )
    configuration = folder / "worker.yml"
    configuration.write_text(places.transport + storage + _PROGRAMS + watching)
    environment = environment_with(ALL_WHEELS, folder / "everything")
    environment = attrs.evolve(environment, path=(*environment.path, _TOOLS))
    with (
        patch.dict(os.environ, {FILE_VARIABLE: str(folder / "journal")}),
        running(environment, configuration) as worker,
        prometheus(folder, metrics_port) as server,
        _load(places.transport),
    ):
        yield Watched(worker, health_port, server)


@contextmanager
def _load(transport: str) -> Generator[None]:
    ended = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_start_orders(transport, ended)))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def _start_orders(transport: str, ended: threading.Event) -> None:
    configuration = load_configuration(ClientConfiguration, string_source(transport))
    options = configuration.transport.options
    assert isinstance(options, PulsarConfiguration)
    pulsar = PulsarTransport(options)
    async with AsyncInfiniticClient(transport=pulsar) as client:
        await client.call(client.new_workflow(Orders).wait)
        await _send_nonsense(pulsar)
        while not ended.is_set():
            stalls = client.call(client.new_workflow(Orders).fail, "declined")
            with contextlib.suppress(InfiniticError):
                await stalls
            orders = (client.new_workflow(Orders) for _ in range(5))
            await asyncio.gather(
                *(client.call(order.process, "order") for order in orders),
                *(_order_of_the_demo(client, approved=n % 2 == 0) for n in range(4)),
            )


async def _order_of_the_demo(client: AsyncInfiniticClient, *, approved: bool) -> None:
    order = Order("A1", Decimal("9.90"), timedelta(milliseconds=100), timedelta(minutes=1))
    deferred = await client.dispatch(client.new_workflow(OrderWorkflow).process, order)
    await client.send(client.get_workflow_by_id(OrderWorkflow, deferred.id).approvals, approved)
    assert (await deferred.result()).outcome == ("shipped" if approved else "refunded: refused")


async def _send_nonsense(transport: PulsarTransport) -> None:
    """A message that nobody can read: it will be a dead letter."""
    topic = Topic(TopicKind.SERVICE_EXECUTOR, "Payments")
    await transport.publish(topic, [OutgoingMessage("nonsense", b"no message")])
