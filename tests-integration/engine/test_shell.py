"""The state engine's shell over real in-memory parts: what it writes, when it publishes."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence

import pytest

from infinitic_common.events import EVENT_KINDS
from infinitic_common.exceptions import StorageUnavailable, TransportUnavailable
from infinitic_common.history import CommandIssued, TaskCommand
from infinitic_common.messages import (
    DispatchWorkflow,
    Message,
    from_received,
    to_outgoing,
    topic_of,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.storage import VersionedValue, Write
from infinitic_common.transport import OutgoingMessage, ReceivedMessage, Topic, TopicKind
from infinitic_common.workflow_tasks import (
    StepAwaited,
    WorkflowTask,
    WorkflowTaskResult,
)
from infinitic_storage import MemoryStorage
from infinitic_workflow_engine import WorkflowStateEngine
from infinitic_workflow_engine._storage.states import state_key


class OneTask:
    """Runs workflow code that dispatches one task and waits for it; counts what it is asked."""

    workflow_name = "Flow"

    def __init__(self) -> None:
        self.runs = 0
        self.discarded: list[str] = []

    async def run(
        self,
        tasks: Sequence[WorkflowTask],
        *,
        patience: float | None = None,  # noqa: ARG002 - the port's
    ) -> Sequence[WorkflowTaskResult]:
        self.runs += len(tasks)
        command = CommandIssued(0, TaskCommand("Util", "reverse", (b"\x01",)))
        return [
            WorkflowTaskResult(task.task_id, 0, (command,), StepAwaited(1, 0)) for task in tasks
        ]

    def confirm(self, versions: Mapping[str, int]) -> None:
        """Nothing is kept."""

    def discard(self, workflow_ids: Sequence[str]) -> None:
        self.discarded += workflow_ids

    def forget(self, workflow_ids: Sequence[str], method_ids: Sequence[str]) -> None:
        """Nothing is kept."""


class CountingStorage:
    """Memory, with calls counted, and faults on demand."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self.inner = self._storage.key_values
        self.key_sets = self._storage.key_sets
        self.gets: list[list[str]] = []
        self.puts: list[list[str]] = []
        self.refuse_next = False
        self.lose_answer_next = False

    @property
    def key_values(self) -> "CountingStorage":
        return self

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        self.gets.append(sorted(keys))
        return await self.inner.get(keys)

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        self.puts.append(sorted(writes))
        if self.refuse_next:
            self.refuse_next = False
            return dict.fromkeys(writes, False)
        result = await self.inner.put(writes)
        if self.lose_answer_next:
            self.lose_answer_next = False
            msg = "the connection broke after the write"
            raise StorageUnavailable(msg)
        return result

    async def delete(self, keys: Collection[str]) -> None:
        await self.inner.delete(keys)

    async def close(self) -> None:
        """Nothing to release."""


class Consuming:
    """A subscription whose handler the test calls."""

    async def stop(self, grace_seconds: float) -> None:
        """Nothing runs."""


class Host:
    """Gives the engine its parts and records what it publishes."""

    worker_name = "worker"
    client = None
    name = "worker"
    max_message_bytes = 5_000_000

    def __init__(self) -> None:
        self.transport = self
        self.counting = CountingStorage()
        self.handler = OneTask()
        self.published: list[tuple[Topic, OutgoingMessage]] = []
        self.told: list[tuple[Topic, OutgoingMessage]] = []
        self.handlers: dict[str, object] = {}
        self.broker_away = False

    def storage(self, configuration: object = None) -> CountingStorage:  # noqa: ARG002 - the port's
        return self.counting

    def workflow_task_handler(self, workflow_name: str) -> OneTask:  # noqa: ARG002 - the port's
        return self.handler

    def now(self) -> int:
        return 1000

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        if self.broker_away:
            msg = "the broker is away"
            raise TransportUnavailable(msg)
        published = self.told if topic.kind in EVENT_KINDS else self.published
        published += [(topic, message) for message in messages]

    async def consume(self, subscription: object, handler: object) -> Consuming:
        self.handlers[subscription.name] = handler  # type: ignore[attr-defined]  # of a subscription
        return Consuming()

    async def deliver(self, *messages: Message) -> object:
        return await self.handlers["workflow-state-engine"](  # type: ignore[operator]  # a handler
            [received(message) for message in messages]
        )

    def kinds(self) -> list[TopicKind]:
        return [topic.kind for topic, _ in self.published]


def received(message: Message) -> ReceivedMessage:
    out = to_outgoing(message)
    return ReceivedMessage(out.id, topic_of(message), out.body, out.key, out.properties, 1, 0)


def start(workflow_id: str) -> DispatchWorkflow:
    return DispatchWorkflow(
        message_id=f"m-{workflow_id}",
        workflow_name="Flow",
        workflow_id=workflow_id,
        method_name="run",
        arguments=(),
        tags=frozenset(),
        meta={},
        requester=ClientRequester("c"),
        client_waiting=True,
        emitted_at=1,
    )


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    engine = WorkflowStateEngine("Flow")
    await engine.start(host)  # type: ignore[arg-type]  # a double
    yield host
    await engine.stop(1)


async def test_engine_01_a_new_workflow_is_read_then_stored_as_version_1(host: Host) -> None:
    assert await host.deliver(start("w1")) == []
    assert host.counting.gets == [[state_key("w1")]]
    stored = await host.counting.inner.get([state_key("w1")])
    assert stored[state_key("w1")].version == 1
    assert host.kinds() == [TopicKind.SERVICE_EXECUTOR]


async def test_engine_02_a_refused_write_publishes_nothing_and_is_decided_again(
    host: Host,
) -> None:
    host.counting.refuse_next = True
    await host.deliver(start("w1"))
    assert len(host.counting.puts) == 2
    assert len(host.counting.gets) == 2
    assert host.handler.discarded == ["w1"]
    assert host.kinds() == [TopicKind.SERVICE_EXECUTOR]


async def test_engine_04_two_workflows_are_one_read_and_one_write(host: Host) -> None:
    await host.deliver(start("w1"), start("w2"))
    assert host.counting.gets == [[state_key("w1"), state_key("w2")]]
    assert host.counting.puts == [[state_key("w1"), state_key("w2")]]


async def test_engine_06_an_empty_batch_does_not_touch_the_store(host: Host) -> None:
    await host.deliver()
    assert host.counting.gets == []
    assert host.counting.puts == []


async def test_rel_11_a_message_delivered_again_changes_nothing(host: Host) -> None:
    await host.deliver(start("w1"))
    await host.deliver(start("w1"))
    assert len(host.counting.puts) == 1
    assert len(host.published) == 1


async def test_what_was_written_but_not_published_is_published_when_delivered_again(
    host: Host,
) -> None:
    host.broker_away = True
    with pytest.raises(TransportUnavailable):
        await host.deliver(start("w1"))
    host.broker_away = False
    await host.deliver(start("w1"))
    assert len(host.counting.puts) == 1
    assert host.kinds() == [TopicKind.SERVICE_EXECUTOR]


async def test_a_write_of_unknown_outcome_is_read_again_and_not_decided_twice(
    host: Host,
) -> None:
    host.counting.lose_answer_next = True
    with pytest.raises(StorageUnavailable):
        await host.deliver(start("w1"))
    assert host.published == []
    await host.deliver(start("w1"))
    assert host.handler.runs == 1
    [(_, task)] = host.published
    message = from_received(
        ReceivedMessage("x", Topic(TopicKind.SERVICE_EXECUTOR, "Util"), task.body, None, {}, 1, 0)
    )
    assert message.message_id == task.id


async def test_a_message_that_cannot_be_decoded_comes_back_alone(host: Host) -> None:
    good = received(start("w1"))
    broken = ReceivedMessage("bad", good.topic, b"\xff\xff", "w2", {}, 1, 0)
    answer = await host.handlers["workflow-state-engine"]([broken, good])  # type: ignore[operator]  # a handler
    assert answer == [broken]
    assert host.kinds() == [TopicKind.SERVICE_EXECUTOR]
