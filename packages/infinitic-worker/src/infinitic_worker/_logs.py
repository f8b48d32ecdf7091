"""Logs of the command: coloured on a terminal, a plain line elsewhere, or an object a line."""

import json
import logging
import sys
from datetime import UTC, datetime

from opentelemetry.trace import format_trace_id, get_current_span
from rich.console import Console
from rich.logging import RichHandler

from infinitic_common.task_context import Task
from infinitic_common.workflow_run import current_run

FIELDS = (
    "component",
    "workflow_name",
    "workflow_id",
    "method_id",
    "service_name",
    "method_name",
    "task_id",
    "tag",
)
"""What records carry beside their text; any handler can read them as attributes."""

_COMPONENTS = {
    "infinitic.service_executor": "TaskExecutor",
    "infinitic.workflow_executor": "WorkflowExecutor",
    "infinitic_task_executor": "TaskExecutor",
    "infinitic_workflow_engine": "WorkflowStateEngine",
    "infinitic_workflow_tag": "WorkflowTagEngine",
    "infinitic_task_tag": "ServiceTagEngine",
    "infinitic_transport": "Transport",
    "infinitic_storage": "Storage",
    "infinitic_cache": "Storage",
    "infinitic_client": "Client",
    "infinitic_worker": "Worker",
}
"""By the beginning of the name of a logger."""

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ContextFilter(logging.Filter):
    """Adds to each record what it belongs to: workflow, task, component, trace.

    A record of workflow code that is replayed does not pass: its first run has logged it. To be
    added to handlers, as ``handler.addFilter(ContextFilter())``.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """See ``logging.Filter``."""
        run = current_run()
        if run is not None and run.is_replaying:
            return False
        given = vars(record)
        for name, value in self._fields(record).items():
            if value:
                given.setdefault(name, value)
        return True

    def _fields(self, record: logging.LogRecord) -> dict[str, str | None]:
        fields: dict[str, str | None] = {}
        run, task = current_run(), Task.context
        if run is not None:
            fields = {
                "component": "WorkflowExecutor",
                "workflow_name": run.workflow_name,
                "workflow_id": run.workflow_id,
                "method_id": run.method_id,
                "method_name": run.method_name,
            }
        elif task is not None:
            fields = {
                "component": "TaskExecutor",
                "workflow_name": task.workflow_name,
                "workflow_id": task.workflow_id,
                "service_name": task.service_name,
                "method_name": task.method_name,
                "task_id": task.task_id,
            }
        else:
            fields["component"] = _component_of(record.name)
        trace = get_current_span().get_span_context()
        if trace.is_valid:
            fields["trace_id"] = format_trace_id(trace.trace_id)
        return fields


class FieldFormatter(logging.Formatter):
    """Writes the fields of a record behind its text."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of the base
        """See ``logging.Formatter``."""
        given = vars(record)
        fields = [f"{name}={given[name]}" for name in FIELDS if given.get(name) is not None]
        text = super().formatMessage(record)
        return f"{text} [{' '.join(fields)}]" if fields else text


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object: time, level, logger, message, and all its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "thread": record.threadName,
        }
        said |= {k: v for k, v in vars(record).items() if k not in _PLAIN and v is not None}
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        if record.stack_info:
            said["stack"] = self.formatStack(record.stack_info)
        return json.dumps(said, default=str, ensure_ascii=False)


def configure_logs(level: str | None = None, form: str = "console") -> None:
    """Log to standard error; the second time, as now asked for.

    Args:
        level: Least level of all logs; None for warnings, and the life of the worker itself.
        form: ``console``, or ``json`` for an object a line.
    """
    handler = _json_handler() if form == "json" else _console_handler()
    handler.addFilter(ContextFilter())
    logging.basicConfig(
        level=level.upper() if level else logging.WARNING, handlers=[handler], force=True
    )
    of_worker = logging.NOTSET if level else logging.INFO
    logging.getLogger("infinitic_worker").setLevel(of_worker)


def _json_handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    return handler


def _console_handler() -> logging.Handler:
    on_terminal = sys.stderr.isatty()
    handler = _terminal_handler() if on_terminal else logging.StreamHandler()
    text = "%(message)s"
    plain = f"%(asctime)s %(levelname)s %(process)d %(name)s: {text}"
    handler.setFormatter(FieldFormatter(text if on_terminal else plain))
    return handler


def _terminal_handler() -> logging.Handler:
    return RichHandler(console=Console(stderr=True), show_path=False)


def _component_of(logger: str) -> str | None:
    # The longest first: infinitic_transport_pulsar begins as infinitic_transport does.
    begins = (name for name in _COMPONENTS if logger.startswith(name))
    longest = max(begins, key=len, default=None)
    return None if longest is None else _COMPONENTS[longest]
