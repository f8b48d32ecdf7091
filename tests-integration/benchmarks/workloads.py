"""The workloads W1 to W5: what is run, and what is measured of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import attrs

from benchmarks.counting import Counters
from benchmarks.deployments import Deployment, Place
from benchmarks.programs import Bench
from benchmarks.server_processes import cpu_seconds, server_of
from infinitic_common.ids import new_id
from infinitic_common.transport import (
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)

TASKS = 5
MANY = 1000
FEW_HUNDRED = 100


@attrs.frozen
class Figures:
    """What was measured; None where it has no meaning.

    ``cpu_us_per_task`` is of the process with worker and client; ``server_cpu_us_per_task`` of each
    server beside it, as far as it runs on this machine. ``peak_memory_mb`` is of this process,
    during the workload.
    """

    workload: str
    transport: str
    storage: str
    tasks_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    messages_per_task: float
    event_messages_per_task: float
    state_writes_per_task: float
    last_over_first: float | None
    cpu_us_per_task: float
    server_cpu_us_per_task: Mapping[str, float]
    peak_memory_mb: float
    raw_messages_per_s: float
    messages_over_raw: float


@attrs.define
class _Run:
    """One measured run."""

    tasks: int
    workflows: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    server_cpu_seconds: dict[str, float] = attrs.field(factory=dict[str, float])
    peak_memory_mb: float = 0.0
    latencies: list[float] = attrs.field(factory=list[float])
    last_over_first: float | None = None
    counters: Counters = attrs.field(factory=Counters)


Workload = Callable[[Deployment, _Run], Awaitable[None]]


async def _call(deployment: Deployment, run: _Run, tasks: int) -> None:
    began = time.perf_counter()
    await deployment.client.call(deployment.client.new_workflow(Bench).sequential, tasks)
    run.latencies.append(time.perf_counter() - began)


async def _sequential(deployment: Deployment, run: _Run) -> None:
    await asyncio.gather(*(_call(deployment, run, TASKS) for _ in range(run.workflows)))


async def _latency(deployment: Deployment, run: _Run) -> None:
    for _ in range(run.workflows):
        await _call(deployment, run, TASKS)


async def _fanout(deployment: Deployment, run: _Run) -> None:
    await deployment.client.call(deployment.client.new_workflow(Bench).fanout, run.tasks)


async def _history(deployment: Deployment, run: _Run) -> None:
    instants = await deployment.client.call(
        deployment.client.new_workflow(Bench).history, run.tasks
    )
    # Between instants of the workflow, so that its start makes the first hundred no slower.
    first = instants[FEW_HUNDRED] - instants[0]
    last = instants[-1] - instants[-FEW_HUNDRED - 1]
    run.last_over_first = last / first


async def _signals(deployment: Deployment, run: _Run) -> None:
    client = deployment.client
    deferred = await client.dispatch(client.new_workflow(Bench).receive, run.tasks)
    channel = client.get_workflow_by_id(Bench, deferred.id).signals
    await asyncio.gather(*(client.send(channel, number) for number in range(run.tasks)))
    await deferred


WORKLOADS: dict[str, tuple[Workload, Callable[[], _Run]]] = {
    "sequential": (_sequential, lambda: _Run(MANY * TASKS, MANY)),
    "latency": (_latency, lambda: _Run(100 * TASKS, 100)),
    "fanout": (_fanout, lambda: _Run(MANY, 1)),
    "history": (_history, lambda: _Run(MANY, 1)),
    "signals": (_signals, lambda: _Run(MANY, 1)),
}


async def measure(name: str, where: Place, repetitions: int, *, events: bool = True) -> Figures:
    """Warm up, run a workload some times, and give the figures of the median run."""
    workload, new_run = WORKLOADS[name]
    async with Deployment(where, events=events) as deployment:
        await _sequential(deployment, _Run(200 * TASKS, 200))
        servers = {name: found for name, port in where.ports.items() if (found := server_of(port))}
        runs = [await _timed(deployment, workload, new_run(), servers) for _ in range(repetitions)]
    run = sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]
    average = run.counters.message_bytes // max(1, run.counters.messages)
    raw = await raw_messages_per_s(where, run.counters.messages, average)
    return _figures(name, where, run, raw)


async def _timed(
    deployment: Deployment, workload: Workload, run: _Run, servers: Mapping[str, int]
) -> _Run:
    before = attrs.evolve(deployment.counters)
    used = {name: cpu_seconds(server) for name, server in servers.items()}
    _forget_peak_memory()
    began, cpu = time.perf_counter(), time.process_time()
    await workload(deployment, run)
    run.seconds = time.perf_counter() - began
    run.cpu_seconds = time.process_time() - cpu
    run.server_cpu_seconds = {
        name: cpu_seconds(server) - used[name] for name, server in servers.items()
    }
    run.peak_memory_mb = _peak_memory_mb()
    after = deployment.counters
    run.counters = Counters(
        after.messages - before.messages,
        after.event_messages - before.event_messages,
        after.message_bytes - before.message_bytes,
        after.rows - before.rows,
        after.statements - before.statements,
    )
    return run


def _forget_peak_memory() -> None:
    """Let the kernel measure the peak from here on; proc(5), ``clear_refs``."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_memory_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _figures(name: str, where: Place, run: _Run, raw: float) -> Figures:
    # A workflow's own start and answer, and its first write, are not those of a task.
    messages = run.counters.messages - 2 * run.workflows
    latencies = sorted(run.latencies)
    return Figures(
        workload=name,
        transport=where.transport,
        storage=where.storage,
        tasks_per_s=round(run.tasks / run.seconds, 1),
        p50_ms=_percentile(latencies, 0.5),
        p99_ms=_percentile(latencies, 0.99),
        messages_per_task=round(messages / run.tasks, 3),
        event_messages_per_task=round(run.counters.event_messages / run.tasks, 3),
        state_writes_per_task=round((run.counters.rows - run.workflows) / run.tasks, 3),
        last_over_first=run.last_over_first and round(run.last_over_first, 2),
        cpu_us_per_task=round(run.cpu_seconds / run.tasks * 1e6, 1),
        server_cpu_us_per_task={
            server: round(seconds / run.tasks * 1e6, 1)
            for server, seconds in run.server_cpu_seconds.items()
        },
        peak_memory_mb=round(run.peak_memory_mb, 1),
        raw_messages_per_s=round(raw, 1),
        messages_over_raw=round(run.counters.messages / run.seconds / raw, 3),
    )


def _percentile(latencies: list[float], fraction: float) -> float | None:
    if not latencies:
        return None
    return round(latencies[min(len(latencies) - 1, int(len(latencies) * fraction))] * 1e3, 2)


async def raw_messages_per_s(where: Place, count: int, size: int) -> float:
    """The limit of the transport: as many messages of that size published, read, acknowledged.

    By the same adapter, without engine, executors and storage; the last acknowledgement may still
    be on its way.
    """
    transport = where.open_transport()
    topic = Topic(TopicKind.SERVICE_EXECUTOR, f"Raw{new_id()}")
    remaining = count
    done = asyncio.Event()

    async def handle(batch: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        nonlocal remaining
        remaining -= len(batch)
        if remaining <= 0:
            done.set()
        return []

    subscription = Subscription(topics=(topic,), name="raw", max_batch_messages=500)
    try:
        await transport.consume(subscription, handle)
        began = time.perf_counter()
        body = bytes(size)
        for first in range(0, count, 500):
            batch = [OutgoingMessage(str(n), body) for n in range(first, min(count, first + 500))]
            await transport.publish(topic, batch)
        await done.wait()
        return count / (time.perf_counter() - began)
    finally:
        await transport.close()
