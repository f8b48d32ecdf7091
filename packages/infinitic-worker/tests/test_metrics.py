"""What a measured worker tells, and where."""

import asyncio
import urllib.request
from importlib.util import find_spec

import attrs
import pytest
from telemetry_doubles import NAME, TOPIC, Broker, Measured
from worker_doubles import RecordingComponent, make_client

from infinitic_common.configuration import MetricsConfiguration, PrometheusConfiguration
from infinitic_common.transport import Backlog, Counts, OutgoingMessage
from infinitic_worker import InfiniticWorker, WorkerError


async def test_a_worker_tells_what_is_in_flight_and_what_waits_in_topics(
    measured: Measured,
) -> None:
    broker = Broker()
    broker.waiting = [
        Backlog(TOPIC, NAME, "main", 7),
        Backlog(TOPIC, f"{NAME}-dlq", "dead", 2, dead_letters=True),
    ]
    worker = InfiniticWorker(
        transport=broker,
        components=[RecordingComponent("TaskExecutor", counts=Counts(5, 3))],
        name="w",
        client_factory=make_client,
        meter_provider=measured.provider,
    )
    async with worker:
        await broker.asked.wait()
        assert measured.points("infinitic.in_flight") == [
            ({"worker_name": "w", "component": "TaskExecutor"}, 3)
        ]
        place = {"kind": "service-executor", "entity": "Payments"}
        assert measured.points("infinitic.topic.depth") == [
            ({**place, "topic": NAME, "subscription": "main"}, 7)
        ]
        assert measured.points("infinitic.topic.dead_letters") == [
            ({**place, "topic": f"{NAME}-dlq"}, 2)
        ]
    assert measured.points("infinitic.in_flight") == []


async def test_whatever_keeps_a_broker_from_telling_what_waits_is_told_and_it_is_asked_again(
    measured: Measured, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker(waiting=[Backlog(TOPIC, NAME, "main", 7)], failure=KeyError("surprise"))
    worker = InfiniticWorker(
        transport=broker,
        components=[],
        client_factory=make_client,
        metrics=MetricsConfiguration(queue_depth_seconds=0.01),
        meter_provider=measured.provider,
    )
    async with asyncio.timeout(30), worker:
        await broker.asked.wait()
        assert measured.value("infinitic.topic.depth") == 7
    assert "the depth of topics is not known: KeyError: 'surprise'" in caplog.text


async def test_components_of_a_measured_worker_get_a_measured_transport(
    measured: Measured,
) -> None:
    broker, component = Broker(), RecordingComponent()
    worker = InfiniticWorker(
        transport=broker,
        components=[component],
        client_factory=make_client,
        meter_provider=measured.provider,
    )
    async with worker:
        assert component.host is not None
        await component.host.transport.publish(TOPIC, [OutgoingMessage("1", b"")])
        assert worker.transport is broker
    assert measured.value("infinitic.producer.messages") == 1


def fetched(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text: str = answer.read().decode()
        return text


async def test_prometheus_finds_the_metrics_of_a_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    component = RecordingComponent()
    place = PrometheusConfiguration(port=0, host="127.0.0.1")
    worker = InfiniticWorker(
        transport=Broker(),
        components=[component],
        name="w",
        client_factory=make_client,
        metrics=MetricsConfiguration(prometheus=place),
    )
    with caplog.at_level("INFO", "infinitic_worker"):
        async with worker:
            assert component.host is not None
            await component.host.transport.publish(TOPIC, [OutgoingMessage("1", b"")])
            (told,) = (text for text in caplog.messages if text.startswith("metrics at"))
            port = int(told.rpartition(":")[2].removesuffix("/metrics"))
            text = await asyncio.to_thread(fetched, port)
    sent = f'infinitic_producer_messages_total{{topic="{NAME}",worker_name="w"}} 1.0'
    assert sent in text
    assert "process_cpu_seconds_total" in text
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(fetched, port)


async def test_a_port_that_is_taken_is_told() -> None:
    place = PrometheusConfiguration(port=0, host="127.0.0.1")
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    taken = attrs.evolve(place, port=server.sockets[0].getsockname()[1])
    worker = InfiniticWorker(
        transport=Broker(),
        components=[],
        client_factory=make_client,
        metrics=MetricsConfiguration(prometheus=taken),
    )
    with pytest.raises(WorkerError, match=r"cannot listen on 127\.0\.0\.1:\d+.*another `port`"):
        await worker.open()
    server.close()


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_spec("opentelemetry.exporter.prometheus") is not None
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.prometheus", None)
    worker = InfiniticWorker(
        transport=Broker(),
        components=[],
        client_factory=make_client,
        metrics=MetricsConfiguration(prometheus=PrometheusConfiguration(port=0)),
    )
    with pytest.raises(WorkerError, match=r'pip install "infinitic-worker\[metrics\]"'):
        await worker.open()
