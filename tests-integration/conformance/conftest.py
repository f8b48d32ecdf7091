"""One deployment for each mode; every case runs once in each."""

from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from harness.concurrent_cases import ConcurrentCases
from harness.deployment import Deployment, deployed
from harness.modes import MODES, Mode

from infinitic_client import AsyncInfiniticClient

_LIMIT_SECONDS = 30
_LIMIT_BESIDE_OTHERS_SECONDS = 240

_CONCURRENT: defaultdict[Mode, ConcurrentCases] = defaultdict(ConcurrentCases)


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=MODES, ids=[mode.name for mode in MODES]
)
async def deployment(request: pytest.FixtureRequest) -> AsyncIterator[Deployment]:
    """What runs in the mode of this case, shared by all its cases."""
    mode: Mode = request.param
    async with deployed(mode) as running:
        _CONCURRENT[mode].start({"deployment": running, "client": running.client})
        yield running
        _CONCURRENT[mode].stop()


@pytest.fixture
def client(deployment: Deployment) -> AsyncInfiniticClient:
    """The client of the mode of this case."""
    return deployment.client


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker of some cases means."""
    what = "own_deployment: starts workers of its own, too many to run beside other cases"
    config.addinivalue_line("markers", what)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Give each case its time, the start of its servers not included; on servers, company."""
    here = Path(__file__).resolve().parent
    for item in session.items:
        if here not in item.path.parents or not isinstance(item, pytest.Function):
            continue
        mode = cast("Mode", item.callspec.params["deployment"])
        seconds = _LIMIT_BESIDE_OTHERS_SECONDS if mode.servers else _LIMIT_SECONDS
        item.add_marker(pytest.mark.timeout(seconds, func_only=True))
        if mode.servers and not item.get_closest_marker("own_deployment"):
            _CONCURRENT[mode].add(item)
