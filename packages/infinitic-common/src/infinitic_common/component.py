"""Port between a worker and the components it hosts."""

from __future__ import annotations

from typing import Protocol, TypeVar

from infinitic_common.configuration import (
    ServiceConfiguration,
    StorageConfiguration,
    WorkflowConfiguration,
)
from infinitic_common.storage import Storage
from infinitic_common.transport import Counts, Transport
from infinitic_common.workflow_tasks import WorkflowTaskHandler


class ComponentHost(Protocol):
    """What a component is given when it starts."""

    @property
    def transport(self) -> Transport:
        """The transport of this process."""
        ...

    @property
    def worker_name(self) -> str:
        """The name of this worker, for failures and logs."""
        ...

    @property
    def client(self) -> object:
        """The client that tasks find in their context; None when no client is installed."""
        ...

    @property
    def async_client(self) -> object:
        """The same client, for tasks that are coroutines."""
        ...

    def storage(self, configuration: StorageConfiguration | None = None) -> Storage:
        """The storage of that configuration, or the worker's default one.

        Raises:
            ConfigurationError: There is none; names the component that needs it.
        """
        ...

    def workflow_task_handler(self, workflow_name: str) -> WorkflowTaskHandler | None:
        """The handler hosted in this process for that workflow; None when there is none."""
        ...


class Component(Protocol):
    """A part of a worker: an executor or an engine.

    ``start`` returns when the component receives messages. ``stop`` stops receiving, finishes what
    is in flight within the grace period, and releases; what was not finished is redelivered.
    ``stop`` also follows a ``start`` that failed. ``str`` of a component is one line with its
    effective settings.
    """

    @property
    def label(self) -> str:
        """Its kind in logs, as ``TaskExecutor`` or ``WorkflowStateEngine``."""
        ...

    @property
    def counts(self) -> Counts:
        """Messages received and not yet settled."""
        ...

    async def start(self, host: ComponentHost) -> None:
        """Begin to receive."""
        ...

    async def stop(self, grace_seconds: float) -> None:
        """Stop; twice does nothing."""
        ...


Entry_contra = TypeVar(
    "Entry_contra", bound=ServiceConfiguration | WorkflowConfiguration, contravariant=True
)


class ComponentFactory(Protocol[Entry_contra]):
    """What the entry points ``infinitic.components`` name: the class of a component."""

    def from_configuration(self, configuration: Entry_contra) -> Component:
        """Make the component that the entry of a service or of a workflow asks for.

        Raises:
            ConfigurationError: The entry asks for none, or its classes cannot be loaded.
            InvalidImplementation: Its class cannot implement the service or the workflow.
        """
        ...
