"""What a worker measures, over doubles of a transport, a storage and messages."""

import asyncio
import inspect
import urllib.request
from collections.abc import Awaitable, Collection, Mapping, Sequence
from importlib.util import find_spec

import attrs
import pytest
from telemetry_doubles import Measured
from worker_doubles import RecordingComponent, RecordingTransport, make_client

from infinitic_common.codec import encode
from infinitic_common.configuration import MetricsConfiguration, PrometheusConfiguration
from infinitic_common.failures import WorkflowCanceledError
from infinitic_common.messages import (
    ExecuteTask,
    SendSignal,
    from_received,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.storage import (
    ABSENT,
    KeySetStorage,
    KeyValueStorage,
    VersionedValue,
    Write,
)
from infinitic_common.telemetry import RunReport
from infinitic_common.transport import (
    Backlog,
    Consumption,
    Counts,
    Deferral,
    Handler,
    ObservableTransport,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)
from infinitic_worker import InfiniticWorker, WorkerError
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._metrics.storage import MeteredCache, MeteredStorage
from infinitic_worker._metrics.transport import MeteredTransport, metered
from infinitic_worker._telemetry import WorkerTelemetry

TOPIC = Topic(TopicKind.SERVICE_EXECUTOR, "Payments")
NAME = "somewhere://service-executor:Payments"
HERE = {"worker_name": "w", "topic": NAME}
ME = ClientRequester("c")
TASK = ExecuteTask("m", "Payments", "t", "charge", (), frozenset(), {}, ME)
SIGNAL = SendSignal("m", "Order", "w", "channel", "s", b"", (), ME, 0)

HANDLING = "infinitic.consumer.message.handling"
DESERIALIZATION = "infinitic.consumer.message.deserialization"
PROCESSING = "infinitic.consumer.message.processing"


class Stopped:
    counts = Counts()

    async def stop(self, grace_seconds: float) -> None:
        raise NotImplementedError


@attrs.define(eq=False)
class Broker(RecordingTransport):
    """Remembers who consumes, and tells of itself."""

    handler: Handler | None = None
    subscription: Subscription | None = None
    waiting: list[Backlog] = attrs.field(factory=list[Backlog])

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        pass

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        self.subscription, self.handler = subscription, handler
        return Stopped()

    def full_name(self, topic: Topic) -> str:
        return f"somewhere://{topic}"

    async def backlogs(self) -> Sequence[Backlog]:
        return self.waiting

    async def problems(self) -> Sequence[str]:
        return []


def received(message: object, number: int = 0) -> ReceivedMessage:
    return ReceivedMessage(str(number), TOPIC, encode(message), None, {}, 1, 0)


@pytest.fixture
def measured() -> Measured:
    return Measured()


@pytest.fixture
def instruments(measured: Measured) -> Instruments:
    return Instruments(measured.provider.get_meter("test"), "w")


async def consuming(instruments: Instruments, handler: Handler) -> Handler:
    broker = Broker()
    await MeteredTransport(broker, instruments).consume(Subscription((TOPIC,), "s"), handler)
    assert broker.handler is not None
    return broker.handler


async def reading(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
    for message in batch:
        from_received(message)
    return []


# --- messages ----------------------------------------------------------------------------------


async def test_metrics_02_a_batch_of_two_kinds_is_counted_by_message_and_by_kind(
    measured: Measured, instruments: Instruments
) -> None:
    handle = await consuming(instruments, reading)
    kinds = [TASK, SIGNAL, SIGNAL, TASK]
    answer = await handle([received(message, n) for n, message in enumerate(kinds)])
    assert list(answer) == []
    assert measured.points(HANDLING) == [(HERE, 4)]
    assert measured.points(DESERIALIZATION) == [(HERE, 4)]
    assert measured.points("infinitic.consumer.messages") == [(HERE, 4)]
    assert sorted(measured.points(PROCESSING), key=str) == [
        ({**HERE, "message_type": "ExecuteTask"}, 2),
        ({**HERE, "message_type": "SendSignal"}, 2),
    ]


async def test_what_is_to_be_tried_again_is_not_handled_yet(
    measured: Measured, instruments: Instruments
) -> None:
    first, second = received(TASK, 1), received(TASK, 2)

    async def give_back(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        await reading(batch)
        return [second]

    handle = await consuming(instruments, give_back)
    assert list(await handle([first, second])) == [second]
    assert measured.value(HANDLING) == 1
    assert measured.value("infinitic.consumer.messages.returned") == 1


async def test_a_batch_whose_handler_raises_is_to_be_tried_again(
    measured: Measured, instruments: Instruments
) -> None:
    async def fail(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        msg = f"no room for {len(batch)}"
        raise OSError(msg)

    handle = await consuming(instruments, fail)
    with pytest.raises(OSError, match="no room for 1"):
        await handle([received(TASK)])
    assert measured.value(HANDLING) == 0
    assert measured.value("infinitic.consumer.messages.returned") == 1


async def test_messages_that_take_longer_are_handled_when_they_are_done(
    measured: Measured, instruments: Instruments
) -> None:
    late, done = received(TASK, 1), asyncio.Event()

    async def finish() -> Sequence[ReceivedMessage]:
        await done.wait()
        return []

    async def defer(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage | Deferral]:
        await reading(batch)
        return [Deferral([late], finish())]

    handle = await consuming(instruments, defer)
    (deferral,) = await handle([late, received(TASK, 2)])
    assert isinstance(deferral, Deferral)
    assert measured.value(HANDLING) == 1
    done.set()
    awaited: Awaitable[Sequence[ReceivedMessage]] = deferral.answer
    assert list(await awaited) == []
    assert measured.value(HANDLING) == 2
    assert measured.value(PROCESSING, message_type="ExecuteTask") == 2


async def test_dead_letters_are_counted_once_they_are_reported(
    measured: Measured, instruments: Instruments
) -> None:
    told: list[str] = []

    async def report(message: ReceivedMessage, why: str) -> None:
        told.append(f"{message.id}: {why}")

    broker = Broker()
    subscription = Subscription((TOPIC,), "s", on_dead_letter=report)
    await MeteredTransport(broker, instruments).consume(subscription, reading)
    assert broker.subscription is not None
    assert broker.subscription.on_dead_letter is not None
    await broker.subscription.on_dead_letter(received(TASK), "it fails")
    assert told == ["0: it fails"]
    assert measured.points("infinitic.consumer.messages.dead") == [(HERE, 1)]


async def test_what_is_published_is_counted(measured: Measured, instruments: Instruments) -> None:
    transport = MeteredTransport(Broker(), instruments)
    await transport.publish(TOPIC, [OutgoingMessage("1", b"abc"), OutgoingMessage("2", b"de")])
    assert measured.points("infinitic.producer.messages") == [(HERE, 2)]
    assert measured.points("infinitic.producer.bytes") == [(HERE, 5)]


async def test_a_measured_transport_is_of_every_optional_port_that_the_other_is(
    instruments: Instruments,
) -> None:
    broker = Broker()
    broker.waiting = [Backlog(TOPIC, NAME, "main", 7)]
    transport = metered(broker, instruments)
    assert isinstance(transport, ObservableTransport)
    # As isinstance itself does from Python 3.12 on.
    assert inspect.getattr_static(transport, "backlogs")
    assert await transport.backlogs() == broker.waiting
    assert transport.full_name(TOPIC) == NAME
    assert not isinstance(metered(RecordingTransport(), instruments), ObservableTransport)


# --- storage -----------------------------------------------------------------------------------


@attrs.define(eq=False)
class Records:
    """Refuses to write the keys that it is told to; is a storage, too."""

    refused: Collection[str] = ()

    @property
    def key_values(self) -> KeyValueStorage:
        return self

    @property
    def key_sets(self) -> KeySetStorage:
        raise NotImplementedError

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        return dict.fromkeys(keys, ABSENT)

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        return {key: key not in self.refused for key in writes}

    async def delete(self, keys: Collection[str]) -> None:
        pass

    async def close(self) -> None:
        pass


class HalfCache(Records):
    """Knows one key of those asked for."""

    def __init__(self, behind: KeyValueStorage) -> None:
        super().__init__()
        self._behind = behind

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        first, *others = keys
        return {first: ABSENT, **await self._behind.get(others)}


async def test_states_are_measured_as_written_and_lost_races_are_counted(
    measured: Measured, instruments: Instruments
) -> None:
    storage = MeteredStorage(Records(["workflow.state.2"]), instruments, "probe")
    written = await storage.key_values.put(
        {
            "workflow.state.1": Write(b"x" * 100, 0),
            "workflow.state.2": Write(b"x", 0),
            "workflow.segment.1": Write(b"x", 0),
        }
    )
    assert written["workflow.state.2"] is False
    assert measured.points("infinitic.workflow.state.size") == [({"worker_name": "w"}, 1)]
    assert measured.points("infinitic.storage.version_conflicts") == [({"worker_name": "w"}, 1)]
    assert measured.value("infinitic.storage.operation.duration", operation="put") == 1


async def test_what_a_cache_knows_is_a_hit_what_it_asks_for_is_a_miss(
    measured: Measured, instruments: Instruments
) -> None:
    behind = MeteredStorage(Records(), instruments, "probe")
    cache = MeteredCache(HalfCache(behind.key_values), instruments)
    await cache.key_values.get(["a", "b", "c"])
    assert measured.value("infinitic.cache.reads", cache="storage", result="hit") == 1
    assert measured.value("infinitic.cache.reads", cache="storage", result="miss") == 2


# --- what components tell ----------------------------------------------------------------------


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


# --- a worker ----------------------------------------------------------------------------------


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
        await asyncio.sleep(0)
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
