"""A worker for trips in each mode of the gate."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent.parent))

from harness.deployment import Deployment, workflow_components
from harness.modes import GATE, Mode, opened
from sagas.programs import Bookings, BookingsImpl, Trips, TripsImpl

from infinitic_client import AsyncInfiniticClient
from infinitic_task_executor import ServiceExecutor


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=GATE, ids=[mode.name for mode in GATE]
)
async def deployment(request: pytest.FixtureRequest) -> AsyncIterator[Deployment]:
    """What runs in a mode."""
    mode: Mode = request.param
    async with opened(mode) as ground, AsyncInfiniticClient(transport=ground.transport) as client:
        running = Deployment(mode, client, ground)
        async with running.worker(
            ServiceExecutor(Bookings, BookingsImpl, concurrency=5),
            *workflow_components(mode, Trips, TripsImpl),
        ):
            yield running
