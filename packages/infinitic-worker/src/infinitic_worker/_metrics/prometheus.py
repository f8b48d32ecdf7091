"""The endpoint that Prometheus reads."""

import threading
from typing import Protocol, cast

import attrs
from opentelemetry.metrics import MeterProvider

from infinitic_common.configuration import PrometheusConfiguration
from infinitic_worker._errors import WorkerError


class _Server(Protocol):
    server_port: int

    def shutdown(self) -> None: ...

    def server_close(self) -> None: ...


class _ClosableProvider(Protocol):
    def shutdown(self) -> None: ...


@attrs.frozen(eq=False)
class PrometheusEndpoint:
    """A meter provider of its own, and an HTTP server that shows what it has.

    Attributes:
        provider: Makes the meter.
        port: Where it listens.
    """

    provider: MeterProvider
    _server: _Server
    _thread: threading.Thread

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def close(self) -> None:
        """Listen no more; blocks for a moment."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        cast("_ClosableProvider", self.provider).shutdown()


def open_endpoint(configuration: PrometheusConfiguration) -> PrometheusEndpoint:
    """Listen for Prometheus.

    Raises:
        WorkerError: The extra is not installed, or the port is taken.
    """
    try:
        from opentelemetry.exporter.prometheus import (  # noqa: PLC0415 - an extra
            PrometheusMetricReader,
        )
        from opentelemetry.sdk.metrics import (  # noqa: PLC0415 - the same
            MeterProvider as SdkMeterProvider,
        )
        from prometheus_client import (  # noqa: PLC0415 - the same
            GC_COLLECTOR,
            PLATFORM_COLLECTOR,
            PROCESS_COLLECTOR,
            CollectorRegistry,
            start_http_server,
        )
    except ImportError as error:
        msg = (
            f'metrics.prometheus needs an extra: pip install "infinitic-worker[metrics]" ({error})'
        )
        raise WorkerError(msg) from error
    registry = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    reader = PrometheusMetricReader(scope_info_enabled=False, registry=registry)
    provider = SdkMeterProvider([reader], shutdown_on_exit=False)
    place = f"{configuration.host}:{configuration.port}"
    try:
        server, thread = start_http_server(configuration.port, configuration.host, registry)
    except OSError as error:
        provider.shutdown()
        msg = f"metrics.prometheus cannot listen on {place}: {error}; give another `port`"
        raise WorkerError(msg) from error
    return PrometheusEndpoint(provider, cast("_Server", server), thread)
