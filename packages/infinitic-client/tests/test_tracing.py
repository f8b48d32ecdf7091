"""The trace that a program is in goes with what it starts; here of a stand-in for OpenTelemetry."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_common.messages import DispatchWorkflow

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from conftest import RecordingTransport

    from infinitic_client import AsyncInfiniticClient, InfiniticClient

PARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

current: ContextVar[str | None] = ContextVar("current", default=None)


class Order(Protocol):
    def process(self) -> str: ...


@pytest.fixture(autouse=True)
def _opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    def inject(carrier: MutableMapping[str, str]) -> None:
        parent = current.get()
        if parent is not None:
            carrier["traceparent"] = parent

    propagate = ModuleType("opentelemetry.propagate")
    propagate.__dict__["inject"] = inject
    monkeypatch.setitem(sys.modules, "opentelemetry", ModuleType("opentelemetry"))
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", ModuleType("opentelemetry.trace"))
    monkeypatch.setitem(sys.modules, "opentelemetry.propagate", propagate)


def started(transport: RecordingTransport) -> DispatchWorkflow:
    (message,) = (one for _, one in transport.published if isinstance(one, DispatchWorkflow))
    return message


async def test_a_start_carries_the_trace_of_its_caller(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    current.set(PARENT)
    _ = await client.dispatch(client.new_workflow(Order, meta={"a": b"1"}).process)
    assert started(transport).meta == {"traceparent": PARENT.encode(), "a": b"1"}


def test_a_start_from_a_thread_carries_the_trace_of_that_thread(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    token = current.set(PARENT)
    blocking.dispatch(blocking.new_workflow(Order).process)
    current.reset(token)
    assert started(transport).meta == {"traceparent": PARENT.encode()}


async def test_outside_a_span_nothing_is_added(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    _ = await client.dispatch(client.new_workflow(Order).process)
    assert started(transport).meta == {}
