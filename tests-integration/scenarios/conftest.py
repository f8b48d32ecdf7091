"""A deployment for each module of scenarios, and each mode of the gate that is in memory."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, cast

import pytest
import pytest_asyncio
from harness.deployment import Deployment, worker_on, workflow_components
from harness.modes import GATE, Mode, opened

from infinitic_client import AsyncInfiniticClient
from infinitic_common.component import Component
from infinitic_task_executor import ServiceExecutor
from infinitic_task_tag import ServiceTagEngine

_MODES = tuple(mode for mode in GATE if not mode.servers)


class _Scenarios(Protocol):
    """What a module of scenarios says: contracts with their implementations."""

    SERVICES: Sequence[tuple[type, type]]
    WORKFLOWS: Sequence[tuple[type, ...]]


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=_MODES, ids=[mode.name for mode in _MODES]
)
async def deployment(request: pytest.FixtureRequest) -> AsyncIterator[Deployment]:
    """The services and workflows of a module, in the mode of this scenario."""
    mode: Mode = request.param
    scenarios = cast("_Scenarios", request.module)
    components: list[Component] = []
    for contract, implementation in scenarios.SERVICES:
        components += [ServiceExecutor(contract, implementation), ServiceTagEngine(contract)]
    for contract, *implementations in scenarios.WORKFLOWS:
        components += workflow_components(mode, contract, *implementations)
    async with opened(mode) as ground:
        client = AsyncInfiniticClient(transport=ground.transport)
        async with client, worker_on(ground, components):
            yield Deployment(mode, client, ground)


@pytest.fixture
def client(deployment: Deployment) -> AsyncInfiniticClient:
    """A client in the mode of this scenario."""
    return deployment.client
