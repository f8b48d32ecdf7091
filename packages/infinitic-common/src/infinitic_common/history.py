"""The history of a method run: immutable entries, encoded once, in the order things happened.

Positions number what the code of a run asks for: each command and each wait takes the next one,
from 0. An entry's place in the log is its time: what a run may see at some point is what the log
holds up to the entry that resumed it (``MethodStarted`` or the ``StepEnded`` of its last wait).
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from infinitic_common.codec import record
from infinitic_common.failures import (
    DeferredError,
)

# --- commands -----------------------------------------------------------------------------------


@record(20)
@attrs.frozen
class TaskCommand:
    """Run a method of a service."""

    service_name: str
    method_name: str
    arguments: tuple[bytes, ...]
    tags: frozenset[str] = frozenset()
    meta: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])
    timeout_ms: int | None = None


@record(21)
@attrs.frozen
class ChildWorkflowCommand:
    """Start another workflow; the command's id is the child's workflow id."""

    workflow_name: str
    method_name: str
    arguments: tuple[bytes, ...]
    tags: frozenset[str] = frozenset()
    meta: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])
    timeout_ms: int | None = None


@record(22)
@attrs.frozen
class RemoteMethodCommand:
    """Run a method on a running workflow, named by id or by tag (exactly one is set)."""

    workflow_name: str
    workflow_id: str | None
    workflow_tag: str | None
    method_name: str
    arguments: tuple[bytes, ...]
    timeout_ms: int | None = None


@record(23)
@attrs.frozen
class SendSignalCommand:
    """Send a signal to a running workflow, named by id or by tag (exactly one is set)."""

    workflow_name: str
    workflow_id: str | None
    workflow_tag: str | None
    channel_name: str
    value: bytes
    value_types: tuple[str, ...] = ()


@record(24)
@attrs.frozen
class ReceiveCommand:
    """Receive signals of a channel.

    Attributes:
        channel_name: The channel.
        value_type: Name of the class a signal's value must have among its own and its parents';
            None for any.
        json_path: A JSONPath that must find something in the value; None for any.
        where: Paths in the value (dotted) and what they must equal, encoded self-describing.
        limit: Signals after which the receiver is closed; None for no limit.
    """

    channel_name: str
    value_type: str | None = None
    json_path: str | None = None
    where: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])
    limit: int | None = None


@record(25)
@attrs.frozen
class InlineCommand:
    """A block that ran inside the workflow, and its value (self-describing)."""

    value: bytes


@record(26)
@attrs.frozen
class TimerCommand:
    """Wait until an instant.

    Attributes:
        fires_at: Milliseconds since the epoch.
        duration_ms: The duration asked for; None when an instant was.
    """

    fires_at: int
    duration_ms: int | None


Command = (
    TaskCommand
    | ChildWorkflowCommand
    | RemoteMethodCommand
    | SendSignalCommand
    | ReceiveCommand
    | InlineCommand
    | TimerCommand
)

# --- entries ------------------------------------------------------------------------------------


@record(30)
@attrs.frozen
class MethodStarted:
    """The run began.

    Attributes:
        at: Milliseconds since the epoch: what ``self.now()`` gives until the first wait ends.
        properties: Names of the workflow's properties, each with the hash of its value; None for
            the first run of a workflow, whose constructor makes them.
        values: Values by hash, for hashes that this history has not had before.
    """

    at: int
    properties: Mapping[str, bytes] | None = None
    values: Mapping[bytes, bytes] = attrs.field(factory=dict[bytes, bytes])


@record(31)
@attrs.frozen
class CommandIssued:
    """The code asked for something at a position, from a place in a file."""

    position: int
    command: Command
    location: str = ""


@record(32)
@attrs.frozen
class StepStarted:
    """The code waits, at a position, for ``step`` (as of ``steps.step_to_plain``).

    A cancellation does not interrupt a wait that is ``shielded``: the code compensates.

    Attributes:
        position: Of the wait.
        step: What for.
        location: Where in the code.
        shielded: Whether a cancellation lets it be.
        signals_used: Signals of each receive that the code has had so far, by position; only what
            is new since the wait before. None when the code did not tell.
    """

    position: int
    step: object
    location: str = ""
    shielded: bool = False
    signals_used: Mapping[int, int] | None = None


@record(33)
@attrs.frozen
class CommandCompleted:
    """The command at a position has a value."""

    position: int
    value: bytes


@record(34)
@attrs.frozen
class CommandFailed:
    """The command at a position has no value, because of ``error``."""

    position: int
    error: DeferredError


@record(35)
@attrs.frozen
class CommandRetried:
    """The task at a position runs again, as retry sequence number ``sequence``."""

    position: int
    sequence: int


@record(36)
@attrs.frozen
class SignalReceived:
    """The receive at a position got its next signal; ``value_types`` as in ``SendSignalCommand``."""

    position: int
    signal_id: str
    value: bytes
    value_types: tuple[str, ...] = ()


@record(37)
@attrs.frozen
class StepEnded:
    """The wait at a position is over; the run resumes from here.

    A later entry for the same position replaces an earlier one: the run failed there, and what it
    waited for has changed since.

    Attributes:
        position: Of the wait.
        at: Milliseconds since the epoch: what ``self.now()`` gives from here on.
        properties: As in ``MethodStarted``; None when unchanged since the entry before that has
            some.
        values: As in ``MethodStarted``.
    """

    position: int
    at: int
    properties: Mapping[str, bytes] | None = None
    values: Mapping[bytes, bytes] = attrs.field(factory=dict[bytes, bytes])


@record(38)
@attrs.frozen
class RunFailed:
    """The code raised after the last wait; the run is stalled until something is retried."""

    error: DeferredError


@record(39)
@attrs.frozen
class RunCanceled:
    """The run was cancelled, and its code may clean up; who waited for it has been told.

    Attributes:
        position: Of the wait that it interrupts, from which the code goes on, with an exception;
            None when the code shields itself: it learns of it when it next goes on.
        at: As in ``StepEnded``.
        properties: As in ``StepEnded``.
        values: As in ``StepEnded``.
    """

    position: int | None
    at: int
    properties: Mapping[str, bytes] | None = None
    values: Mapping[bytes, bytes] = attrs.field(factory=dict[bytes, bytes])


Entry = (
    MethodStarted
    | CommandIssued
    | StepStarted
    | CommandCompleted
    | CommandFailed
    | CommandRetried
    | SignalReceived
    | StepEnded
    | RunFailed
    | RunCanceled
)
