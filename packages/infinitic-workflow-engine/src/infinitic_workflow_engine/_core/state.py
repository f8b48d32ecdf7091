"""The state of a workflow: what is decided from, and what is stored. Values only.

What is derived from a log (which commands are running, what a run waits for) is kept beside it and
rebuilt when the state is loaded.
"""

from __future__ import annotations

import attrs

from infinitic_common.codec import record
from infinitic_common.failures import DeferredError
from infinitic_common.history import Command, Entry
from infinitic_common.requesters import Requester, WorkflowRequester
from infinitic_common.steps import Outcome, Step
from infinitic_workflow_engine._core.log import Log
from infinitic_workflow_engine._core.mailbox import Mailbox
from infinitic_workflow_engine._core.outbox import Outbox

LeafKey = tuple[int, int]
"""Position and index of a leaf of a step."""


@attrs.define
class PendingStep:
    """What a run waits for.

    Attributes:
        position: Of the wait.
        step: What for.
        leaves: Its leaves.
        missing: Leaves without outcome.
        plain: A leaf or an "all" of leaves: it is ended by a success only when nothing is missing.
        resolved: The order of the outcome that ended it; None while it waits.
    """

    position: int
    step: Step
    leaves: frozenset[LeafKey]
    missing: set[LeafKey]
    plain: bool
    resolved: int | None = None


@record(214)
@attrs.frozen
class PendingRetry:
    """The code of a run failed, and runs again by the retry policy of its executor.

    Attributes:
        task_id: The workflow task that failed.
        index: Automatic retries before it.
        due: When the code runs again, in milliseconds since the epoch.
        error: Why it failed.
    """

    task_id: str
    index: int
    due: int
    error: DeferredError


@attrs.define
class MethodRun:
    """One run of a method.

    Attributes:
        method_id: Its id; the main run has the id of the workflow.
        method_name: The method.
        arguments: Encoded.
        requester: Who started it.
        waiting_clients: Names of clients to tell when it ends or fails.
        waiting_workflows: Commands of other workflows to tell, besides the one that started it.
        log: Its history; empty until its first workflow task.
        returned: Its code is done; the run stays until its tasks have ended.
        commands: What it issued, by position.
        outcomes: How leaves ended.
        signal_counts: Signals that each receive got, by position.
        signals_used: Signals of each receive that its code had as of its last wait, by position;
            None when the code did not tell.
        pending: What it waits for.
        stalled: Why its code failed; None while all is well.
        retry: Its code failed, and runs again by itself.
        retries: How often it did so, since it last did its work.
        ongoing: Positions of tasks, children and remote methods without outcome.
        sequences: Manual retries of tasks, by position.
        resumed_at: Number of entries up to the one that last let the code go on.
        known_values: Hashes of property values that the log has.
        snapshot: The last snapshot of properties in the log.
        shielded: Its wait is not interrupted by a cancellation.
        canceled: Its log has the cancellation.
        stored: What of its stored form never changes, once it was stored.
    """

    method_id: str
    method_name: str
    arguments: tuple[bytes, ...]
    requester: Requester
    waiting_clients: list[str] = attrs.field(factory=list[str])
    waiting_workflows: list[WorkflowRequester] = attrs.field(factory=list[WorkflowRequester])
    log: Log[Entry] = attrs.field(factory=Log[Entry])
    returned: bool = False
    commands: dict[int, Command] = attrs.field(factory=dict[int, Command])
    outcomes: dict[LeafKey, Outcome] = attrs.field(factory=dict[LeafKey, Outcome])
    signal_counts: dict[int, int] = attrs.field(factory=dict[int, int])
    signals_used: dict[int, int] | None = attrs.field(factory=dict[int, int])
    pending: PendingStep | None = None
    stalled: DeferredError | None = None
    retry: PendingRetry | None = None
    retries: int = 0
    ongoing: set[int] = attrs.field(factory=set[int])
    sequences: dict[int, int] = attrs.field(factory=dict[int, int])
    resumed_at: int = 0
    known_values: set[bytes] = attrs.field(factory=set[bytes])
    snapshot: dict[str, bytes] | None = None
    shielded: bool = False
    canceled: bool = False
    stored: bytes = attrs.field(default=b"", eq=False, repr=False)

    @property
    def finished(self) -> bool:
        """It returned, and nothing that it dispatched is running."""
        return self.returned and not self.ongoing


@record(213)
@attrs.frozen
class Receiver:
    """A receive that takes signals: of which run, at which position."""

    method_id: str
    position: int


@record(210)
@attrs.frozen
class MethodOutcome:
    """How a method run ended, or failed for now.

    ``generation`` tells several failures of one run apart.
    """

    method_id: str
    method_name: str
    value: bytes | None
    error: DeferredError | None
    ended_at: int
    generation: int = 0


@record(212)
@attrs.frozen
class RunningTask:
    """The workflow task that another process runs: until when, and sent how often before.

    ``ends_timers`` tells that timers were to end while it runs: those that it starts end at once.
    """

    task_id: str
    method_id: str
    due: int
    attempt: int
    ends_timers: bool = False


@attrs.define
class WorkflowState:
    """All that is known of one workflow.

    Attributes:
        version: Of the stored record; 0 before the first write.
        workflow_version: Version of the class, pinned by the first workflow task.
        started: False for a record that only keeps signals which overtook their start.
        methods: Runs, by method id, oldest first.
        ready: Ids of runs that wait for their workflow task, in order.
        running: The remote workflow task in progress.
        properties: Hash of each property's current value.
        values: Values by hash, for hashes in ``properties``.
        receivers: Receives that take signals, by channel, oldest first.
        mailbox: Signals nobody took yet, in order of arrival.
        discarding: Channels that drop what nobody waits for.
        signal_ids: Ids of all signals that live runs and the mailbox hold.
        outcomes: How ended runs ended, by method id.
        outbox: What was emitted and is not known to have reached the broker; and known messages.
        ended_at: When the last run ended; None before.
        garbage: Keys of segments that nothing refers to.
        dirty: The message being applied has changed something.
        stored: What of its stored form seldom changes, and what that depends on; None before it was
            stored.
    """

    workflow_id: str
    workflow_name: str
    version: int = 0
    workflow_version: int | None = None
    tags: frozenset[str] = frozenset()
    meta: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    started: bool = True
    created_at: int = 0
    methods: dict[str, MethodRun] = attrs.field(factory=dict[str, MethodRun])
    ready: list[str] = attrs.field(factory=list[str])
    running: RunningTask | None = None
    properties: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    values: dict[bytes, bytes] = attrs.field(factory=dict[bytes, bytes])
    receivers: dict[str, list[Receiver]] = attrs.field(factory=dict[str, list[Receiver]])
    mailbox: Mailbox = attrs.field(factory=Mailbox)
    discarding: frozenset[str] = frozenset()
    signal_ids: set[str] = attrs.field(factory=set[str])
    outcomes: dict[str, MethodOutcome] = attrs.field(factory=dict[str, MethodOutcome])
    outbox: Outbox = attrs.field(factory=Outbox)
    ended_at: int | None = None
    garbage: list[str] = attrs.field(factory=list[str])
    dirty: bool = False
    stored: tuple[tuple[bool, int | None], bytes] | None = attrs.field(
        default=None, eq=False, repr=False
    )
