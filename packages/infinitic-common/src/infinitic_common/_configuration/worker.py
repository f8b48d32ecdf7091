"""The configuration of a worker and of a client: the roots of a file."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, TypeVar

from attrs import evolve, field, frozen

from infinitic_common._configuration.checks import NotBlank
from infinitic_common._configuration.engines import (
    ServiceTagEngineConfiguration,
    WorkflowStateEngineConfiguration,
    WorkflowTagEngineConfiguration,
)
from infinitic_common._configuration.entries import ServiceConfiguration, WorkflowConfiguration
from infinitic_common._configuration.executors import (
    ServiceExecutorConfiguration,
    WorkflowExecutorConfiguration,
)
from infinitic_common._configuration.listener import EventListenerConfiguration
from infinitic_common._configuration.observing import (
    HealthConfiguration,
    LogsConfiguration,
    MetricsConfiguration,
)
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.settings import Settings
from infinitic_common._configuration.storage import StorageConfiguration
from infinitic_common._configuration.transport import TransportConfiguration

Engine = (
    ServiceTagEngineConfiguration
    | WorkflowStateEngineConfiguration
    | WorkflowTagEngineConfiguration
)
AnyTeller = TypeVar(
    "AnyTeller",
    ServiceExecutorConfiguration,
    WorkflowExecutorConfiguration,
    WorkflowStateEngineConfiguration,
)
AnyEngine = TypeVar(
    "AnyEngine",
    ServiceTagEngineConfiguration,
    WorkflowStateEngineConfiguration,
    WorkflowTagEngineConfiguration,
)


@frozen(kw_only=True)
class WorkerConfiguration(Settings):
    """Everything a worker hosts.

    Attributes:
        name: Name of the worker, unique in its namespace; None for a generated one.
        transport: What carries its messages.
        storage: Where engines keep their state that name no storage of their own.
        services: What it hosts for services.
        workflows: What it hosts for workflows.
        event_listener: Who is told of events; None for nobody.
        events: Whether what it hosts tells listeners, here and elsewhere, of what happens.
        logs: How it logs.
        metrics: What it counts and measures; None for nothing.
        tracing: Whether it makes spans of tasks and workflow methods, for the tracer provider that
            the process has set, as ``opentelemetry-instrument`` does.
        health: Where its health is told; None for nowhere.
    """

    MOVED_KEYS = {  # noqa: RUF012 - read-only by the base's declaration
        "pulsar": "it inside `transport:`",
        "cache": "it inside `storage:`",
        "serviceDefault": "its keys in each service",
        "workflowDefault": "its keys in each workflow",
    }

    name: Annotated[str, NotBlank()] | None = None
    transport: TransportConfiguration
    storage: StorageConfiguration | None = None
    services: tuple[ServiceConfiguration, ...] = ()
    workflows: tuple[WorkflowConfiguration, ...] = ()
    event_listener: EventListenerConfiguration | None = None
    events: bool = True
    logs: LogsConfiguration = field(factory=LogsConfiguration)
    metrics: MetricsConfiguration | None = None
    tracing: bool = False
    health: HealthConfiguration | None = None

    def __attrs_post_init__(self) -> None:
        """Check everything, then give each engine its storage.

        Raises:
            ConfigurationError: Something is out of bounds, or an engine has no storage.
        """
        super().__attrs_post_init__()
        # The only place where a default of one block depends on another one.
        storage, events = self.storage, self.events
        services = tuple(_service_with(storage, events, each) for each in self.services)
        workflows = tuple(_workflow_with(storage, events, each) for each in self.workflows)
        object.__setattr__(self, "services", services)
        object.__setattr__(self, "workflows", workflows)

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        yield from _repeated("services", [service.name for service in self.services])
        yield from _repeated("workflows", [workflow.name for workflow in self.workflows])
        if self.storage is None:
            yield from self._engines_without_storage()

    def _engines_without_storage(self) -> Iterator[Problem]:
        for path, title, engine in self._engines():
            if engine is not None and engine.storage is None and engine.concurrency > 0:
                remedy = "add `storage:` there or at the top"
                yield Problem(path, f"storage undefined for {title}", remedy)

    def _engines(self) -> Iterator[tuple[str, str, Engine | None]]:
        for index, service in enumerate(self.services):
            place, of = f"services[{index}]", f"of '{service.name}'"
            yield f"{place}.tagEngine", f"Service Tag Engine {of}", service.tag_engine
        for index, workflow in enumerate(self.workflows):
            place, of = f"workflows[{index}]", f"of '{workflow.name}'"
            yield f"{place}.stateEngine", f"Workflow State Engine {of}", workflow.state_engine
            yield f"{place}.tagEngine", f"Workflow Tag Engine {of}", workflow.tag_engine


@frozen(kw_only=True)
class ClientConfiguration(Settings):
    """Everything a client needs; the file of a worker can be used for it.

    Attributes:
        name: Name of the client, unique in its namespace; None for a generated one.
        transport: What carries its messages.
        storage: Accepted for compatibility; a client needs none.
    """

    IGNORED_KEYS = {  # noqa: RUF012 - read-only by the base's declaration
        "services": "",
        "workflows": "",
        "eventListener": "",
        "events": "",
        "logs": "",
        "metrics": "",
        "tracing": "",
        "health": "",
    }
    MOVED_KEYS = {"pulsar": "it inside `transport:`"}  # noqa: RUF012 - as above

    name: Annotated[str, NotBlank()] | None = None
    transport: TransportConfiguration
    storage: StorageConfiguration | None = None


def _repeated(key: str, names: list[str]) -> Iterator[Problem]:
    for name, times in Counter(names).items():
        if times > 1:
            last = len(names) - 1 - names[::-1].index(name)
            yield Problem(f"{key}[{last}].name", f"'{name}' is given {times} times", "merge them")


def _service_with(
    storage: StorageConfiguration | None,
    events: bool,  # noqa: FBT001 - as configured
    service: ServiceConfiguration,
) -> ServiceConfiguration:
    return evolve(
        service,
        executor=_telling(events, service.executor),
        tag_engine=_engine_with(storage, service.tag_engine),
    )


def _workflow_with(
    storage: StorageConfiguration | None,
    events: bool,  # noqa: FBT001 - as configured
    workflow: WorkflowConfiguration,
) -> WorkflowConfiguration:
    return evolve(
        workflow,
        executor=_telling(events, workflow.executor),
        state_engine=_telling(events, _engine_with(storage, workflow.state_engine)),
        tag_engine=_engine_with(storage, workflow.tag_engine),
    )


def _telling(
    events: bool,  # noqa: FBT001 - as configured
    part: AnyTeller | None,
) -> AnyTeller | None:
    return part if part is None or events or part.events is not None else evolve(part, events=False)


def _engine_with(
    storage: StorageConfiguration | None, engine: AnyEngine | None
) -> AnyEngine | None:
    return engine if engine is None or engine.storage else evolve(engine, storage=storage)
