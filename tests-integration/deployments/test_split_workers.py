"""Services, workflow executors and engines in three worker processes."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from deployments.configurations import ENGINES, EXECUTORS, SERVICES, Servers
from deployments.counting_shop import Totals
from deployments.environments import Environment, environment_with
from deployments.processes import running

from infinitic_client import AsyncInfiniticClient

HOST = ("infinitic-common", "infinitic-worker", "infinitic-transport-pulsar")
EXECUTOR_WHEELS = (*HOST, "infinitic-task-executor")
ENGINE_WHEELS = (
    *HOST,
    "infinitic-storage",
    "infinitic-workflow-engine",
    "infinitic-workflow-tag",
)


async def _total(client: AsyncInfiniticClient, signal: int) -> int:
    deferred = await client.dispatch(client.new_workflow(Totals).sum_to, 5)
    workflow = client.get_workflow_by_id(Totals, deferred.id)
    await client.send(workflow.numbers, signal)
    return await deferred


async def test_three_processes_with_a_part_each_run_workflows_together(
    places: Servers, configure: Callable[[str, str], Path], tmp_path: Path
) -> None:
    executors = environment_with(EXECUTOR_WHEELS, tmp_path / "executor-wheels")
    engines = environment_with(ENGINE_WHEELS, tmp_path / "engine-wheels")
    parts: list[tuple[Environment, Path]] = [
        (executors, configure("services", places.transport + SERVICES)),
        (executors, configure("executors", places.transport + EXECUTORS)),
        (engines, configure("engines", places.transport + places.storage + ENGINES)),
    ]
    with ExitStack() as stack:
        for environment, configuration in parts:
            stack.enter_context(running(environment, configuration))
        async with (
            AsyncInfiniticClient.from_yaml_string(places.transport) as client,
            asyncio.timeout(60),
        ):
            totals = await asyncio.gather(*(_total(client, signal) for signal in range(20)))
    assert totals == [10 + signal for signal in range(20)]
