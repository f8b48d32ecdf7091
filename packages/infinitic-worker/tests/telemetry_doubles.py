"""What measurements of a test came to, and a broker that tells of itself."""

# ruff: noqa: D101, D102, INP001 - these are read beside the tests

import asyncio
from collections.abc import Sequence

import attrs
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    NumberDataPoint,
)
from worker_doubles import RecordingTransport

from infinitic_common.transport import (
    Backlog,
    Consumption,
    Counts,
    Handler,
    OutgoingMessage,
    Subscription,
    Topic,
    TopicKind,
)

TOPIC = Topic(TopicKind.SERVICE_EXECUTOR, "Payments")
NAME = "somewhere://service-executor:Payments"


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


class Stopped:
    counts = Counts()

    async def stop(self, grace_seconds: float) -> None:
        raise NotImplementedError


@attrs.define(eq=False)
class Broker(RecordingTransport):
    """Remembers who consumes, and tells of itself.

    Attributes:
        failure: What ``backlogs`` raises, once.
        wrong: Its problems.
    """

    handler: Handler | None = None
    subscription: Subscription | None = None
    waiting: list[Backlog] = attrs.field(factory=list[Backlog])
    failure: Exception | None = None
    wrong: list[str] = attrs.field(factory=list[str])
    asked: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        pass

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        self.subscription, self.handler = subscription, handler
        return Stopped()

    def full_name(self, topic: Topic) -> str:
        return f"somewhere://{topic}"

    async def backlogs(self) -> Sequence[Backlog]:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        self.asked.set()
        return self.waiting

    async def problems(self) -> Sequence[str]:
        return self.wrong
