"""What all tests of the contents of events ask: who heard them, and what the kinds have in common."""

# ruff: noqa: D102 - their names say what they do

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from cloudevents.core.v1.event import CloudEvent
from harness.modes import Mode

from events.hearing import Heard, HeardTogether, Memory, Shop
from events.programs import META
from infinitic_client import AsyncDeferred, AsyncInfiniticClient
from infinitic_common import WorkflowFailed

SERVICE = "inMemory/services/executor/Stock"
STATE = "inMemory/workflows/stateEngine/Orders"
EXECUTOR = "inMemory/workflows/executor/Orders"
ENCODED_META = {name: b64encode(value).decode() for name, value in META.items()}
TASK_KEYS = {
    "retrySequence",
    "retryIndex",
    "serviceName",
    "taskName",
    "taskMeta",
    "taskTags",
    "infiniticVersion",
}
RUN = {"methodId", "methodName"}
EVENT_KEYS = {"workflowName", "infiniticVersion", "workflowVersion", "workerName"}
COMMAND_KEYS = {"workflowName", "infiniticVersion", "requester"}


@attrs.frozen
class Told:
    """A shop, and who hears of it."""

    shop: Shop
    mode: Mode
    single: Heard
    together: HeardTogether

    @property
    def client(self) -> AsyncInfiniticClient:
        return self.shop.client

    @property
    def memories(self) -> tuple[Memory, Memory]:
        return self.single, self.together


def data_of(event: CloudEvent) -> dict[str, Any]:
    """The data of an event, which JSON can carry."""
    data = event.get_data()
    assert isinstance(data, dict)
    assert json.loads(json.dumps(data)) == data
    return data


def check_envelope(event: CloudEvent, source: str, subject: str) -> None:
    """Check what every event has."""
    assert event.get_specversion() == "1.0"
    assert event.get_source() == source
    assert event.get_subject() == subject
    assert event.get_datacontenttype() == "application/json"
    assert event.get_id()
    time = event.get_time()
    assert time is not None
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)


def content_of_run(event: CloudEvent, workflow_id: str, name: str) -> dict[str, Any]:
    """Check what all events of a run have; gives what is special to its type."""
    check_envelope(event, STATE, workflow_id)
    data = data_of(event)
    special = event.get_type().partition(".")[2]
    assert set(data) == EVENT_KEYS | RUN | {special}
    assert data["workflowName"] == "Orders"
    assert data["methodName"] == name
    content = data[special]
    assert isinstance(content, dict)
    return content


async def task_of(memory: Memory, workflow_id: str) -> str:
    """The id of the first task of a workflow, from what was told."""
    event = (await memory.until_heard(workflow_id, "workflow.taskDispatched"))[
        "workflow.taskDispatched"
    ]
    return str(data_of(event)["taskDispatched"]["taskId"])


async def fails(started: AsyncDeferred[Any]) -> None:
    """Wait for the failure of a workflow."""
    with pytest.raises(WorkflowFailed):
        await started.result()
