"""What a worker gives to one component."""

from collections.abc import Mapping

import attrs

from infinitic_common.client import AsyncClient, Client
from infinitic_common.configuration import StorageConfiguration
from infinitic_common.storage import Storage
from infinitic_common.telemetry import NO_TELEMETRY, Telemetry
from infinitic_common.transport import Transport
from infinitic_common.workflow_tasks import WorkflowTaskHandler
from infinitic_worker._storages import Storages


@attrs.frozen(eq=False)
class Host:
    """The worker as one component sees it; see ``ComponentHost``.

    Attributes:
        asker: The component, for errors.
        handlers: By the name of a workflow, what runs its code in this process.
        telemetry: Whom it tells what happens.
    """

    transport: Transport
    worker_name: str
    client: Client | None
    async_client: AsyncClient | None
    asker: str
    storages: Storages
    handlers: Mapping[str, WorkflowTaskHandler]
    telemetry: Telemetry = NO_TELEMETRY

    def storage(self, configuration: StorageConfiguration | None = None) -> Storage:
        """See ``ComponentHost``."""
        return self.storages.get(configuration, self.asker)

    def workflow_task_handler(self, workflow_name: str) -> WorkflowTaskHandler | None:
        """See ``ComponentHost``."""
        return self.handlers.get(workflow_name)
