"""Who asked for something, and gets the answer."""

from __future__ import annotations

import attrs

from infinitic_common.codec import record


@record(10)
@attrs.frozen
class ClientRequester:
    """A client, by its name on the transport."""

    client_name: str


@record(11)
@attrs.frozen
class WorkflowRequester:
    """A command of a method run of a workflow."""

    workflow_name: str
    workflow_id: str
    method_name: str
    method_id: str
    position: int
    workflow_version: int = 0


Requester = ClientRequester | WorkflowRequester
