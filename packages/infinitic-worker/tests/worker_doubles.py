"""Doubles of what a worker hosts and stands on; they note what is done to them."""

# ruff: noqa: D101, D102, D103, INP001 - these are read beside the tests

import asyncio
import contextlib
import gc
import logging
from collections.abc import Mapping, Sequence
from typing import Self, cast

import attrs

from infinitic_common.client import AsyncClient
from infinitic_common.component import ComponentHost
from infinitic_common.configuration import (
    ServiceConfiguration,
    StorageConfiguration,
    TransportConfiguration,
    WorkflowConfiguration,
    load_class,
)
from infinitic_common.exceptions import InvalidImplementation
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Storage
from infinitic_common.transport import (
    Consumption,
    Counts,
    Handler,
    OutgoingMessage,
    Subscription,
    Topic,
)
from infinitic_common.workflow_tasks import WorkflowTask, WorkflowTaskResult

Journal = list[str]

_LOGGER = logging.getLogger(__name__)


@attrs.define(eq=False)
class RecordingTransport:
    """A transport that carries nothing.

    Attributes:
        journal: What was done, in order, shared with other doubles.
        refusal: What ``close`` raises.
    """

    name: str = "process"
    journal: Journal = attrs.field(factory=list[str])
    max_message_bytes: int = 10_000
    refusal: Exception | None = None

    def now(self) -> int:
        return 0

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        raise NotImplementedError

    async def consume(self, subscription: Subscription, handler: Handler) -> Consumption:
        raise NotImplementedError

    async def close(self) -> None:
        self.journal.append("transport closed")
        if self.refusal is not None:
            raise self.refusal


@attrs.define(eq=False)
class RecordingStorage:
    """A storage that keeps nothing."""

    name: str = "storage"
    journal: Journal = attrs.field(factory=list[str])
    configuration: StorageConfiguration | None = None

    @property
    def key_values(self) -> KeyValueStorage:
        raise NotImplementedError

    @property
    def key_sets(self) -> KeySetStorage:
        raise NotImplementedError

    async def close(self) -> None:
        self.journal.append(f"{self.name} closed")


@attrs.define(eq=False)
class RecordingComponent:
    """A component that does nothing by itself.

    Attributes:
        failure: What ``start`` raises.
        opens: Set when ``start`` may go on; None when at once.
        finishes: Set when what is in flight is finished; None when at once.
        asks_for_storage: Whether ``start`` asks for a storage, and with which configuration.
    """

    label: str = "Component"
    journal: Journal = attrs.field(factory=list[str])
    counts: Counts = attrs.field(factory=Counts)
    failure: Exception | None = None
    stop_failure: Exception | None = None
    opens: asyncio.Event | None = None
    finishes: asyncio.Event | None = None
    asks_for_storage: bool = False
    storage_configuration: StorageConfiguration | None = None
    host: ComponentHost | None = None
    storage: Storage | None = None
    grace_seconds: list[float] = attrs.field(factory=list[float])
    starting: asyncio.Event = attrs.field(factory=asyncio.Event)
    stopping: asyncio.Event = attrs.field(factory=asyncio.Event)

    def __str__(self) -> str:
        return self.label

    async def start(self, host: ComponentHost) -> None:
        self.host = host
        self.journal.append(f"{self.label} starts")
        self.starting.set()
        if self.asks_for_storage:
            self.storage = host.storage(self.storage_configuration)
        if self.opens is not None:
            await self.opens.wait()
        if self.failure is not None:
            raise self.failure

    async def stop(self, grace_seconds: float) -> None:
        self.grace_seconds.append(grace_seconds)
        self.journal.append(f"{self.label} stops")
        self.stopping.set()
        if self.finishes is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.finishes.wait(), grace_seconds)
        if self.stop_failure is not None:
            raise self.stop_failure
        self.journal.append(f"{self.label} stopped")


@attrs.define(eq=False)
class RecordingHandler(RecordingComponent):
    """A component that could run the code of a workflow."""

    workflow_name: str = "Order"

    async def run(
        self, tasks: Sequence[WorkflowTask], *, patience: float | None = None
    ) -> Sequence[WorkflowTaskResult]:
        raise NotImplementedError

    def confirm(self, versions: Mapping[str, int]) -> None:
        raise NotImplementedError

    def discard(self, workflow_ids: Sequence[str]) -> None:
        raise NotImplementedError

    def forget(self, workflow_ids: Sequence[str], method_ids: Sequence[str]) -> None:
        raise NotImplementedError


@attrs.define(eq=False)
class RecordingClient:
    """A client in both colours."""

    transport: object
    close_transport: bool

    def blocking(self) -> "RecordingBlockingClient":
        asyncio.get_running_loop()
        return RecordingBlockingClient(self)

    async def close(self) -> None:
        if isinstance(self.transport, RecordingTransport):
            self.transport.journal.append("client closed")


@attrs.frozen(eq=False)
class RecordingBlockingClient:
    """The client for threads."""

    inner: RecordingClient


def make_client(*, transport: object, close_transport: bool) -> AsyncClient:
    return cast("AsyncClient", RecordingClient(transport, close_transport))


# --- what the entry points of test_configuration.py and test_cli.py name -------------------------


def open_transport(
    configuration: TransportConfiguration, *, name: str | None
) -> RecordingTransport:
    del configuration
    return RecordingTransport("made up" if name is None else name)


def open_storage(configuration: StorageConfiguration) -> RecordingStorage:
    return RecordingStorage(configuration=configuration)


class _FromService(RecordingComponent):
    @classmethod
    def from_configuration(cls, configuration: ServiceConfiguration) -> Self:
        made = cls(f"{cls.__name__} of {configuration.name}")
        if configuration.tag_engine is not None and cls is cast("type", ServiceTagEngine):
            made.asks_for_storage = True
            made.storage_configuration = configuration.tag_engine.storage
        return made


class ServiceTagEngine(_FromService):
    pass


class DoesNotFit:
    """A class that no service can use."""


class ServiceExecutor(_FromService):
    """Behaves as the name of the class of its service says."""

    @classmethod
    def from_configuration(cls, configuration: ServiceConfiguration) -> Self:
        made = super().from_configuration(configuration)
        executor = configuration.executor
        if executor is not None and executor.class_name is not None:
            given = load_class(executor.class_name, place=f"services.{configuration.name}")
            if given is DoesNotFit:
                msg = "DoesNotFit has no method 'refund'"
                raise InvalidImplementation(msg)
            if given.__name__ == "FailsToStart":
                made.failure = RuntimeError("the broker said no")
            if given.__name__ == "NeverFinishes":
                made.counts, made.finishes = Counts(1000, 5), asyncio.Event()
        return made

    async def start(self, host: ComponentHost) -> None:
        await super().start(host)
        _LOGGER.debug("garbage is collected after %d allocations", gc.get_threshold()[0])


class _FromWorkflow(RecordingComponent):
    @classmethod
    def from_configuration(cls, configuration: WorkflowConfiguration) -> Self:
        return cls(f"{cls.__name__} of {configuration.name}")


class WorkflowTagEngine(_FromWorkflow):
    pass


class WorkflowStateEngine(_FromWorkflow):
    @classmethod
    def from_configuration(cls, configuration: WorkflowConfiguration) -> Self:
        made = super().from_configuration(configuration)
        made.asks_for_storage = True
        if configuration.state_engine is not None:
            made.storage_configuration = configuration.state_engine.storage
        return made


class WorkflowExecutor(RecordingHandler):
    @classmethod
    def from_configuration(cls, configuration: WorkflowConfiguration) -> Self:
        executor = configuration.executor
        classes = "" if executor is None else f" by {', '.join(executor.class_names)}"
        name = configuration.name
        return cls(f"WorkflowExecutor of {name}{classes}", workflow_name=name)
