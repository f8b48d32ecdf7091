# ruff: noqa: S101 - what the driver expects of a test
"""A workflow's core, driven by hand: messages in, decisions out, no I/O."""

import itertools
from collections.abc import Sequence

import pytest

from infinitic_common.command_ids import command_id
from infinitic_common.failures import ExceptionDetail, TaskFailure
from infinitic_common.history import Command, CommandIssued
from infinitic_common.messages import (
    DispatchWorkflow,
    Message,
    SendSignal,
    StateEngineMessage,
    TaskCompleted,
    TaskFailed,
    from_received,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.transport import ReceivedMessage
from infinitic_common.workflow_tasks import StepAwaited, WorkflowTask, WorkflowTaskResult
from infinitic_workflow_engine._core.apply import apply, apply_result
from infinitic_workflow_engine._core.emissions import drop_done
from infinitic_workflow_engine._core.remote_tasks import send_workflow_task
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._core.turn import Emission, Limits, Turn
from infinitic_workflow_engine._storage.format import head_from_bytes, to_bytes
from infinitic_workflow_engine._storage.restoring import from_head

ID = "w1"
CLIENT = ClientRequester("client-1")


class Drive:
    """One workflow: each turn is committed as the shell would."""

    def __init__(self) -> None:
        self.state: WorkflowState | None = None
        self.task: WorkflowTask | None = None
        self.now = 1000
        self.max_bytes = 5_000_000
        self.limits = Limits()
        self.delays: dict[str, int | None] = {}
        self.notes: list[str] = []
        self.remote = False
        """Whether workflow tasks leave as messages."""
        self._numbers = itertools.count(1)

    def send(self, *messages: StateEngineMessage) -> list[Message]:
        """Apply messages in one turn up to the workflow task it asks for; what it publishes."""
        turn = self._turn()
        for message in messages:
            apply(message, turn)
        return self._end(turn)

    def answer(
        self,
        commands: Sequence[tuple[int, Command]] = (),
        *,
        waits: tuple[int, object] | None = None,
        value: bytes | None = None,
        **more: object,
    ) -> list[Message]:
        """Give the result of the workflow task that was asked for."""
        task = self.task
        assert task is not None
        issued = tuple(CommandIssued(position, command) for position, command in commands)
        step = StepAwaited(*waits) if waits is not None else None
        result = WorkflowTaskResult(task.task_id, 0, issued, step, value, **more)  # type: ignore[arg-type]  # any of them
        turn = self._turn()
        turn.task = task
        apply_result(task.method_id, result, turn)
        return self._end(turn)

    def reload(self) -> None:
        """Read the state back from its stored form."""
        assert self.state is not None
        head = head_from_bytes(to_bytes(self.state))
        self.state = from_head(head, {}, self.state.version)

    def confirm(self) -> None:
        """The broker has everything."""
        assert self.state is not None
        self.state.outbox.confirmed = list(self.state.outbox.entries)

    def told(self, *messages: StateEngineMessage) -> list[str]:
        """As ``send``, but gives the names of what it publishes."""
        return [type(message).__name__ for message in self.send(*messages)]

    def _turn(self) -> Turn:
        turn = Turn(ID, next(self._numbers), self.now, self.max_bytes, self.state)
        turn.limits = self.limits
        return turn

    def _end(self, turn: Turn) -> list[Message]:
        if self.remote:
            send_workflow_task(turn)
        self.state, self.task = turn.state, turn.task
        self.notes += turn.notes
        self.delays |= {e.message.id: e.message.deliver_at for e in turn.emissions}
        if turn.state is not None and turn.changed:
            drop_done(turn.state)
            turn.state.outbox.add(turn.causes, turn.effects)
            turn.state.version += 1
        return [_message(emission) for emission in turn.emissions]


def _message(emission: Emission) -> Message:
    out = emission.message
    return from_received(ReceivedMessage(out.id, emission.topic, out.body, out.key, {}, 1, 0))


@pytest.fixture
def drive() -> Drive:
    return Drive()


def _start(*, waiting: bool = True) -> DispatchWorkflow:
    return DispatchWorkflow(
        "start", "Flow", ID, "run", (b"a",), frozenset({"tag"}), {}, CLIENT, waiting, 1
    )


def _completed(position: int, value: bytes = b"v", method_id: str = ID) -> TaskCompleted:
    task_id = command_id(ID, method_id, position)
    return TaskCompleted(f"done-{task_id}", "Flow", ID, method_id, position, task_id, value, {}, 1)


def _failed(position: int, sequence: int = 0) -> TaskFailed:
    task_id = command_id(ID, ID, position)
    failure = TaskFailure("w", sequence, 0, None, "trace", ExceptionDetail("ValueError", "sorry"))
    return TaskFailed(
        f"failed-{task_id}-{sequence}", "Flow", ID, ID, position, task_id, "Util", "reverse",
        failure, 1,
    )  # fmt: skip


def _signal(signal_id: str, channel: str = "approvals") -> SendSignal:
    return SendSignal(f"m-{signal_id}", "Flow", ID, channel, signal_id, b"\x01", (), CLIENT, 1)


@pytest.fixture
def start() -> object:
    return _start


@pytest.fixture
def completed() -> object:
    return _completed


@pytest.fixture
def signal() -> object:
    return _signal


@pytest.fixture
def failed() -> object:
    return _failed
