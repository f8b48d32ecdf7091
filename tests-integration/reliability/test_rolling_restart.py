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
from reliability.configurations import ENGINES, EXECUTORS, SERVICES, WALK, WHOLE, storage, transport
from reliability.load import PATIENCE_SECONDS, load, until_noted
from reliability.orders import STEPS, Walk, decisions

ORDERS = 200
PER_SECOND = 20.0
Configure = Callable[[str, str], Path]


async def _start(environment: Environment, configuration: Path) -> WorkerProcess:
    worker = WorkerProcess(environment, configuration)
    ready = worker.log.count(" ready")
    await asyncio.to_thread(worker.wait_until_ready, ready + 1)
    return worker


async def test_rel_13_three_separated_workers_are_restarted_and_killed_one_by_one(
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


async def test_rel_14_all_is_killed_in_each_step_and_no_committed_inline_block_runs_again(
    everything: Environment, configure: Configure, tmp_path: Path
) -> None:
    urls = ensure("pulsar", "postgres")
    where = transport(urls)
    file = configure("worker", where + storage("postgres", urls) + WHOLE + WALK)
    journal, inlines = tmp_path / "journal", tmp_path / "inlines"
    await asyncio.to_thread(journal.touch)
    async with AsyncExitStack() as stack:
        worker = stack.enter_context(running(everything, file))
        client = await stack.enter_async_context(AsyncInfiniticClient.from_yaml_string(where))
        deferred = await client.dispatch(client.new_workflow(Walk).walk, str(journal), str(inlines))
        for step in range(STEPS + 1):
            await until_noted(journal, {(0, each) for each in range(step + 1)})
            worker.process.kill()
            await asyncio.to_thread(worker.process.wait)
            await asyncio.to_thread(Path(f"{journal}.{step}").touch)
            worker = await _start(everything, file)
            stack.callback(worker.end)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await deferred.result() == STEPS + 1
    assert {key: len(ids) for key, ids in decisions(journal).items()} == {
        (0, step): 1 for step in range(STEPS + 1)
    }
    assert inlines.read_text().split() == [str(step) for step in range(STEPS + 1)]
