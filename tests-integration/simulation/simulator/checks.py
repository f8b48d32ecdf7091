"""What must hold whatever goes wrong."""

from __future__ import annotations

from collections import Counter

import attrs

from infinitic_common.codec import decode
from infinitic_common.history import (
    CommandCompleted,
    CommandFailed,
    CommandIssued,
    Entry,
    SignalReceived,
    StepEnded,
    StepStarted,
)
from infinitic_common.messages import (
    AddTagToTask,
    AddTagToWorkflow,
    DispatchWorkflow,
    ExecuteTask,
    MethodCompleted,
    SendSignal,
    StartByCustomId,
)
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.tag_sets import set_key
from infinitic_common.transport import OutgoingMessage
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._storage.format import head_from_bytes, segment_keys
from infinitic_workflow_engine._storage.restoring import from_head

Place = tuple[str, str, int]
"""A command: workflow id, method id, position."""

PREFIX = "workflow.state."
RUN_AGAIN = {"retried"}
"""Methods whose code fails: the same wait ends for it again."""


class ViolationError(AssertionError):
    """Something that must hold does not."""


def require(holds: object, text: str) -> None:
    """Raise when it does not hold."""
    if not holds:
        raise ViolationError(text)


@attrs.define
class Checks:
    """Looks at each write and each message.

    Attributes:
        violations: What was wrong; collected, since components would survive an exception.
        effects: By task id, the value that its execution left, however often it ran.
        tasks: Ids of tasks of each workflow.
        signals: Every signal message, for tests that send one again.
        children: Ids of workflows that workflows start.
        tagged: Keys of the sets that ids were added to.
    """

    violations: list[str] = attrs.field(factory=list[str])
    effects: dict[str, str] = attrs.field(factory=dict[str, str])
    tasks: dict[str, set[str]] = attrs.field(factory=dict[str, set[str]])
    signals: list[SendSignal] = attrs.field(factory=list[SendSignal])
    children: set[str] = attrs.field(factory=set[str])
    tagged: set[str] = attrs.field(factory=set[str])
    states: dict[str, WorkflowState] = attrs.field(factory=dict[str, WorkflowState])
    histories: dict[tuple[str, str], list[Entry]] = attrs.field(
        factory=dict[tuple[str, str], "list[Entry]"]
    )
    _segments: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    _committed: set[Place] = attrs.field(factory=set[Place])
    _ended: set[tuple[str, str]] = attrs.field(factory=set[tuple[str, str]])
    _task_of: dict[Place, str] = attrs.field(factory=dict[Place, str])
    _place_of: dict[str, Place] = attrs.field(factory=dict[str, Place])
    _bodies: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    _results: dict[str, bytes] = attrs.field(factory=dict[str, bytes])

    def check(self, holds: object, text: str) -> None:
        """Collect what does not hold."""
        if not holds:
            self.violations.append(text)

    # --- effects of tasks ------------------------------------------------------------------

    def executed(self, workflow_id: str, task_id: str, value: str) -> None:
        """A task has had its effect."""
        self.check(
            self.effects.setdefault(task_id, value) == value,
            f"task {task_id} had the effects {self.effects[task_id]!r} and {value!r}",
        )
        self.tasks.setdefault(workflow_id, set()).add(task_id)

    # --- writes ----------------------------------------------------------------------------

    def written(self, key: str, value: bytes) -> None:
        """A record was written."""
        if not key.startswith(PREFIX):
            self._segments[key] = value
            return
        head = head_from_bytes(value)
        missing = [k for k in segment_keys(head) if k not in self._segments]
        self.check(not missing, f"{key} refers to segments never written: {missing}")
        if missing:
            return
        state = from_head(head, self._segments, 1)
        for method_id, run in state.methods.items():
            again = run.method_name in RUN_AGAIN
            self._history(state.workflow_id, method_id, list(run.log.entries), again=again)
        self._ended |= {(state.workflow_id, method_id) for method_id in state.outcomes}
        before = self.states.get(key)
        if before is not None:
            self._still_there(before, state)
        self.states[key] = state

    def _still_there(self, before: WorkflowState, after: WorkflowState) -> None:
        name = after.workflow_id
        for method_id, outcome in before.outcomes.items():
            self.check(after.outcomes.get(method_id) == outcome, f"{name} has ended twice")
        for method_id in before.methods:
            self.check(
                method_id in after.methods or method_id in after.outcomes,
                f"{name} forgot its method run {method_id}",
            )

    def _history(
        self, workflow_id: str, method_id: str, entries: list[Entry], *, again: bool
    ) -> None:
        run = (workflow_id, method_id)
        before = self.histories.get(run, [])
        self.check(entries[: len(before)] == before, f"the history of {workflow_id} was rewritten")
        self.histories[run] = entries
        for kind, number in Counter(map(_decision, entries)).items():
            may_repeat = kind is None or (again and kind[0] == "end of step")
            self.check(may_repeat or number == 1, f"{workflow_id} has {kind} {number} times")
        for entry in entries[len(before) :]:
            if isinstance(entry, CommandIssued):
                self._committed.add((workflow_id, method_id, entry.position))

    # --- messages --------------------------------------------------------------------------

    def published(self, actor: str, message: OutgoingMessage) -> None:
        """An actor publishes a message."""
        body = decode(message.body)
        if isinstance(body, SendSignal):
            self.signals.append(body)
        elif isinstance(body, AddTagToWorkflow):
            self.tagged.add(set_key("workflow", body.workflow_name, body.tag))
        elif isinstance(body, AddTagToTask):
            self.tagged.add(set_key("task", body.service_name, body.tag))
        elif isinstance(body, StartByCustomId):
            self.tagged.add(set_key("workflow", body.workflow_name, body.tag))
        elif isinstance(body, DispatchWorkflow):
            if isinstance(body.requester, WorkflowRequester):
                self.children.add(body.workflow_id)
        elif isinstance(body, ExecuteTask):
            self._dispatched(body)
        elif isinstance(body, MethodCompleted):
            value = self._results.setdefault(body.method_id, body.value)
            self.check(value == body.value, f"clients are told two results of {body.method_id}")
        if actor == "engine" and not isinstance(decode(message.body), MethodCompleted):
            same = self._bodies.setdefault(message.id, message.body) == message.body
            self.check(same or _is_answer(body), f"message {message.id} has two bodies: {body}")

    def _dispatched(self, task: ExecuteTask) -> None:
        requester = task.requester
        if not isinstance(requester, WorkflowRequester):
            return
        place = (requester.workflow_id, requester.method_id, requester.position)
        # Of a run that began and was cancelled in one turn only the outcome is stored.
        committed = place in self._committed or place[:2] in self._ended
        self.check(committed, f"task of {place} is published before its commit")
        ids = self._task_of.setdefault(place, task.task_id)
        self.check(ids == task.task_id, f"{place} has the task ids {ids} and {task.task_id}")
        places = self._place_of.setdefault(task.task_id, place)
        self.check(places == place, f"{places} and {place} have the same task id")


def _is_answer(body: object) -> bool:
    return type(body).__name__ in {"QueryAnswered", "TimerCompleted", "ExecuteWorkflowTask"}


def _decision(entry: Entry) -> tuple[object, ...] | None:
    """What may be in a history only once."""
    match entry:
        case CommandIssued(position=position) | StepStarted(position=position):
            return ("position", position)
        case CommandCompleted(position=position) | CommandFailed(position=position):
            return ("outcome", position)
        case StepEnded(position=position):
            return ("end of step", position)
        case SignalReceived(signal_id=signal_id):
            return ("signal", signal_id)
        case _:
            return None
