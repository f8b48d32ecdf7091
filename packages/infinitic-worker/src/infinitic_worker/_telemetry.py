"""What components tell, as metrics and spans."""

import logging
import time

from infinitic_common.failures import WorkflowCanceledError
from infinitic_common.messages import ExecuteTask
from infinitic_common.telemetry import AttemptWatch, RunReport
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._metrics.storage import count_reads
from infinitic_worker._tracing import AttemptSpan, Spans

_LOGGER = logging.getLogger(__name__)

_MILLISECONDS = 1000


class WorkerTelemetry:
    """Tells instruments and makes spans; see ``Telemetry``.

    Args:
        instruments: None without metrics.
        spans: None without traces.
    """

    is_on = True

    def __init__(self, instruments: Instruments | None, spans: Spans | None) -> None:
        self._instruments = instruments
        self._spans = spans

    def attempt(self, task: ExecuteTask) -> AttemptWatch:
        """See ``Telemetry``."""
        return _Watch(task, self._instruments, self._spans)

    def run_reported(self, report: RunReport) -> None:
        """See ``Telemetry``."""
        if self._spans is not None and not report.stalled:
            self._spans.make_run(report)
        if self._instruments is not None:
            _count_run(self._instruments, report)

    def states_read(self, cached: int, stored: int) -> None:
        """See ``Telemetry``."""
        if self._instruments is not None:
            count_reads(self._instruments, "engine", cached, stored)


def _count_run(instruments: Instruments, report: RunReport) -> None:
    labels = instruments.labels(workflow=report.workflow_name, method=report.method_name)
    if report.stalled:
        instruments.stalls.add(1, labels)
        return
    labels["outcome"] = _outcome(report)
    instruments.runs.add(1, labels)
    if report.started_at is not None and report.method_id == report.workflow_id:
        seconds = (report.ended_at - report.started_at) / _MILLISECONDS
        instruments.workflow_duration.record(seconds, labels)


def _outcome(report: RunReport) -> str:
    if report.error is None:
        return "completed"
    return "canceled" if isinstance(report.error, WorkflowCanceledError) else "failed"


class _Watch:
    """Watches one attempt; see ``AttemptWatch``."""

    __slots__ = ("_began", "_instruments", "_span", "_spans", "_task")

    def __init__(
        self, task: ExecuteTask, instruments: Instruments | None, spans: Spans | None
    ) -> None:
        self._task = task
        self._instruments = instruments
        self._spans = spans
        self._span: AttemptSpan | None = None
        self._began: float | None = None

    def begin(self) -> None:
        """See ``AttemptWatch``."""
        if self._began is None:
            self._began = time.perf_counter()
            if self._spans is not None:
                self._span = self._spans.start_attempt(self._task)

    def enter(self) -> None:
        """See ``AttemptWatch``."""
        self.begin()
        if self._span is not None:
            self._span.enter()

    def ended(self, outcome: str, error: BaseException | None = None) -> None:
        """See ``AttemptWatch``."""
        self.begin()
        if self._instruments is not None:
            self._count(self._instruments, outcome, error)
        if self._span is not None:
            try:
                self._span.end(outcome, error)
            except Exception:  # it looked into an exception of the user
                _LOGGER.debug("a span of %s is lost", self._task.task_id, exc_info=True)

    def _count(self, instruments: Instruments, outcome: str, error: BaseException | None) -> None:
        task, began = self._task, self._began
        labels = instruments.labels(service=task.service_name, method=task.method_name)
        seconds = 0.0 if began is None else time.perf_counter() - began
        instruments.task_duration.record(seconds, {**labels, "outcome": outcome})
        if outcome == "retried":
            instruments.task_retries.add(1, labels)
        if error is not None:
            instruments.task_errors.add(1, {**labels, "error": type(error).__name__})
