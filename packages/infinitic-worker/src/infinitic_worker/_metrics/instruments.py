"""Every instrument of a worker: its name, its unit, what it means."""

from collections.abc import Mapping, Sequence

from opentelemetry.metrics import Counter, Histogram, Meter

Labels = Mapping[str, str]

_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
_LONG_SECONDS = (0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
_BYTES = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0)


class Instruments:
    """The instruments that are told what happens; gauges are asked, see ``gauges.py``.

    Args:
        meter: Makes them.
        worker_name: On every measurement, as ``worker_name``.
    """

    def __init__(self, meter: Meter, worker_name: str) -> None:
        self.worker: dict[str, str] = {"worker_name": worker_name}
        make = _Making(meter)
        self.handling = make.seconds(
            "consumer.message.handling", "Receipt to acknowledgement of a message"
        )
        self.deserialization = make.seconds(
            "consumer.message.deserialization", "Decoding of a message"
        )
        self.processing = make.seconds(
            "consumer.message.processing", "Decoded to done, by kind of message"
        )
        self.received = make.count("consumer.messages", "Messages handed to a component")
        self.returned = make.count("consumer.messages.returned", "Messages to be tried again")
        self.dead_letters = make.count(
            "consumer.messages.dead", "Messages moved to the dead letters"
        )
        self.sent = make.count("producer.messages", "Messages published")
        self.sent_bytes = make.count("producer.bytes", "Bytes of the bodies published", "By")
        self.task_duration = make.seconds("task.duration", "Attempts of tasks, by outcome")
        self.task_errors = make.count("task.errors", "Attempts of tasks that failed, by exception")
        self.task_retries = make.count("task.retries", "Attempts of tasks that are made again")
        self.workflow_duration = make.seconds(
            "workflow.duration", "Start of a workflow to the end of its main method", _LONG_SECONDS
        )
        self.runs = make.count("workflow.methods", "Method runs that ended, by outcome")
        self.stalls = make.count(
            "workflow.stalls", "Method runs whose code failed, and that wait for a retry by hand"
        )
        self.state_size = make.histogram(
            "workflow.state.size", "By", "Records of workflows as written", _BYTES
        )
        self.conflicts = make.count(
            "storage.version_conflicts", "Workflows that another process wrote in between"
        )
        self.storage_duration = make.seconds(
            "storage.operation.duration", "Round trips to storages"
        )
        self.cache_reads = make.count("cache.reads", "Records asked from a cache, by hit or miss")
        # A series that begins with its first conflict would hide it from every rate.
        self.conflicts.add(0, self.worker)

    def labels(self, **more: str) -> dict[str, str]:
        """The labels of a measurement."""
        return {**self.worker, **more}


class _Making:
    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def count(self, name: str, description: str, unit: str = "1") -> Counter:
        return self._meter.create_counter(f"infinitic.{name}", unit, description)

    def seconds(
        self, name: str, description: str, buckets: Sequence[float] = _SECONDS
    ) -> Histogram:
        return self.histogram(name, "s", description, buckets)

    def histogram(
        self, name: str, unit: str, description: str, buckets: Sequence[float]
    ) -> Histogram:
        return self._meter.create_histogram(
            f"infinitic.{name}", unit, description, explicit_bucket_boundaries_advisory=buckets
        )
