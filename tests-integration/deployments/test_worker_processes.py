"""Several processes of one worker, and how they end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from deployments.configurations import WHOLE, Servers
from deployments.counting_shop import Totals
from deployments.environments import Environment
from deployments.processes import LOOK_SECONDS, running

from infinitic_client import AsyncInfiniticClient


async def test_two_processes_share_the_work_and_end_with_the_command(
    places: Servers, everything: Environment, configure: Callable[[str, str], Path]
) -> None:
    path = configure("whole", places.transport + places.storage + WHOLE)
    with running(everything, path, "--processes", "2", processes=2) as worker:
        async with (
            AsyncInfiniticClient.from_yaml_string(places.transport) as client,
            asyncio.timeout(60),
        ):
            where = client.new_workflow(Totals).where
            used = set(await asyncio.gather(*(client.call(where) for _ in range(60))))
        assert len(used) == 2
        assert worker.process.pid not in used
        assert worker.terminate() == 0
        assert worker.log.count("In Flight Messages:") == 2
        assert "Traceback" not in worker.log


async def test_what_is_in_flight_at_sigterm_is_finished_and_told(
    places: Servers, everything: Environment, configure: Callable[[str, str], Path], tmp_path: Path
) -> None:
    path = configure("whole", places.transport + places.storage + WHOLE)
    async with (
        AsyncInfiniticClient.from_yaml_string(places.transport) as client,
        asyncio.timeout(90),
    ):
        with running(everything, path) as worker:
            deferred = await client.dispatch(client.new_workflow(Totals).hold, str(tmp_path))
            while not (tmp_path / "held").exists():  # noqa: ASYNC110 - made by another process
                await asyncio.sleep(LOOK_SECONDS)
            worker.process.terminate()
            worker.wait_until_logged("stopping: a second signal")
            (tmp_path / "go").touch()
            assert worker.process.wait(60) == 0
            assert "In Flight Messages:\n* " in worker.log
            assert "* TaskExecutor: 0 remaining (1 received)" in worker.log
        with running(everything, path):
            assert await deferred == "went"
    assert (tmp_path / "held").read_text() == "x"  # executed once
