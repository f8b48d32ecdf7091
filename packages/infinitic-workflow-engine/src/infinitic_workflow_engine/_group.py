"""The messages of one workflow in a turn, applied one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from infinitic_common.exceptions import InfiniticError
from infinitic_common.messages import StateEngineMessage
from infinitic_common.transport import ReceivedMessage
from infinitic_common.workflow_tasks import WorkflowTask, WorkflowTaskResult
from infinitic_workflow_engine._core.apply import apply, apply_result
from infinitic_workflow_engine._core.remote_tasks import send_workflow_task
from infinitic_workflow_engine._core.turn import Turn


class CannotApply(InfiniticError):  # noqa: N818 - says what is the case
    """A message made the core raise; what was decided so far in the turn is void."""

    def __init__(self, received: ReceivedMessage, cause: Exception) -> None:
        super().__init__(f"message {received.id} of {received.topic} cannot be applied: {cause!r}")
        self.received = received


class Group:
    """One workflow's messages of a batch.

    Args:
        workflow_id: The workflow.
        messages: As received, decoded; in the broker's order.
    """

    turn: Turn
    """The turn in progress; there is none before ``begin``."""

    def __init__(
        self, workflow_id: str, messages: Sequence[tuple[ReceivedMessage, StateEngineMessage]]
    ) -> None:
        self.workflow_id = workflow_id
        self.messages = list(messages)
        self.from_cache = False
        """Whether the turn began with what this process remembered, not with what is stored."""
        self._next = 0

    @property
    def last_emitted_at(self) -> int:
        """The latest instant that a message of the group names."""
        return max(getattr(message, "emitted_at", 0) for _, message in self.messages)

    def begin(self, turn: Turn) -> None:
        """Start, or start again, from the first message."""
        self.turn = turn
        self._next = 0

    def without(self, received: ReceivedMessage) -> Group:
        """The group up to a message that cannot be applied; the later ones come again with it."""
        index = next(i for i, (r, _) in enumerate(self.messages) if r is received)
        return Group(self.workflow_id, self.messages[:index])

    def advance(self, *, local: bool) -> WorkflowTask | None:
        """Apply messages until workflow code must run here; None when all are applied.

        Raises:
            CannotApply: A message made the core raise.
        """
        turn = self.turn
        while True:
            if turn.task is not None:
                if local:
                    return turn.task
                send_workflow_task(turn)
            if self._next == len(self.messages):
                return None
            received, message = self.messages[self._next]
            self._next += 1
            turn.cause_body = received.body
            try:
                apply(message, turn)
            except Exception as error:
                raise CannotApply(received, error) from error

    def take_result(self, task: WorkflowTask, result: WorkflowTaskResult) -> None:
        """Take in the result of the task that ``advance`` gave.

        Raises:
            CannotApply: The result made the core raise; the message that led to it is named.
        """
        try:
            apply_result(task.method_id, result, self.turn)
        except Exception as error:
            raise CannotApply(self.messages[self._next - 1][0], error) from error
