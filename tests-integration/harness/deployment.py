"""A worker with everything the cases need, and a client, in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from harness.modes import Mode, opened
from harness.services import UtilService, UtilServiceImpl
from harness.workflows import Context, ContextImpl, Sequences, SequencesImpl
from infinitic_client import AsyncInfiniticClient
from infinitic_common.component import Component
from infinitic_common.storage import Storage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine
from infinitic_workflow_tag import WorkflowTagEngine

_WORKFLOWS: tuple[tuple[type, type], ...] = (
    (Sequences, SequencesImpl),
    (Context, ContextImpl),
)
_CONCURRENCY = 5


@attrs.frozen
class Deployment:
    """What runs in one mode."""

    mode: Mode
    client: AsyncInfiniticClient
    storage: Storage


@asynccontextmanager
async def deployed(mode: Mode) -> AsyncIterator[Deployment]:
    """Start what a mode says, and stop it."""
    async with opened(mode) as (transport, storage):
        worker = InfiniticWorker(
            transport=transport, storage=storage, components=components_of(mode)
        )
        async with worker, AsyncInfiniticClient(transport=transport, close_transport=False) as one:
            yield Deployment(mode, one, storage)


def components_of(mode: Mode) -> list[Component]:
    """Engines and executors, for every workflow and service of the catalogue."""
    options = StateEngineOptions(remote_workflow_tasks=mode.remote)
    components: list[Component] = [
        ServiceExecutor(UtilService, UtilServiceImpl, concurrency=_CONCURRENCY)
    ]
    for contract, implementation in _WORKFLOWS:
        components += (
            WorkflowExecutor(contract, implementation, always_replay=mode.always_replay),
            WorkflowTagEngine(contract),
            WorkflowStateEngine(contract, options),
        )
    return components
