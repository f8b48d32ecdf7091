"""The listener that the README of the worker shows, told what a worker did."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

import pytest
from cloudevents.core.v1.event import CloudEvent

from infinitic_client import AsyncInfiniticClient
from infinitic_common import Workflow, new_service
from infinitic_common.configuration import BatchConfiguration
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import CloudEventListener, EventListener, InfiniticWorker
from infinitic_workflow_engine import WorkflowStateEngine

README = Path(__file__).resolve().parents[2] / "packages" / "infinitic-worker" / "README.md"


class Payments(Protocol):
    def charge(self, amount: int) -> int: ...


class PaymentsImpl:
    def charge(self, amount: int) -> int:
        return amount


class Order(Protocol):
    def process(self) -> int: ...


class OrderImpl(Workflow, Order):
    payments = new_service(Payments)

    def process(self) -> int:
        return self.payments.charge(5)


class _Watched:
    """The shown listener, and when it has taken the end of the workflow."""

    def __init__(self, shown: CloudEventListener, loop: asyncio.AbstractEventLoop) -> None:
        self._shown = shown
        self._loop = loop
        self.done = asyncio.Event()

    def on_events(self, events: Sequence[CloudEvent]) -> None:
        self._shown.on_events(events)
        if any(event.get_type() == "workflow.completed" for event in events):
            self._loop.call_soon_threadsafe(self.done.set)


async def test_the_shown_listener_writes_each_event_as_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    code = next(block for block in blocks if "class AuditTrail" in block)
    names: dict[str, object] = {}
    exec(compile(code, str(README), "exec"), names)  # noqa: S102 - what is shown is tried
    trail = cast("type[CloudEventListener]", names["AuditTrail"])()
    watched = _Watched(trail, asyncio.get_running_loop())
    batch = BatchConfiguration(max_messages=100, max_seconds=0.05)
    worker = InfiniticWorker(
        transport=InMemoryTransport(),
        storage=MemoryStorage(),
        components=[
            ServiceExecutor(Payments, PaymentsImpl),
            WorkflowExecutor(Order, OrderImpl),
            WorkflowStateEngine(Order),
            EventListener(watched, batch=batch),
        ],
        client_factory=AsyncInfiniticClient,
    )
    async with worker:
        client = cast("AsyncInfiniticClient", worker.async_client)
        assert await client.call(client.new_workflow(Order).process) == 5
        async with asyncio.timeout(30):
            await watched.done.wait()
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    types = {event["type"] for event in events}
    assert {"workflow.dispatch", "task.dispatch", "task.started", "task.completed"} <= types
    (completed,) = (event for event in events if event["type"] == "task.completed")
    assert completed["data"]["output"] == 5
    assert completed["source"] == "inMemory/services/executor/Payments"
