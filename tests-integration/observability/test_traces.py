"""One trace from a client over workflows to the code of tasks."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest
from observability.programs import Orders
from observability.watched import watched
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infinitic_client import AsyncInfiniticClient

PROCESS = "Orders.process"
CHARGE = "Payments.charge"


class Traced:
    """A tracer provider, and the spans that ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


@pytest.fixture
def traced() -> Traced:
    return Traced()


def _ids(span: ReadableSpan) -> tuple[str, str]:
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def _parent(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"


Watch = Callable[[TracerProvider], AbstractAsyncContextManager[AsyncInfiniticClient]]


def _watch(
    provider: TracerProvider, *, always_replay: bool = False, remote: bool = False
) -> AbstractAsyncContextManager[AsyncInfiniticClient]:
    return watched(always_replay=always_replay, remote=remote, tracer_provider=provider)


MODES: Mapping[str, Watch] = {
    "live": _watch,
    "replay": partial(_watch, always_replay=True),
    "remote": partial(_watch, remote=True),
}


@pytest.mark.parametrize("watch", MODES.values(), ids=MODES)
async def test_a_trace_goes_from_client_to_workflow_to_task_and_into_its_code(
    traced: Traced, watch: Watch
) -> None:
    tracer = traced.provider.get_tracer("shop")
    async with watch(traced.provider) as client:
        with tracer.start_as_current_span("checkout"):
            seen = await client.call(client.new_workflow(Orders).process, "order-1")
    checkout, run, task = traced.one("checkout"), traced.one(PROCESS), traced.one(CHARGE)
    trace, _ = _ids(checkout)
    assert _ids(run)[0] == _ids(task)[0] == trace
    assert _parent(run) == _ids(checkout)[1]
    assert _parent(task) == _ids(run)[1]
    assert seen == " ".join(_ids(task))


@pytest.mark.parametrize("watch", MODES.values(), ids=MODES)
async def test_no_span_is_made_twice_by_a_replay(traced: Traced, watch: Watch) -> None:
    async with watch(traced.provider) as client:
        await client.call(client.new_workflow(Orders).process, "order-1")
    assert len(traced.named(PROCESS)) == len(traced.named(CHARGE)) == 1
    assert [span.status.is_ok for span in traced.named("Payments.charge_later")] == [False, True]


async def test_a_child_workflow_belongs_to_the_trace_of_its_parent(traced: Traced) -> None:
    tracer = traced.provider.get_tracer("shop")
    async with watched(tracer_provider=traced.provider) as client:
        with tracer.start_as_current_span("checkout"):
            await client.call(client.new_workflow(Orders).parent, "order-1")
    parent, child = traced.one("Orders.parent"), traced.one(PROCESS)
    assert _ids(parent)[0] == _ids(child)[0] == _ids(traced.one("checkout"))[0]
    assert _parent(child) == _ids(parent)[1]
    assert _parent(traced.one(CHARGE)) == _ids(child)[1]


async def test_a_workflow_that_nobody_traces_begins_a_trace(traced: Traced) -> None:
    async with watched(tracer_provider=traced.provider) as client:
        seen = await client.call(client.new_workflow(Orders).process, "order-1")
    run = traced.one(PROCESS)
    assert _parent(run) is None
    assert seen.split()[0] == _ids(run)[0]
    assert _parent(traced.one(CHARGE)) == _ids(run)[1]
