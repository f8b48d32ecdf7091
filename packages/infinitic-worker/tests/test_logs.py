import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import attrs
import pytest
from opentelemetry.sdk.trace import TracerProvider

from infinitic_common.task_context import TaskContext, task_context
from infinitic_common.workflow_run import WorkflowRun, set_current_run
from infinitic_worker import ContextFilter, JsonFormatter, configure_logs
from infinitic_worker._logs import FieldFormatter

TASK = TaskContext(
    service_name="Payments",
    method_name="charge",
    task_id="t",
    workflow_id="w",
    workflow_name="Order",
)


@attrs.define
class Run:
    """A method run of a workflow, as far as logs look at it."""

    workflow_id: str = "w"
    workflow_name: str = "Order"
    method_id: str = "m"
    method_name: str = "process"
    is_replaying: bool = False


@contextmanager
def running(run: Run) -> Iterator[Run]:
    set_current_run(cast("WorkflowRun", run))
    yield run
    set_current_run(None)


@attrs.frozen
class Log:
    """A logger, and the lines that it wrote."""

    logger: logging.Logger
    written: io.StringIO

    @property
    def lines(self) -> list[str]:
        return self.written.getvalue().splitlines()

    @property
    def objects(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]


def log_by(formatter: logging.Formatter, name: str = "shop") -> Log:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    handler.addFilter(ContextFilter())
    logger = logging.Logger(name)  # noqa: LOG001 - nobody else is to have it
    logger.addHandler(handler)
    return Log(logger, written)


def test_what_the_code_of_a_task_logs_has_the_ids_of_the_task() -> None:
    log = log_by(JsonFormatter())
    with task_context(TASK):
        log.logger.info("charging %s", "Ann")
    (said,) = log.objects
    assert said["message"] == "charging Ann"
    assert said["level"] == "INFO"
    assert said["logger"] == "shop"
    expected = {
        "component": "TaskExecutor",
        "workflow_id": "w",
        "workflow_name": "Order",
        "service_name": "Payments",
        "method_name": "charge",
        "task_id": "t",
    }
    assert expected.items() <= said.items()


def test_what_the_code_of_a_workflow_logs_has_the_ids_of_the_run() -> None:
    log = log_by(JsonFormatter())
    with running(Run()):
        log.logger.info("going on")
    expected = {
        "component": "WorkflowExecutor",
        "workflow_id": "w",
        "workflow_name": "Order",
        "method_id": "m",
        "method_name": "process",
    }
    assert expected.items() <= log.objects[0].items()


def test_a_replay_logs_nothing_again() -> None:
    log = log_by(JsonFormatter())
    with running(Run(is_replaying=True)) as run:
        log.logger.info("before")
        run.is_replaying = False
        log.logger.info("after")
    assert [said["message"] for said in log.objects] == ["after"]


@pytest.mark.parametrize(
    ("logger", "component"),
    [
        ("infinitic.service_executor", "TaskExecutor"),
        ("infinitic_workflow_engine._turns", "WorkflowStateEngine"),
        ("infinitic_transport_pulsar._consuming", "Transport"),
        ("infinitic_worker.worker", "Worker"),
        ("shop", None),
    ],
)
def test_the_component_is_known_by_the_logger(logger: str, component: str | None) -> None:
    log = log_by(JsonFormatter(), logger)
    log.logger.warning("hm")
    assert log.objects[0].get("component") == component


def test_what_a_record_says_itself_is_kept() -> None:
    log = log_by(JsonFormatter())
    with task_context(TASK):
        log.logger.info("hm", extra={"workflow_id": "other", "amount": 3})
    (said,) = log.objects
    assert (said["workflow_id"], said["amount"]) == ("other", 3)


def test_an_exception_is_told_within_the_object() -> None:
    log = log_by(JsonFormatter())
    try:
        raise ValueError("bad\nthing")  # noqa: EM101, TRY003, TRY301 - a test
    except ValueError:
        log.logger.exception("it fails", stack_info=True)
    (said,) = log.objects
    assert "ValueError: bad\nthing" in str(said["error"])
    assert "stack" in said


def test_the_trace_of_the_code_is_told() -> None:
    log = log_by(JsonFormatter())
    with TracerProvider(shutdown_on_exit=False).get_tracer("x").start_as_current_span("x") as span:
        log.logger.info("hm")
    assert log.objects[0]["trace_id"] == format(span.get_span_context().trace_id, "032x")


def test_the_console_shows_the_fields_behind_the_text() -> None:
    log = log_by(FieldFormatter("%(message)s"))
    with task_context(TaskContext(service_name="Payments", task_id="t")):
        log.logger.info("hm")
    assert log.lines == ["hm [component=TaskExecutor service_name=Payments task_id=t]"]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The logger of all, which is left as it was."""
    root, worker = logging.getLogger(), logging.getLogger("infinitic_worker")
    handlers, level, of_worker = root.handlers[:], root.level, worker.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    worker.setLevel(of_worker)


def test_logs_are_configured_anew_each_time(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    root.handlers[:] = []
    configure_logs()
    configure_logs("debug", "json")
    logging.getLogger("shop").debug("hm")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "hm"


def test_without_a_level_the_worker_tells_of_its_life_and_others_warn(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    root.handlers[:] = []
    configure_logs()
    logging.getLogger("shop").info("no")
    logging.getLogger("shop").warning("careful")
    logging.getLogger("infinitic_worker").info("ready")
    lines = capsys.readouterr().err.splitlines()
    assert [("careful" in line, "ready" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]
