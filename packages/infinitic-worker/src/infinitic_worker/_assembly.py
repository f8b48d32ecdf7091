"""From a configuration to what a worker hosts, through entry points."""

from collections.abc import Iterator
from typing import Protocol, TypeVar, cast

import attrs

from infinitic_common.component import Component, ComponentFactory
from infinitic_common.configuration import (
    ConfigurationError,
    EventListenerConfiguration,
    Problem,
    ServiceConfiguration,
    TransportConfiguration,
    WorkerConfiguration,
    WorkflowConfiguration,
)
from infinitic_common.discovery import (
    COMPONENTS,
    TRANSPORTS,
    ComponentNotInstalled,
    load_entry_point,
)
from infinitic_common.exceptions import InfiniticError
from infinitic_common.transport import Transport
from infinitic_worker._events.listener import EventListener

Entry = TypeVar("Entry", ServiceConfiguration, WorkflowConfiguration)


class TransportOpener(Protocol):
    """What the entry points ``infinitic.transports`` name."""

    def __call__(self, configuration: TransportConfiguration, *, name: str | None) -> Transport:
        """Make the transport; it connects when it is first used."""
        ...


def open_transport(configuration: WorkerConfiguration) -> Transport:
    """The transport of a configuration; it connects when it is first used.

    Raises:
        ComponentNotInstalled: Its wheel is missing.
    """
    transport = configuration.transport
    opener = cast("TransportOpener", load_entry_point(TRANSPORTS, transport.kind))
    return opener(transport, name=configuration.name)


def components_of(configuration: WorkerConfiguration) -> tuple[Component, ...]:
    """The components that a configuration asks for, in the order in which they start.

    Raises:
        ComponentNotInstalled: The wheel of one is missing.
        ConfigurationError: Lists every class that cannot be loaded or does not fit.
    """
    making = _Making()
    for index, service in enumerate(configuration.services):
        for name in _service_parts(service):
            making.make(f"services[{index}]", name, service)
    for index, workflow in enumerate(configuration.workflows):
        for name in _workflow_parts(workflow):
            making.make(f"workflows[{index}]", name, workflow)
    making.listen(configuration.event_listener)
    if making.problems:
        raise ConfigurationError(making.problems)
    return tuple(making.made)


@attrs.frozen
class _Making:
    made: list[Component] = attrs.field(factory=list[Component])
    problems: list[Problem] = attrs.field(factory=list[Problem])

    def make(self, place: str, name: str, entry: Entry) -> None:
        """Make a component, or note why it cannot be made."""
        factory = cast("ComponentFactory[Entry]", load_entry_point(COMPONENTS, name))
        try:
            component = factory.from_configuration(entry)
        except ConfigurationError as error:
            self.problems.extend(error.problems)
        except ComponentNotInstalled:
            raise
        except InfiniticError as error:
            self.problems.append(Problem(f"{place} '{entry.name}'", str(error)))
        else:
            self.made.append(component)

    def listen(self, configuration: EventListenerConfiguration | None) -> None:
        """Make the listener of events, if there is one, or note why it cannot be made."""
        if configuration is None:
            return
        try:
            listener = EventListener.from_configuration(configuration)
        except ConfigurationError as error:
            self.problems.extend(error.problems)
        else:
            self.made.append(listener)


def _service_parts(service: ServiceConfiguration) -> Iterator[str]:
    if service.tag_engine is not None:
        yield "serviceTagEngine"
    if service.executor is not None and service.executor.concurrency > 0:
        yield "serviceExecutor"


def _workflow_parts(workflow: WorkflowConfiguration) -> Iterator[str]:
    if workflow.executor is not None and workflow.executor.concurrency > 0:
        yield "workflowExecutor"
    if workflow.tag_engine is not None and workflow.tag_engine.concurrency > 0:
        yield "workflowTagEngine"
    if workflow.state_engine is not None and workflow.state_engine.concurrency > 0:
        yield "workflowStateEngine"
