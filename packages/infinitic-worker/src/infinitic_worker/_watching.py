"""What watches a worker: metrics, traces and health, from its start to its end."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import attrs
from opentelemetry.metrics import MeterProvider, get_meter_provider
from opentelemetry.trace import TracerProvider

from infinitic_common.component import Component
from infinitic_common.configuration import HealthConfiguration, MetricsConfiguration
from infinitic_common.telemetry import NO_TELEMETRY, Telemetry
from infinitic_common.transport import ObservableTransport, Transport
from infinitic_worker._health import HealthEndpoint
from infinitic_worker._metrics.gauges import Gauges
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._metrics.prometheus import PrometheusEndpoint, open_endpoint
from infinitic_worker._metrics.transport import metered
from infinitic_worker._storages import Storages
from infinitic_worker._telemetry import WorkerTelemetry
from infinitic_worker._tracing import Spans

_LOGGER = logging.getLogger(__name__)

_METER = "infinitic_worker"


@attrs.frozen(kw_only=True)
class WatchSettings:
    """How a worker is watched.

    Attributes:
        metrics: None for no metrics, unless there is a meter provider.
        meter_provider: Gets the metrics; None for that of the configuration, or of the process.
        tracer_provider: Gets the spans; None for no traces.
        health: None for no endpoint.
    """

    metrics: MetricsConfiguration | None = None
    meter_provider: MeterProvider | None = None
    tracer_provider: TracerProvider | None = None
    health: HealthConfiguration | None = None

    @property
    def measured(self) -> MetricsConfiguration | None:
        """How metrics are made; None when they are not."""
        if self.metrics is None and self.meter_provider is not None:
            return MetricsConfiguration()
        return self.metrics


class Watched(Protocol):
    """A worker, as it is watched."""

    @property
    def components(self) -> Sequence[Component]:
        """What it hosts."""
        ...

    @property
    def phase(self) -> str:
        """``starting``, ``ready`` or ``stopping``."""
        ...


class Watching:
    """Watches a worker.

    Args:
        settings: How.
        worker_name: Told in metrics and in answers about health.
        transport: That of the worker.
        storages: Those of the worker.

    Attributes:
        transport: The same transport, measured if metrics are wanted.
        telemetry: Whom the components tell.
    """

    def __init__(
        self, settings: WatchSettings, worker_name: str, transport: Transport, storages: Storages
    ) -> None:
        self.transport = transport
        self.telemetry: Telemetry = NO_TELEMETRY
        self._settings = settings
        self._worker_name = worker_name
        self._bare_transport = transport
        self._storages = storages
        self._endpoint: PrometheusEndpoint | None = None
        self._gauges: Gauges | None = None
        self._polling: asyncio.Task[None] | None = None
        self._health: HealthEndpoint | None = None

    async def open(self, watched: Watched) -> None:
        """Begin, before components start; ``close`` is due also when this raises.

        Raises:
            WorkerError: An extra is missing, or a port is taken.
        """
        settings = self._settings
        measured = settings.measured
        instruments = None if measured is None else self._measure(measured, watched)
        tracer_provider = settings.tracer_provider
        if instruments is not None or tracer_provider is not None:
            spans = None if tracer_provider is None else Spans(tracer_provider)
            self.telemetry = WorkerTelemetry(instruments, spans)
        if settings.health is not None:
            await self._open_health(settings.health, watched)

    async def close(self) -> None:
        """End; twice does nothing."""
        if self._polling is not None:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling
        if self._gauges is not None:
            self._gauges.forget()
        if self._health is not None:
            await self._health.close()
        if self._endpoint is not None:
            endpoint, self._endpoint = self._endpoint, None
            await asyncio.to_thread(endpoint.close)

    def _measure(self, measured: MetricsConfiguration, watched: Watched) -> Instruments:
        meter = self._meter_provider(measured).get_meter(_METER)
        instruments = Instruments(meter, self._worker_name)
        self.transport = metered(self._bare_transport, instruments)
        self._storages.measure(instruments)
        self._gauges = Gauges(meter, self._worker_name, watched)
        polling = self._gauges.poll(self._bare_transport, measured.queue_depth_seconds)
        self._polling = asyncio.create_task(polling)
        return instruments

    def _meter_provider(self, measured: MetricsConfiguration) -> MeterProvider:
        given = self._settings.meter_provider
        if given is not None:
            return given
        if measured.prometheus is None:
            return get_meter_provider()
        self._endpoint = open_endpoint(measured.prometheus)
        where = f"{measured.prometheus.host}:{self._endpoint.port}"
        _LOGGER.info("metrics at http://%s/metrics", where)
        return self._endpoint.provider

    async def _open_health(self, health: HealthConfiguration, watched: Watched) -> None:
        transport, storages = self._bare_transport, self._storages

        async def worker() -> Sequence[str]:
            return [] if watched.phase == "ready" else [watched.phase]

        checks: dict[str, Callable[[], Awaitable[Sequence[str]]]] = {"worker": worker}
        if isinstance(transport, ObservableTransport):
            checks["transport"] = transport.problems
        checks["storage"] = storages.problems
        self._health = HealthEndpoint(health, self._worker_name, checks)
        await self._health.open()
        _LOGGER.info("health at http://%s:%s/ready", health.host, self._health.port)
