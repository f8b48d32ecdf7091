"""What one turn of a workflow decides: effects to emit, workflow code to run."""

from __future__ import annotations

import attrs

from infinitic_common.events import PlainEvent, TimerDispatched
from infinitic_common.messages import CommandByTag, Message, to_outgoing, topic_of
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.transport import OutgoingMessage, Topic, TopicKind
from infinitic_common.workflow_tasks import WorkflowTask
from infinitic_workflow_engine._core.outbox import Effect, OutboxEntry
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState

TAGS, ALL, ANSWERS = 0, 1, 2
"""Waves: each is published when the broker has confirmed the one before."""


@attrs.frozen
class Emission:
    """A message to publish, in its wave.

    Attributes:
        topic: Where it goes.
        message: As it leaves.
        wave: When.
        record: The message before it was encoded.
        about: For events: of a timer what its message does not tell, of a method of another
            workflow the time that its contract allows, in milliseconds.
    """

    topic: Topic
    message: OutgoingMessage
    wave: int
    record: Message
    about: TimerTold | int | None = None


@attrs.frozen
class TimerTold:
    """What its message does not tell of a timer, for events."""

    requester: WorkflowRequester
    timer: TimerDispatched


def emission(
    message: Message,
    *,
    deliver_at: int | None = None,
    wave: int = ALL,
    now: int = 0,
    about: TimerTold | int | None = None,
) -> Emission:
    """A message to publish; one to be delivered later goes through the timer topic.

    A command by tag leaves in the last wave: what was started before it is there when it arrives.
    """
    topic = topic_of(message)
    if isinstance(message, CommandByTag):
        wave = ANSWERS
    if deliver_at is None or deliver_at <= now:
        return Emission(topic, to_outgoing(message), wave, message, about)
    topic = Topic(TopicKind.WORKFLOW_STATE_TIMER, topic.entity)
    return Emission(topic, to_outgoing(message, deliver_at=deliver_at), wave, message, about)


@attrs.frozen
class Limits:
    """What time may do to a workflow, in milliseconds.

    Attributes:
        workflow_task_timeout_ms: How long a remote workflow task may take before it is sent again.
        retention_ms: How long the outcome of an ended workflow is told.
    """

    workflow_task_timeout_ms: int = 90_000
    retention_ms: int = 24 * 3600 * 1000


@attrs.define
class Turn:
    """The messages of one workflow applied together.

    Attributes:
        workflow_id: The workflow.
        number: Tells this process's turns apart.
        now: Milliseconds since the epoch.
        max_message_bytes: The largest message that the broker takes.
        state: The state, None while there is none.
        causes: Short hashes of the messages applied.
        effects: What is emitted once the state is written.
        emissions: The messages of the effects, and answers that need no memory.
        limits: What time may do.
        repeated: Outbox entries that are emitted again, by identity.
        task: The workflow task to run before the turn can end.
        ended_methods: Runs that ended in this turn.
        ended_runs: The same.
        stalled_runs: Runs whose code failed in this turn, for now.
        changed: The state differs from the stored one.
        notes: What the log is to say once the state is written.
        events: What is told once the state is written; None when nobody is told.
        cause_body: The message being applied, as it was received; empty when nobody knows.
    """

    workflow_id: str
    number: int
    now: int
    max_message_bytes: int
    state: WorkflowState | None = None
    causes: dict[bytes, None] = attrs.field(factory=dict[bytes, None])
    effects: list[Effect] = attrs.field(factory=list[Effect])
    emissions: list[Emission] = attrs.field(factory=list[Emission])
    limits: Limits = Limits()
    repeated: dict[int, OutboxEntry] = attrs.field(factory=dict[int, OutboxEntry])
    task: WorkflowTask | None = None
    ended_methods: list[str] = attrs.field(factory=list[str])
    ended_runs: list[MethodRun] = attrs.field(factory=list[MethodRun])
    stalled_runs: list[MethodRun] = attrs.field(factory=list[MethodRun])
    changed: bool = False
    notes: list[str] = attrs.field(factory=list[str])
    events: list[PlainEvent] | None = None
    cause_body: bytes = b""

    @property
    def is_forgotten(self) -> bool:
        """Whether the workflow ended so long ago that only its repeated start is recognised."""
        ended_at = None if self.state is None else self.state.ended_at
        return ended_at is not None and self.now >= ended_at + self.limits.retention_ms
