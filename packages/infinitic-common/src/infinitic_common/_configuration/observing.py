"""How a worker can be watched: metrics, traces, logs and health."""

from typing import Annotated, Literal

from attrs import frozen

from infinitic_common._configuration.checks import Above, Between, NotBlank
from infinitic_common._configuration.settings import Settings

_Host = Annotated[str, NotBlank()]
_Port = Annotated[int, Between(0, 65535)]


@frozen(kw_only=True)
class PrometheusConfiguration(Settings):
    """Where Prometheus finds the metrics of a worker.

    Attributes:
        port: Port of the endpoint ``/metrics``; 0 for a free one.
        host: Address it listens on.
    """

    port: _Port = 9464
    host: _Host = "0.0.0.0"  # noqa: S104 - Prometheus asks from another machine


@frozen(kw_only=True)
class MetricsConfiguration(Settings):
    """What a worker counts and measures, by OpenTelemetry.

    Attributes:
        prometheus: The endpoint for Prometheus; None to give the metrics to the meter provider that
            the process has set, as ``opentelemetry-instrument`` does.
        queue_depth_seconds: How often the depth of every topic is asked from the broker.
    """

    prometheus: PrometheusConfiguration | None = None
    queue_depth_seconds: Annotated[float, Above(0)] = 15.0


@frozen(kw_only=True)
class HealthConfiguration(Settings):
    """Where ``/live`` and ``/ready`` are answered.

    Attributes:
        port: Port of the endpoint; 0 for a free one.
        host: Address it listens on.
        timeout_seconds: How long broker and storages may take to answer a check.
    """

    port: _Port = 8081
    host: _Host = "0.0.0.0"  # noqa: S104 - probes come from another machine
    timeout_seconds: Annotated[float, Above(0)] = 2.0


@frozen(kw_only=True)
class LogsConfiguration(Settings):
    """How a worker logs.

    Attributes:
        format: ``console`` for lines to read, ``json`` for an object a line.
        level: Least level of all logs; None for warnings, and the life of the worker.
        beautify: Whether the JSON of events is indented.
    """

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] | None = None
    beautify: bool = True
