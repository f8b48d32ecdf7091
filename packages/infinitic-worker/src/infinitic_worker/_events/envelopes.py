"""From the events of a message to CloudEvents 1.0."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from cloudevents.core.v1.event import CloudEvent

from infinitic_common.events import Event, EventBatch, TaskEvent
from infinitic_common.transport import Topic, TopicKind
from infinitic_worker._events.contents import task_data, workflow_data

_PLACES = {
    TopicKind.SERVICE_EXECUTOR_EVENT: "services/executor",
    TopicKind.WORKFLOW_EXECUTOR_EVENT: "workflows/executor",
    TopicKind.WORKFLOW_STATE_EVENT: "workflows/stateEngine",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cloud_events(batch: EventBatch, topic: Topic, prefix: str) -> Iterator[CloudEvent]:
    """The events of a message, readable.

    Args:
        batch: What the message has.
        topic: Where it came from.
        prefix: How the source begins: the transport.
    """
    source = f"{prefix}/{_PLACES[topic.kind]}/{quote(topic.entity, safe='')}"
    for event in batch.events:
        yield _cloud_event(event, batch, topic.entity, source)


def _cloud_event(event: Event, batch: EventBatch, entity: str, source: str) -> CloudEvent:
    if isinstance(event, TaskEvent):
        subject, data = event.task_id, task_data(event, batch)
    else:
        subject, data = event.workflow_id, workflow_data(event, batch, entity)
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": event.id,
        "source": source,
        "type": event.type,
        "subject": subject,
        "time": _EPOCH + timedelta(milliseconds=event.at),
        "datacontenttype": "application/json",
    }
    if event.duration_ms is not None:
        attributes["duration"] = iso_duration(event.duration_ms)
    return CloudEvent(attributes, data)


def iso_duration(milliseconds: float) -> str:
    """A duration as ISO 8601 says it, in seconds: attributes of CloudEvents have no fractions."""
    text = f"{milliseconds / 1000:.6f}".rstrip("0").rstrip(".")
    return f"PT{text}S"
