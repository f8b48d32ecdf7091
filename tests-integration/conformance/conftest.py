"""One deployment for each mode of the gate; every case runs once in each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness.deployment import Deployment, deployed
from harness.modes import GATE, Mode

from infinitic_client import AsyncInfiniticClient

_LIMIT_SECONDS = 30


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=GATE, ids=[mode.name for mode in GATE]
)
async def deployment(request: pytest.FixtureRequest) -> AsyncIterator[Deployment]:
    """What runs in the mode of this case, shared by all its cases."""
    mode: Mode = request.param
    async with deployed(mode) as running:
        yield running


@pytest.fixture
def client(deployment: Deployment) -> AsyncInfiniticClient:
    """The client of the mode of this case."""
    return deployment.client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each case 30 s, the start of its servers not included."""
    here = Path(__file__).resolve().parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(_LIMIT_SECONDS, func_only=True))
