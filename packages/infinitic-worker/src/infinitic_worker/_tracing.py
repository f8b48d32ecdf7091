"""Spans of tasks and of workflow methods.

The span of a method run is made when the run has ended, so that its id must be known before: tasks
are its children. The id is therefore derived from that of the run, in every process alike, and
nothing but the trace of the client travels; user code that is replayed makes no spans.
"""

import hashlib
import logging
from contextvars import ContextVar
from typing import Protocol, cast

from opentelemetry.context import Context, attach
from opentelemetry.propagate import extract
from opentelemetry.trace import (
    NonRecordingSpan,
    ProxyTracerProvider,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
    get_current_span,
    get_tracer_provider,
    set_span_in_context,
)

from infinitic_common.messages import ExecuteTask
from infinitic_common.requesters import Requester, WorkflowRequester
from infinitic_common.telemetry import RunReport
from infinitic_common.trace_context import TRACE_KEYS, Meta

_LOGGER = logging.getLogger(__name__)

_NANOSECONDS = 1_000_000
_MANUAL = "infinitic_worker"

_given: ContextVar[tuple[int, int | None] | None] = ContextVar("infinitic_span_ids", default=None)
"""Ids of the trace and, unless any will do, of the span that is about to be made."""


def global_tracer_provider() -> TracerProvider | None:
    """The provider that the process has set; None, with a warning, when it has set none."""
    provider = get_tracer_provider()
    if isinstance(provider, ProxyTracerProvider):
        _LOGGER.warning(
            "tracing is on, but this process has no tracer provider, and no spans are made: run the "
            "worker by `opentelemetry-instrument`, or give InfiniticWorker a tracer_provider"
        )
        return None
    return provider


class Spans:
    """Makes spans.

    Args:
        provider: Exports them.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer(_MANUAL)
        self._derives = _let_ids_be_given(self._tracer)

    def start_attempt(self, task: ExecuteTask) -> "AttemptSpan":
        """Start the span of an attempt of a task."""
        requester = task.requester
        name = f"{task.service_name}.{task.method_name}"
        attributes: dict[str, str | int] = {
            "infinitic.service.name": task.service_name,
            "infinitic.task.name": task.method_name,
            "infinitic.task.id": task.task_id,
            "infinitic.task.retry_index": task.retry_index,
            "infinitic.task.retry_sequence": task.retry_sequence,
        }
        if isinstance(requester, WorkflowRequester):
            attributes["infinitic.workflow.name"] = requester.workflow_name
            attributes["infinitic.workflow.id"] = requester.workflow_id
        around = self._around(task.meta, requester)
        span = self._tracer.start_span(name, around, SpanKind.CONSUMER, attributes)
        return AttemptSpan(span, around)

    def make_run(self, report: RunReport) -> None:
        """Make the span of a method run that has ended."""
        origin = _origin(report.meta)
        known = get_current_span(origin).get_span_context()
        around = self._around(report.meta, report.requester) if known.is_valid else origin
        started = report.ended_at if report.started_at is None else report.started_at
        span_id = _span_id(report.workflow_id, report.method_id)
        token = _given.set((_trace_id(report.workflow_id), span_id))
        try:
            span = self._tracer.start_span(
                f"{report.workflow_name}.{report.method_name}",
                around,
                SpanKind.CONSUMER,
                {
                    "infinitic.workflow.name": report.workflow_name,
                    "infinitic.workflow.id": report.workflow_id,
                    "infinitic.workflow.method.name": report.method_name,
                    "infinitic.workflow.method.id": report.method_id,
                },
                start_time=started * _NANOSECONDS,
            )
        finally:
            _given.reset(token)
        if report.error is not None:
            span.set_status(Status(StatusCode.ERROR, type(report.error).__name__))
        span.end(report.ended_at * _NANOSECONDS)

    def _around(self, meta: Meta, requester: Requester | None) -> Context:
        """The context of what somebody asked for: within the span of the run, if a run did."""
        origin = _origin(meta)
        if not self._derives or not isinstance(requester, WorkflowRequester):
            return origin
        known = get_current_span(origin).get_span_context()
        trace_id = known.trace_id if known.is_valid else _trace_id(requester.workflow_id)
        parent = SpanContext(
            trace_id,
            _span_id(requester.workflow_id, requester.method_id),
            is_remote=True,
            trace_flags=known.trace_flags if known.is_valid else self._flags_of(trace_id),
            trace_state=known.trace_state,
        )
        return set_span_in_context(NonRecordingSpan(parent), origin)

    def _flags_of(self, trace_id: int) -> TraceFlags:
        """Whether the span of a workflow that no client traces will be sampled, when it is made."""
        token = _given.set((trace_id, None))
        try:
            # Never ended, it is never exported.
            return self._tracer.start_span("", Context()).get_span_context().trace_flags
        finally:
            _given.reset(token)


class AttemptSpan:
    """The span of an attempt of a task.

    Args:
        span: The span.
        around: The context of the task, with what came along.
    """

    def __init__(self, span: Span, around: Context) -> None:
        self._span = span
        self._around = around

    def enter(self) -> None:
        """Make it the current one for the rest of the calling context."""
        attach(set_span_in_context(self._span, self._around))

    def end(self, outcome: str, error: BaseException | None) -> None:
        """End it."""
        self._span.set_attribute("infinitic.task.outcome", outcome)
        if error is not None:
            self._span.record_exception(error)
            self._span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        self._span.end()


def _origin(meta: Meta) -> Context:
    carrier = {key: meta[key].decode(errors="replace") for key in TRACE_KEYS if key in meta}
    return extract(carrier, Context())


def _trace_id(workflow_id: str) -> int:
    return _derived(f"trace {workflow_id}", 16)


def _span_id(workflow_id: str, method_id: str) -> int:
    # Run by tag, a method has one id in several workflows, and these may share a trace.
    return _derived(f"span {workflow_id} {method_id}", 8)


def _derived(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "big") or 1


# --- ids --------------------------------------------------------------------------------------


class _IdGenerator(Protocol):
    def generate_span_id(self) -> int: ...

    def generate_trace_id(self) -> int: ...


class _TracerOfSdk(Protocol):
    id_generator: _IdGenerator


class _GivenIds:
    """Ids that were given, else those that another generator makes."""

    def __init__(self, others: _IdGenerator) -> None:
        self._others = others

    def __getattr__(self, name: str) -> object:
        return getattr(self._others, name)

    def generate_span_id(self) -> int:
        given = _given.get()
        if given is None or given[1] is None:
            return self._others.generate_span_id()
        return given[1]

    def generate_trace_id(self) -> int:
        given = _given.get()
        return self._others.generate_trace_id() if given is None else given[0]


def _let_ids_be_given(tracer: object) -> bool:
    """Whether spans of this tracer, which nobody else uses, may be given their ids."""
    if not hasattr(tracer, "id_generator"):
        return False
    of_sdk = cast("_TracerOfSdk", tracer)
    if not isinstance(of_sdk.id_generator, _GivenIds):
        of_sdk.id_generator = _GivenIds(of_sdk.id_generator)
    return True
