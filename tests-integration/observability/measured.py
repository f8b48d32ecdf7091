"""What measurements of a test came to."""

from collections.abc import Mapping

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    NumberDataPoint,
)

Labels = Mapping[str, str]


class Measured:
    """A meter provider, and what it was told."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def points(self, name: str) -> list[tuple[dict[str, object], float]]:
        """Labels and value of each series of a metric; of a histogram, how many values it got."""
        data = self._reader.get_metrics_data()
        metrics = (
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        )
        return [
            (dict(point.attributes or {}), _value(point))
            for metric in metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum over all series that have some labels."""
        wanted = labels.items()
        return sum(value for given, value in self.points(name) if wanted <= given.items())


def _value(point: object) -> float:
    if isinstance(point, HistogramDataPoint):
        return point.count
    return point.value if isinstance(point, NumberDataPoint) else 0
