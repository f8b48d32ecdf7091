"""What keeps track: the state engine of a workflow, the tag engines."""

from typing import Annotated

from attrs import Factory, field, frozen

from infinitic_common._configuration.checks import Above, AtLeast
from infinitic_common._configuration.policies import BatchConfiguration
from infinitic_common._configuration.settings import Settings
from infinitic_common._configuration.storage import StorageConfiguration

Concurrency = Annotated[int, AtLeast(0)]


def _same_concurrency(engine: "WorkflowStateEngineConfiguration") -> int:
    return engine.concurrency


@frozen(kw_only=True)
class WorkflowStateEngineConfiguration(Settings):
    """How the instances of a workflow are kept and advanced.

    Attributes:
        concurrency: Instances handled at once; 0 for none.
        storage: Where they are kept; None for the worker's default storage.
        batch: The most messages taken together.
        retention_seconds: How long the outcome of an ended instance can be asked for.
        deduplication_window_seconds: How long after its end an instance recognises duplicates.
        max_redeliver_count: Attempts at a message before it is given up; None for the
            transport's setting.
        remote_workflow_tasks: Have the code of the workflow run by executors that are found by
            messages, even when one is in this worker.
        command_handler_concurrency: Commands handled at once; by default as ``concurrency``.
        event_handler_concurrency: Events handled at once; by default as ``concurrency``.
        timer_handler_concurrency: Timers handled at once; by default as ``concurrency``.
        events: Tell listeners of what happens; None to do as the worker says.
    """

    IGNORED_KEYS = {  # noqa: RUF012 - read-only by the base's declaration
        "timerHandlerPastDueSeconds": "has no effect here and can be removed",
    }

    concurrency: Concurrency = 1
    storage: StorageConfiguration | None = None
    batch: BatchConfiguration = field(factory=BatchConfiguration)
    retention_seconds: Annotated[float, AtLeast(0)] = 86_400.0
    deduplication_window_seconds: Annotated[float, Above(0)] = 3600.0
    max_redeliver_count: Annotated[int, Above(0)] | None = None
    remote_workflow_tasks: bool = False
    command_handler_concurrency: Concurrency = Factory(_same_concurrency, takes_self=True)
    event_handler_concurrency: Concurrency = Factory(_same_concurrency, takes_self=True)
    timer_handler_concurrency: Concurrency = Factory(_same_concurrency, takes_self=True)
    events: bool | None = None


@frozen(kw_only=True)
class ServiceTagEngineConfiguration(Settings):
    """How the tags and the delegated tasks of a service are kept.

    Attributes:
        concurrency: Messages handled at once.
        storage: Where they are kept; None for the worker's default storage.
        batch: The most messages taken together.
    """

    concurrency: Annotated[int, Above(0)] = 1
    storage: StorageConfiguration | None = None
    batch: BatchConfiguration = field(factory=BatchConfiguration)


@frozen(kw_only=True)
class WorkflowTagEngineConfiguration(Settings):
    """How the tags of a workflow's instances are kept.

    Attributes:
        concurrency: Messages handled at once; 0 for none.
        storage: Where they are kept; None for the worker's default storage.
        batch: The most messages taken together.
        fanout_page_size: Instances read at once when a tag addresses many.
    """

    concurrency: Concurrency = 1
    storage: StorageConfiguration | None = None
    batch: BatchConfiguration = field(factory=BatchConfiguration)
    fanout_page_size: Annotated[int, Above(0)] = 5000
