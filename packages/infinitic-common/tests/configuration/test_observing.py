import pytest

from infinitic_common.configuration import (
    ClientConfiguration,
    ConfigurationError,
    HealthConfiguration,
    LogsConfiguration,
    MetricsConfiguration,
    PrometheusConfiguration,
    WorkerConfiguration,
    load_configuration,
    string_source,
)

WATCHED = """
transport: inMemory
metrics: {prometheus: {port: 9999, host: 127.0.0.1}, queueDepthSeconds: 1}
health: {port: 8888}
logs: {format: json, level: info}
tracing: true
"""


def test_a_worker_is_not_watched_by_default() -> None:
    worker = load_configuration(WorkerConfiguration, string_source("transport: inMemory"))
    assert (worker.metrics, worker.health, worker.tracing) == (None, None, False)
    assert worker.logs == LogsConfiguration(format="console", level=None)


def test_what_watches_a_worker_is_read() -> None:
    worker = load_configuration(WorkerConfiguration, string_source(WATCHED))
    prometheus = PrometheusConfiguration(port=9999, host="127.0.0.1")
    assert worker.metrics == MetricsConfiguration(prometheus=prometheus, queue_depth_seconds=1)
    assert worker.health == HealthConfiguration(port=8888, host="0.0.0.0")  # noqa: S104 - the default
    assert worker.logs == LogsConfiguration(format="json", level="info")
    assert worker.tracing


def test_the_port_of_prometheus_has_a_default() -> None:
    text = "transport: inMemory\nmetrics: {prometheus: {}}"
    worker = load_configuration(WorkerConfiguration, string_source(text))
    assert worker.metrics == MetricsConfiguration(prometheus=PrometheusConfiguration(port=9464))


def test_a_client_reads_the_file_of_a_watched_worker() -> None:
    client = load_configuration(ClientConfiguration, string_source(WATCHED))
    assert client.transport.kind == "inMemory"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("metrics: {prometheus: {port: 70000}}", "metrics.prometheus.port"),
        ("metrics: {queueDepthSeconds: 0}", "metrics.queueDepthSeconds"),
        ("health: {port: -1}", "health.port"),
        ("logs: {format: xml}", "logs.format"),
        ("logs: {level: loud}", "logs.level"),
    ],
)
def test_what_is_out_of_bounds_is_told_with_its_key(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem.replace(".", r"\.")):
        load_configuration(WorkerConfiguration, string_source(f"transport: inMemory\n{text}"))
