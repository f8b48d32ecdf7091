"""One worker for each mode of the gate, and its client."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent.parent))

from authoring.programs import (
    Cases,
    CasesImpl,
    Echo,
    EchoImpl,
    UtilService,
    UtilServiceImpl,
)
from harness.modes import GATE, Mode, opened

from infinitic_client import AsyncInfiniticClient
from infinitic_common.component import Component
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import (
    StateEngineOptions,
    WorkflowStateEngine,
)
from infinitic_workflow_tag import WorkflowTagEngine


def _components(mode: Mode) -> list[Component]:
    options = StateEngineOptions(remote_workflow_tasks=mode.remote)
    components: list[Component] = [ServiceExecutor(UtilService, UtilServiceImpl, concurrency=5)]
    for contract, implementation in ((Echo, EchoImpl), (Cases, CasesImpl)):
        components += (
            WorkflowExecutor(contract, implementation, always_replay=mode.always_replay),
            WorkflowTagEngine(contract),
            WorkflowStateEngine(contract, options),
        )
    return components


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=GATE, ids=[mode.name for mode in GATE]
)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[AsyncInfiniticClient]:
    """A client of a worker that hosts everything."""
    mode: Mode = request.param
    async with opened(mode) as (transport, storage):
        worker = InfiniticWorker(transport=transport, storage=storage, components=_components(mode))
        async with worker, AsyncInfiniticClient(transport=transport, close_transport=False) as one:
            yield one
