from collections.abc import Iterator

import attrs
import pytest
from opentelemetry.baggage import get_baggage
from opentelemetry.context import attach, detach, get_current
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracerProvider, StatusCode, get_current_span

from infinitic_common.failures import WorkflowCanceledError
from infinitic_common.messages import ExecuteTask
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_common.telemetry import RunReport
from infinitic_worker._telemetry import WorkerTelemetry
from infinitic_worker._tracing import Spans, global_tracer_provider

TRACE = "0123456789abcdef0123456789abcdef"
META = {"traceparent": f"00-{TRACE}-0123456789abcdef-01".encode(), "baggage": b"user=ann"}
CLIENT = ClientRequester("c")
RUN = WorkflowRequester("Order", "w", "process", "w", 1, 0)
TASK = ExecuteTask("m", "Payments", "t", "charge", (), frozenset(), META, RUN)
REPORT = RunReport("Order", "w", "w", "process", META, CLIENT, 1000, 3000)


class Exported:
    """A tracer provider, and the spans that ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
def exported() -> Exported:
    return Exported()


@pytest.fixture
def telemetry(exported: Exported) -> WorkerTelemetry:
    return WorkerTelemetry(None, Spans(exported.provider))


@pytest.fixture(autouse=True)
def _own_context() -> Iterator[None]:
    token = attach(get_current())
    yield
    detach(token)


def id_of(span: ReadableSpan) -> int:
    return span.get_span_context().span_id  # type: ignore[union-attr]  # it was started


def trace_of(span: ReadableSpan) -> str:
    return format(span.get_span_context().trace_id, "032x")  # type: ignore[union-attr]  # it was started


def attempted(telemetry: WorkerTelemetry, task: ExecuteTask) -> None:
    watch = telemetry.attempt(task)
    watch.enter()
    watch.ended("completed")


def test_client_workflow_and_task_are_one_trace_each_within_the_other(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    attempted(telemetry, TASK)
    telemetry.run_reported(REPORT)
    task, run = exported.spans["Payments.charge"], exported.spans["Order.process"]
    assert trace_of(task) == trace_of(run) == TRACE
    assert run.parent is not None
    assert format(run.parent.span_id, "016x") == "0123456789abcdef"
    assert task.parent is not None
    assert task.parent.span_id == id_of(run)


def test_a_child_workflow_is_within_the_run_that_started_it(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    telemetry.run_reported(REPORT)
    child = attrs.evolve(
        REPORT, workflow_name="Child", workflow_id="c", method_id="c", requester=RUN
    )
    telemetry.run_reported(child)
    spans = exported.spans
    assert spans["Child.process"].parent is not None
    assert spans["Child.process"].parent.span_id == id_of(spans["Order.process"])


def test_a_method_run_by_tag_has_a_span_in_each_workflow(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    for workflow, workflow_id in (("Order", "w"), ("Twin", "w2")):
        told = attrs.evolve(REPORT, workflow_name=workflow, workflow_id=workflow_id, method_id="m")
        telemetry.run_reported(told)
    first, second = exported.spans["Order.process"], exported.spans["Twin.process"]
    assert trace_of(first) == trace_of(second)
    assert id_of(first) != id_of(second)


def test_a_workflow_that_no_client_traces_has_a_trace_of_its_own(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    attempted(telemetry, attrs.evolve(TASK, meta={}))
    telemetry.run_reported(attrs.evolve(REPORT, meta={}))
    task, run = exported.spans["Payments.charge"], exported.spans["Order.process"]
    assert run.parent is None
    assert trace_of(task) == trace_of(run)
    assert task.parent is not None
    assert task.parent.span_id == id_of(run)


def test_the_code_of_a_task_is_within_its_span_and_sees_baggage(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    watch = telemetry.attempt(TASK)
    watch.enter()
    seen = get_current_span().get_span_context().span_id
    assert get_baggage("user") == "ann"
    watch.ended("completed")
    assert seen == id_of(exported.spans["Payments.charge"])


def test_a_run_lasts_from_its_start_to_its_end(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    telemetry.run_reported(REPORT)
    run = exported.spans["Order.process"]
    assert (run.start_time, run.end_time) == (1_000_000_000, 3_000_000_000)
    assert run.attributes is not None
    assert run.attributes["infinitic.workflow.id"] == "w"


def test_what_failed_is_marked(telemetry: WorkerTelemetry, exported: Exported) -> None:
    watch = telemetry.attempt(TASK)
    watch.enter()
    watch.ended("retried", ValueError("no money"))
    telemetry.run_reported(
        attrs.evolve(REPORT, error=WorkflowCanceledError("Order", "w", "process", "w"))
    )
    task, run = exported.spans["Payments.charge"], exported.spans["Order.process"]
    assert task.status.status_code is run.status.status_code is StatusCode.ERROR
    assert task.events[0].name == "exception"


def test_an_exception_that_cannot_be_told_loses_only_its_span(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    class Unspeakable(Exception):  # noqa: N818 - a test
        def __str__(self) -> str:
            raise RuntimeError

    watch = telemetry.attempt(TASK)
    watch.enter()
    watch.ended("failed", Unspeakable())
    assert exported.spans == {}


def test_a_run_that_stalls_has_not_ended(telemetry: WorkerTelemetry, exported: Exported) -> None:
    telemetry.run_reported(attrs.evolve(REPORT, stalled=True))
    assert exported.spans == {}


def test_nothing_is_sampled_that_the_client_does_not_sample(
    telemetry: WorkerTelemetry, exported: Exported
) -> None:
    unsampled = {"traceparent": f"00-{TRACE}-0123456789abcdef-00".encode()}
    attempted(telemetry, attrs.evolve(TASK, meta=unsampled))
    telemetry.run_reported(attrs.evolve(REPORT, meta=unsampled))
    assert exported.spans == {}


def test_tasks_follow_what_the_sampler_decides_for_their_workflow() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    attempted(WorkerTelemetry(None, Spans(provider)), attrs.evolve(TASK, meta={}))
    assert exporter.get_finished_spans() == ()


def test_a_broken_traceparent_is_ignored(telemetry: WorkerTelemetry, exported: Exported) -> None:
    broken = {"traceparent": b"\xff\x00 no trace"}
    attempted(telemetry, attrs.evolve(TASK, meta=broken, requester=CLIENT))
    assert exported.spans["Payments.charge"].parent is None


def test_spans_of_other_libraries_have_ids_of_their_own(exported: Exported) -> None:
    Spans(exported.provider)
    Spans(exported.provider)
    with exported.provider.get_tracer("other").start_as_current_span("other"):
        pass
    assert exported.spans["other"].parent is None


def test_a_provider_that_makes_no_spans_will_do() -> None:
    telemetry = WorkerTelemetry(None, Spans(NoOpTracerProvider()))
    attempted(telemetry, TASK)
    telemetry.run_reported(REPORT)


def test_a_process_without_a_tracer_provider_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    assert global_tracer_provider() is None
    assert "opentelemetry-instrument" in caplog.text
