"""Workers that come and go under load: nothing is lost, nothing is decided twice."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from deployments.environments import Environment
from deployments.processes import WorkerProcess, running
from service_control import ensure

from infinitic_client import AsyncInfiniticClient
from reliability.configurations import ENGINES, EXECUTORS, SERVICES, WHOLE, storage, transport
from reliability.load import load
from reliability.orders import STEPS

ORDERS = 200
PER_SECOND = 20.0
Configure = Callable[[str, str], Path]


async def _start(environment: Environment, configuration: Path) -> WorkerProcess:
    worker = WorkerProcess(environment, configuration)
    ready = worker.log.count(" ready")
    await asyncio.to_thread(worker.wait_until_ready, ready + 1)
    return worker


async def test_three_separated_workers_are_restarted_one_by_one(
    everything: Environment, configure: Configure, tmp_path: Path
) -> None:
    urls = ensure("pulsar", "postgres")
    where = transport(urls)
    files = [
        configure("services", where + SERVICES),
        configure("executors", where + EXECUTORS),
        configure("engines", where + storage("postgres", urls) + ENGINES),
    ]
    with ExitStack() as stack:
        workers = [stack.enter_context(running(everything, file)) for file in files]
        async with (
            AsyncInfiniticClient.from_yaml_string(where) as client,
            load(client, tmp_path / "journal", ORDERS, PER_SECOND) as orders,
        ):
            await orders.until_noted(ORDERS // 4)
            for number in (signal.SIGTERM, signal.SIGKILL):
                for index, worker in enumerate(workers):
                    worker.process.send_signal(number)
                    await asyncio.to_thread(worker.process.wait)
                    workers[index] = await _start(everything, files[index])
                    stack.callback(workers[index].end)
            await orders.check()


async def test_scaling_from_one_worker_to_three_and_back(
    everything: Environment, configure: Configure, tmp_path: Path
) -> None:
    urls = ensure("pulsar", "postgres")
    where = transport(urls)
    text = where + storage("postgres", urls) + WHOLE
    async with AsyncExitStack() as stack:
        workers = [stack.enter_context(running(everything, configure("first", text)))]
        client = await stack.enter_async_context(AsyncInfiniticClient.from_yaml_string(where))
        orders = await stack.enter_async_context(
            load(client, tmp_path / "journal", ORDERS, PER_SECOND)
        )
        await orders.until_noted(ORDERS // 4)
        for name in ("second", "third"):
            workers.append(await _start(everything, configure(name, text)))
            stack.callback(workers[-1].end)
            await orders.until_noted(ORDERS)
        for worker in workers[:2]:
            assert await asyncio.to_thread(worker.terminate) == 0
        await orders.until_noted(ORDERS * (STEPS + 1))
        await orders.check()
