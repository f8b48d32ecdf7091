"""To the state engine: what clients and other workflows ask (workflow-state-cmd)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from infinitic_common.codec import record
from infinitic_common.requesters import Requester


@record(100)
@attrs.frozen
class DispatchWorkflow:
    """Start a workflow; its first method run has the id of the workflow."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    tags: frozenset[str]
    meta: Mapping[str, bytes]
    requester: Requester
    client_waiting: bool
    emitted_at: int


@record(101)
@attrs.frozen
class DispatchMethod:
    """Run a method on a running workflow."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    requester: Requester
    client_waiting: bool
    emitted_at: int


@record(102)
@attrs.frozen
class WaitWorkflow:
    """Tell the requester when a method run ends or fails; at once when it already has."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str
    requester: Requester
    emitted_at: int


@record(103)
@attrs.frozen
class SendSignal:
    """A signal for a channel; ``value_types`` names the class of the value and its parents."""

    message_id: str
    workflow_name: str
    workflow_id: str
    channel_name: str
    signal_id: str
    value: bytes
    value_types: tuple[str, ...]
    requester: Requester
    emitted_at: int


@record(104)
@attrs.frozen
class CancelWorkflow:
    """Cancel a method run, or all of them (``method_id`` None)."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str | None
    requester: Requester
    emitted_at: int


@record(105)
@attrs.frozen
class CompleteTimers:
    """End now the running timers of a method run, or of all (``method_id`` None)."""

    message_id: str
    workflow_name: str
    workflow_id: str
    method_id: str | None
    requester: Requester
    emitted_at: int


@record(106)
@attrs.frozen
class RetryTasks:
    """Run again the tasks that match every given filter."""

    message_id: str
    workflow_name: str
    workflow_id: str
    task_id: str | None
    task_status: str | None
    service_name: str | None
    requester: Requester
    emitted_at: int


@record(107)
@attrs.frozen
class RetryWorkflowTask:
    """Run again the code of every stalled method run."""

    message_id: str
    workflow_name: str
    workflow_id: str
    requester: Requester
    emitted_at: int


@record(108)
@attrs.frozen
class QueryWorkflow:
    """Answer a question about a workflow, without changing it.

    Attributes:
        request_id: What the answer names.
        query: ``status``, ``state`` or ``property``.
        argument: The name of the property.
    """

    message_id: str
    workflow_name: str
    workflow_id: str
    request_id: str
    query: str
    argument: str | None
    requester: Requester
    emitted_at: int
