"""A worker with everything the cases need, and a client, in one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import attrs

from harness.modes import Ground, Mode, opened
from harness.services import UtilService, UtilServiceImpl
from harness.workflows import WORKFLOWS
from harness.workflows.batches import BatchService, BatchServiceImpl, Blocking
from harness.workflows.names import NamedService, NamedServiceImpl
from harness.workflows.views import UserService, UserServiceImpl
from infinitic_client import AsyncInfiniticClient
from infinitic_common.client import AsyncClient
from infinitic_common.component import Component
from infinitic_common.configuration import (
    BatchConfiguration,
    ExponentialBackoff,
    ServiceConfiguration,
    ServiceExecutorConfiguration,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
)
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_task_tag import ServiceTagEngine
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine
from infinitic_workflow_tag import WorkflowTagEngine

_PATIENCE_SECONDS = 20.0
_STEP_MILLISECONDS = 10
_CONCURRENCY = 5
_CONCURRENCY_OF_MANY_CASES = 40
_ONE_RETRY = ExponentialBackoff(maximum_retries=1, random_factor=0.0)
_LIMITED = ServiceConfiguration(
    name="LimitedService",
    executor=ServiceExecutorConfiguration(
        class_name="harness.services.LimitedServiceImpl", timeout_seconds=1000
    ),
)
_BATCH = BatchConfiguration(max_messages=10, max_seconds=0.25)
_BLOCKING = WorkflowConfiguration(
    name="Blocking",
    executor=WorkflowExecutorConfiguration(
        class_names=("harness.workflows.batches.BlockingImpl",), batch=_BATCH
    ),
)


@attrs.frozen
class Deployment:
    """What runs in one mode."""

    mode: Mode
    client: AsyncInfiniticClient
    ground: Ground

    @property
    def storage(self) -> Storage:
        return self.ground.storage

    async def elapse(self, milliseconds: int) -> None:
        """Let time pass, which takes none where the clock can be moved."""
        await self.ground.time.elapse(timedelta(milliseconds=milliseconds))

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Let time pass, in small steps, until something is so."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await condition():
                await self.elapse(_STEP_MILLISECONDS)

    def worker(self, *components: Component) -> InfiniticWorker:
        """A further worker on the same ground."""
        return worker_on(self.ground, components)


@asynccontextmanager
async def deployed(mode: Mode, *contracts: type) -> AsyncIterator[Deployment]:
    """Start what a mode says, and stop it: everything, or only the workflows of some contracts."""
    async with opened(mode) as ground:
        components = util_components(mode, ground)
        components += [] if contracts else special_components(mode)
        for contract, *implementations in WORKFLOWS:
            if not contracts or contract in contracts:
                components += workflow_components(mode, contract, *implementations)
        client = AsyncInfiniticClient(transport=ground.transport)
        async with client, worker_on(ground, components):
            yield Deployment(mode, client, ground)


def worker_on(ground: Ground, components: Sequence[Component]) -> InfiniticWorker:
    """A worker that leaves open what it stands on."""
    return InfiniticWorker(
        transport=ground.transport,
        storage=ground.storage,
        components=components,
        client_factory=_client,
        close_transport=False,
        close_storage=False,
    )


def _client(*, transport: object, close_transport: bool) -> AsyncClient:
    return AsyncInfiniticClient(
        transport=cast("Transport", transport), close_transport=close_transport
    )


def util_components(mode: Mode, ground: Ground) -> list[Component]:
    """The service that most cases use."""

    def util() -> UtilServiceImpl:
        return UtilServiceImpl(ground.time)

    concurrency = _CONCURRENCY_OF_MANY_CASES if mode.servers else _CONCURRENCY
    return [
        ServiceExecutor(UtilService, util, concurrency=concurrency, retry=_ONE_RETRY),
        ServiceTagEngine(UtilService),
    ]


def special_components(mode: Mode) -> list[Component]:
    """What single areas need."""
    return [
        ServiceExecutor.from_configuration(_LIMITED),
        ServiceExecutor(NamedService, NamedServiceImpl),
        ServiceExecutor(UserService, UserServiceImpl),
        ServiceExecutor(BatchService, BatchServiceImpl, batch=_BATCH),
        WorkflowExecutor.from_configuration(_BLOCKING),
        WorkflowStateEngine(Blocking, _options(mode)),
    ]


def workflow_components(mode: Mode, contract: type, *implementations: type) -> list[Component]:
    """All that a workflow needs."""
    return [
        WorkflowExecutor(contract, *implementations, always_replay=mode.always_replay),
        WorkflowTagEngine(contract),
        WorkflowStateEngine(contract, _options(mode)),
    ]


def _options(mode: Mode) -> StateEngineOptions:
    return StateEngineOptions(remote_workflow_tasks=mode.remote)
