"""Domain events: what components tell of tasks and workflows, for listeners, traces and tests.

Each kind of component publishes on the event topic of its service or workflow, one message a batch:
``service-executor-event``, ``workflow-executor-event``, ``workflow-state-event``. Who listens reads
``EventBatch`` records from there.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol, runtime_checkable

from infinitic_common._events.publishing import EventPublisher, Told
from infinitic_common._events.records import (
    EncodedValue,
    Event,
    EventBatch,
    EventType,
    PlainEvent,
    TaskEvent,
    TimerDispatched,
    ToldBatch,
    WorkflowEvent,
    task_event,
    workflow_event,
)
from infinitic_common._events.short import expanded
from infinitic_common.codec import decode
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.transport import ReceivedMessage, Topic, TopicKind

__all__ = [
    "EVENT_KINDS",
    "EncodedValue",
    "Event",
    "EventBatch",
    "EventPublisher",
    "EventType",
    "ListenableTransport",
    "PlainEvent",
    "TaskEvent",
    "TimerDispatched",
    "Told",
    "WorkflowEvent",
    "batch_in",
    "batch_of",
    "service_events",
    "task_event",
    "workflow_event",
    "workflow_events",
    "workflow_executor_events",
]

EVENT_KINDS = frozenset(
    {
        TopicKind.SERVICE_EXECUTOR_EVENT,
        TopicKind.WORKFLOW_EXECUTOR_EVENT,
        TopicKind.WORKFLOW_STATE_EVENT,
    }
)
"""The kinds of topics that have events."""


@runtime_checkable
class ListenableTransport(Protocol):
    """What a listener needs of a transport besides the port: whom there is to listen to."""

    @property
    def event_source(self) -> str:
        """How the source of every event begins, as ``inMemory``, without a slash at the end."""
        ...

    async def entities(self, kind: TopicKind) -> frozenset[str]:
        """The services, workflows or clients that have a topic of that kind.

        Raises:
            TransportUnavailable: Nobody can tell now.
        """
        ...


@cache
def service_events(service_name: str) -> Topic:
    """Where the events of a service's tasks are."""
    return Topic(TopicKind.SERVICE_EXECUTOR_EVENT, service_name)


def workflow_events(workflow_name: str) -> Topic:
    """Where the events of a workflow are."""
    return Topic(TopicKind.WORKFLOW_STATE_EVENT, workflow_name)


@cache
def workflow_executor_events(workflow_name: str) -> Topic:
    """Where the events of a workflow's workflow tasks are."""
    return Topic(TopicKind.WORKFLOW_EXECUTOR_EVENT, workflow_name)


def batch_of(received: ReceivedMessage) -> EventBatch:
    """The events of a message.

    Raises:
        UndecodableMessage: It has none that this release knows.
    """
    return batch_in(received.body, received.topic)


def batch_in(body: bytes, topic: Topic) -> EventBatch:
    """The events in the body of a message.

    Raises:
        UndecodableMessage: It has none that this release knows.
    """
    batch = decode(body)
    if not isinstance(batch, ToldBatch):
        msg = f"{type(batch).__name__} on {topic} is no batch of events"
        raise UndecodableMessage(msg)
    events = tuple(event for told in batch.told for event in expanded(told, topic.kind))
    return EventBatch(batch.worker_name, batch.version, events)
