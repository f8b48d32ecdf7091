"""What Prometheus sees of a worker under load; what the dashboard and the alerts make of it."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from observability.expressions import Alert, Expression, alerts, dashboard
from observability.prometheus import ROOT, RULES, promtool, until
from observability.watched_by_prometheus import Watched, watched_by_prometheus

ALERTS = {alert.name: alert for alert in alerts()}

MOVING = {
    "messages handled": "infinitic_consumer_message_handling_seconds_count",
    "messages decoded": "infinitic_consumer_message_deserialization_seconds_count",
    "messages processed": "infinitic_consumer_message_processing_seconds_count",
    "messages received": "infinitic_consumer_messages_total",
    "messages published": "infinitic_producer_messages_total",
    "bytes published": "infinitic_producer_bytes_total",
    "attempts of tasks": 'infinitic_task_duration_seconds_count{outcome="completed"}',
    "errors": 'infinitic_task_errors_total{error="Declined"}',
    "retries": 'infinitic_task_retries_total{method="charge_later"}',
    "workflows": "infinitic_workflow_duration_seconds_count",
    "orders of the demo": 'infinitic_workflow_duration_seconds_count{workflow="OrderWorkflow"}',
    "steps of the demo": 'infinitic_task_duration_seconds_count{service="ShippingService"}',
    "method runs": 'infinitic_workflow_methods_total{outcome="completed"}',
    "stalls": 'infinitic_workflow_stalls_total{workflow="Orders",method="fail"}',
    "states written": "infinitic_workflow_state_size_bytes_count",
    "round trips": 'infinitic_storage_operation_duration_seconds_count{storage="postgres"}',
    "cache hits": 'infinitic_cache_reads_total{result="hit"}',
    "cache misses": 'infinitic_cache_reads_total{result="miss"}',
}
"""What grows under this load."""

STANDING = {
    "a task that nobody reads": ('infinitic_topic_depth{entity="Unread"}', 1),
    "a dead letter": ('infinitic_topic_dead_letters{entity="Payments"}', 1),
    "dead letters by this worker": ("infinitic_consumer_messages_dead_total", 1),
    "no race lost": ("infinitic_storage_version_conflicts_total", 0),
}
"""What has one value under this load."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A worker under load, and Prometheus."""
    with watched_by_prometheus(tmp_path_factory.mktemp("watched")) as running:
        yield running


def _id(one: Expression | Alert) -> str:
    return one.place if isinstance(one, Expression) else one.name


@pytest.mark.parametrize("name", MOVING)
def test_what_is_counted_grows_under_load(watched: Watched, name: str) -> None:
    value = watched.prometheus.value
    before = value(f"sum({MOVING[name]})")
    until(lambda: value(f"sum({MOVING[name]})") > before, f"more {name} than {before:g}")


@pytest.mark.parametrize("name", STANDING)
def test_what_stands_still_has_its_value(watched: Watched, name: str) -> None:
    metric, expected = STANDING[name]

    def is_there() -> bool:
        found = watched.prometheus.query(f"sum by (topic) ({metric})")
        return [float(one["value"][1]) for one in found] == [expected]

    until(is_there, f"{name}: {expected}")


def test_messages_in_flight_are_told_by_component(watched: Watched) -> None:
    found = until(lambda: watched.prometheus.query("infinitic_in_flight"), "gauges")
    assert {one["metric"]["component"] for one in found} >= {"TaskExecutor", "WorkflowStateEngine"}
    assert {one["metric"]["worker_name"] for one in found} == {"watched"}


def test_topics_have_their_full_names(watched: Watched) -> None:
    found = until(
        lambda: watched.prometheus.query(
            'infinitic_consumer_message_processing_seconds_count{message_type="ExecuteTask"}'
        ),
        "tasks",
    )
    topics = {one["metric"]["topic"].rpartition("/")[2] for one in found}
    assert topics >= {"service-executor:Payments", "service-executor-retry:Payments"}
    assert all(one["metric"]["topic"].startswith("persistent://") for one in found)


@pytest.mark.parametrize("expression", tuple(dashboard()), ids=_id)
def test_every_panel_of_the_dashboard_shows_something(
    watched: Watched, expression: Expression
) -> None:
    query = ("query", "instant", watched.prometheus.url, expression.text)
    until(lambda: promtool(*query).strip(), expression.text)


@pytest.mark.parametrize("alert", tuple(ALERTS.values()), ids=_id)
def test_every_alert_has_something_to_judge(watched: Watched, alert: Alert) -> None:
    query = ("query", "instant", watched.prometheus.url, alert.compared)
    until(lambda: promtool(*query).strip(), alert.compared)


def test_alerts_fire_for_dead_letters_and_stalled_workflows_not_for_a_worker_that_is_up(
    watched: Watched,
) -> None:
    expected = {"InfiniticDeadLetters", "InfiniticWorkflowsStalled"}
    until(lambda: watched.prometheus.firing() >= expected, f"{expected} fire")
    assert watched.prometheus.firing() == expected


def test_a_worker_under_load_is_ready(watched: Watched) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{watched.health_port}/ready") as answer:
        told = json.load(answer)
    assert told["checks"] == {"worker": "ok", "transport": "ok", "storage": "ok"}


def test_its_logs_are_json_with_the_component(watched: Watched) -> None:
    said = [json.loads(line) for line in watched.worker.log.splitlines() if line.startswith("{")]
    ready = [one for one in said if one["message"] == "worker watched ready"]
    assert [one["component"] for one in ready] == ["Worker"]
    tasks = [one for one in said if one["message"] == "charging order"]
    assert all(one["workflow_id"] and one["task_id"] for one in tasks)


def test_promtool_accepts_the_rules_and_the_configuration() -> None:
    promtool("check", "rules", RULES)
    promtool("check", "config", ROOT / "docker" / "prometheus" / "prometheus.yml")


def test_each_alert_fires_when_it_must_and_not_before() -> None:
    promtool("test", "rules", Path(__file__).parent / "alerts.test.yml")
