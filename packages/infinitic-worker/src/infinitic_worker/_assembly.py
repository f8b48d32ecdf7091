"""From a configuration to what a worker hosts, through entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, cast

from infinitic_common.component import Component
from infinitic_common.configuration import (
    ServiceConfiguration,
    StorageConfiguration,
    TransportConfiguration,
    WorkerConfiguration,
    WorkflowConfiguration,
)
from infinitic_common.discovery import COMPONENTS, STORAGES, TRANSPORTS, load_entry_point
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport


class _OpenTransport(Protocol):
    def __call__(
        self, configuration: TransportConfiguration, *, name: str | None
    ) -> Transport: ...


class _Factory(Protocol):
    def from_configuration(
        self, configuration: ServiceConfiguration | WorkflowConfiguration
    ) -> Component: ...


def open_transport(configuration: WorkerConfiguration) -> Transport:
    """The transport of a configuration.

    Raises:
        ComponentNotInstalled: Its wheel is missing.
    """
    transport = configuration.transport
    opener = cast("_OpenTransport", load_entry_point(TRANSPORTS, transport.kind))
    return opener(transport, name=configuration.name)


def open_storage(configuration: StorageConfiguration) -> Storage:
    """The storage of a configuration.

    Raises:
        ComponentNotInstalled: Its wheel, or its extra, is missing.
    """
    opener = load_entry_point(STORAGES, configuration.kind)
    return cast("Callable[[StorageConfiguration], Storage]", opener)(configuration)


def components_of(configuration: WorkerConfiguration) -> Iterator[Component]:
    """The components of a configuration: executors before the engines that use them.

    Raises:
        ComponentNotInstalled: The wheel of one is missing.
        ConfigurationError: A class cannot be used.
    """
    for service in configuration.services:
        yield from _components(service, {"serviceExecutor": service.executor})
        yield from _components(service, {"serviceTagEngine": service.tag_engine})
    for workflow in configuration.workflows:
        parts = {
            "workflowExecutor": workflow.executor,
            "workflowTagEngine": workflow.tag_engine,
            "workflowStateEngine": workflow.state_engine,
        }
        yield from _components(workflow, parts)


def _components(
    entry: ServiceConfiguration | WorkflowConfiguration, parts: dict[str, object]
) -> Iterator[Component]:
    for name, part in parts.items():
        if part is not None and getattr(part, "concurrency", 1) != 0:
            factory = cast("_Factory", load_entry_point(COMPONENTS, name))
            yield factory.from_configuration(entry)
