"""What is measured of tasks and workflows."""

import attrs
from telemetry_doubles import Measured

from infinitic_common.failures import WorkflowCanceledError
from infinitic_common.messages import ExecuteTask
from infinitic_common.requesters import ClientRequester
from infinitic_common.telemetry import RunReport
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._telemetry import WorkerTelemetry

ME = ClientRequester("c")
TASK = ExecuteTask("m", "Payments", "t", "charge", (), frozenset(), {}, ME)


def test_attempts_are_timed_and_counted_by_outcome(
    measured: Measured, instruments: Instruments
) -> None:
    telemetry = WorkerTelemetry(instruments, None)
    for outcome, error in (
        ("completed", None),
        ("retried", ValueError()),
        ("failed", OSError()),
        ("delegated", None),
    ):
        watch = telemetry.attempt(TASK)
        watch.enter()
        watch.ended(outcome, error)
    duration = "infinitic.task.duration"
    task = {"service": "Payments", "method": "charge"}
    assert [labels["outcome"] for labels, _ in measured.points(duration)] == [
        *("completed", "retried", "failed", "delegated")
    ]
    assert measured.value(duration, **task) == 4
    assert measured.value("infinitic.task.retries", **task) == 1
    assert measured.value("infinitic.task.errors", **task, error="ValueError") == 1
    assert measured.value("infinitic.task.errors", **task, error="OSError") == 1


def test_workflows_are_timed_method_runs_counted_stalls_apart(
    measured: Measured, instruments: Instruments
) -> None:
    telemetry = WorkerTelemetry(instruments, None)
    main = RunReport("Order", "1", "1", "process", {}, ME, 1000, 3000)
    canceled = attrs.evolve(main, error=WorkflowCanceledError("Order", "1", "process", "1"))
    other = RunReport("Order", "1", "2", "add", {}, None, None, 3000)
    for report in (main, canceled, other, attrs.evolve(other, stalled=True)):
        telemetry.run_reported(report)
    assert measured.value("infinitic.workflow.duration", outcome="completed") == 1
    assert measured.value("infinitic.workflow.duration", outcome="canceled") == 1
    assert measured.value("infinitic.workflow.methods", method="add") == 1
    assert measured.value("infinitic.workflow.methods") == 3
    assert measured.value("infinitic.workflow.stalls", workflow="Order", method="add") == 1


def test_states_in_memory_are_hits_of_the_engine(
    measured: Measured, instruments: Instruments
) -> None:
    WorkerTelemetry(instruments, None).states_read(3, 1)
    assert measured.value("infinitic.cache.reads", cache="engine", result="hit") == 3
    assert measured.value("infinitic.cache.reads", cache="engine", result="miss") == 1
