"""Turns whose code takes long, and what is forgotten when their batch is tried again."""

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence

import pytest

from infinitic_common.command_ids import command_id
from infinitic_common.exceptions import StorageUnavailable
from infinitic_common.history import CommandIssued, TaskCommand
from infinitic_common.messages import DispatchWorkflow, TaskCompleted, to_outgoing, topic_of
from infinitic_common.requesters import ClientRequester
from infinitic_common.storage import VersionedValue, Write
from infinitic_common.transport import Deferral, OutgoingMessage, ReceivedMessage, Topic
from infinitic_common.workflow_tasks import StepAwaited, WorkflowTask, WorkflowTaskResult
from infinitic_workflow_engine._core.turn import Limits
from infinitic_workflow_engine._group import Group
from infinitic_workflow_engine._storage.states import KeyValueWorkflowStateStorage, Retention
from infinitic_workflow_engine._turns import Turns

COMMAND = CommandIssued(0, TaskCommand("Util", "reverse", ()))


class Records:
    """A store whose next write can fail."""

    def __init__(self) -> None:
        self.records: dict[str, VersionedValue] = {}
        self.is_away = False

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        return {key: self.records[key] for key in keys if key in self.records}

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        if self.is_away:
            msg = "the store is away"
            raise StorageUnavailable(msg)
        for key, write in writes.items():
            self.records[key] = VersionedValue(write.value, write.expected_version + 1)
        return dict.fromkeys(writes, True)

    async def delete(self, keys: Collection[str]) -> None:
        """Nothing is deleted here."""


class Slow:
    """Runs workflow code; that of the workflow ``slow`` ends when the test says so."""

    workflow_name = "Flow"

    def __init__(self) -> None:
        self._late: list[tuple[WorkflowTask, asyncio.Future[WorkflowTaskResult]]] = []
        self.tasks: list[WorkflowTask] = []
        self.discarded: list[str] = []

    async def run(
        self, tasks: Sequence[WorkflowTask], *, patience: float | None = None
    ) -> Sequence[WorkflowTaskResult | Awaitable[WorkflowTaskResult]]:
        self.tasks += tasks
        return [
            self._later(task) if task.workflow_id == "slow" and patience else _result(task)
            for task in tasks
        ]

    def _later(self, task: WorkflowTask) -> asyncio.Future[WorkflowTaskResult]:
        future = asyncio.get_running_loop().create_future()
        self._late.append((task, future))
        return future

    def go_on(self) -> None:
        for task, future in self._late:
            if not future.done():
                future.set_result(_result(task))

    def confirm(self, versions: Mapping[str, int]) -> None:
        """Nothing is kept."""

    def discard(self, workflow_ids: Sequence[str]) -> None:
        self.discarded += workflow_ids

    def forget(self, workflow_ids: Sequence[str], method_ids: Sequence[str]) -> None:
        """Nothing is kept."""


class Transport:
    max_message_bytes = 5_000_000

    def __init__(self) -> None:
        self.published: list[OutgoingMessage] = []

    def now(self) -> int:
        return 1000

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        del topic
        self.published += messages


class Shell:
    def __init__(self, records: Records | None = None) -> None:
        self.records, self.code, self.transport = records or Records(), Slow(), Transport()
        states = KeyValueWorkflowStateStorage(
            self.records,  # type: ignore[arg-type]  # a double
            Retention(),
        )
        self.turns = Turns(
            self.transport,  # type: ignore[arg-type]  # a double
            states,
            self.code,
            limits=Limits(),
            cached_entries=1000,
        )

    async def take(self, *workflow_ids: str) -> list[ReceivedMessage | Deferral]:
        return await self.turns.take([_group(workflow_id) for workflow_id in workflow_ids])


def _result(task: WorkflowTask) -> WorkflowTaskResult:
    """The code of every workflow: one task after the other, for ever."""
    waits = sum(type(entry).__name__ == "StepStarted" for entry in task.history)
    command = CommandIssued(2 * waits, COMMAND.command)
    return WorkflowTaskResult(task.task_id, 0, (command,), StepAwaited(2 * waits + 1, 2 * waits))


def _group(workflow_id: str) -> Group:
    message = DispatchWorkflow(
        f"m-{workflow_id}", "Flow", workflow_id, "run", (), frozenset(), {},
        ClientRequester("c"), client_waiting=True, emitted_at=1,
    )  # fmt: skip
    return _group_of(workflow_id, message)


def _completion(workflow_id: str, position: int) -> Group:
    task_id = command_id(workflow_id, workflow_id, position)
    message = TaskCompleted(
        f"done-{task_id}", "Flow", workflow_id, workflow_id, position, task_id, b"v", {}, 1
    )
    return _group_of(workflow_id, message)


def _group_of(workflow_id: str, message: DispatchWorkflow | TaskCompleted) -> Group:
    out = to_outgoing(message)
    received = ReceivedMessage(out.id, topic_of(message), out.body, out.key, out.properties, 1, 0)
    return Group(workflow_id, [(received, message)])


async def test_a_workflow_whose_code_takes_long_goes_on_alone() -> None:
    shell = Shell()
    [late] = await shell.take("fast", "slow")
    assert isinstance(late, Deferral)
    assert len(shell.transport.published) == 1
    shell.code.go_on()
    assert await late.answer == []
    assert len(shell.transport.published) == 2


async def test_a_workflow_put_off_is_forgotten_when_its_batch_is_tried_again() -> None:
    shell = Shell()
    shell.records.is_away = True
    with pytest.raises(StorageUnavailable):
        await shell.take("fast", "slow")
    assert set(shell.code.discarded) == {"fast", "slow"}
    assert shell.transport.published == []
    shell.records.is_away = False
    [late] = await shell.take("fast", "slow")
    assert isinstance(late, Deferral)
    shell.code.go_on()
    assert await late.answer == []
    # The second try began from nothing: what the first one had decided was not written.
    entries = [type(e).__name__ for e in shell.code.tasks[-1].history]
    assert entries == ["MethodStarted", "CommandIssued", "StepStarted"]
    assert len(shell.transport.published) == 2


async def test_a_workflow_put_off_whose_write_fails_is_forgotten_too() -> None:
    shell = Shell()
    [late] = await shell.take("slow")
    assert isinstance(late, Deferral)
    shell.code.go_on()
    shell.records.is_away = True
    with pytest.raises(StorageUnavailable):
        await late.answer
    assert shell.code.discarded == ["slow"]
    assert shell.transport.published == []


async def test_a_result_is_not_dropped_because_of_a_state_that_another_process_has_changed() -> (
    None
):
    records = Records()
    one, other = Shell(records), Shell(records)
    await one.take("w")
    # The keys go to another process, which goes on to the next task, and come back.
    await other.turns.take([_completion("w", 0)])
    assert [message.id for message in other.transport.published] == [command_id("w", "w", 2)]
    await one.turns.take([_completion("w", 2)])
    assert [message.id for message in one.transport.published] == [
        command_id("w", "w", 0),
        command_id("w", "w", 4),
    ]
    assert one.code.discarded == ["w"]


async def test_a_message_that_changes_nothing_is_settled_when_the_state_is_current() -> None:
    shell = Shell()
    await shell.take("w")
    assert await shell.turns.take([_completion("w", 40)]) == []
    assert shell.code.discarded == []
