"""What a sequential task costs: two messages and one state write, whatever else happens."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from infinitic_client import AsyncInfiniticClient
from infinitic_common import Workflow, new_service
from infinitic_common.events import EVENT_KINDS
from infinitic_common.storage import KeySetStorage, VersionedValue, Write
from infinitic_common.transport import OutgoingMessage, Topic
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import WorkflowStateEngine


class Letters(Protocol):
    def append(self, text: str, letter: str) -> str: ...


class LettersImpl:
    def append(self, text: str, letter: str) -> str:
        return text + letter


class Spelling(Protocol):
    def spell(self, count: int) -> str: ...


class SpellingImpl(Workflow, Spelling):
    letters = new_service(Letters)

    def spell(self, count: int) -> str:
        text = ""
        for _ in range(count):
            text = self.letters.append(text, "x")
        return text


class CountingTransport(InMemoryTransport):
    """Counts what workflows need; events go beside it, and are counted apart."""

    messages = 0
    told = 0

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        if topic.kind in EVENT_KINDS:
            self.told += len(messages)
        else:
            self.messages += len(messages)
        await super().publish(topic, messages)


class CountingStorage:
    """Memory, with the rows that are written counted."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self.rows = 0

    @property
    def key_values(self) -> "CountingStorage":
        return self

    @property
    def key_sets(self) -> KeySetStorage:
        return self._storage.key_sets

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        return await self._storage.key_values.get(keys)

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        self.rows += len(writes)
        return await self._storage.key_values.put(writes)

    async def delete(self, keys: Collection[str]) -> None:
        await self._storage.key_values.delete(keys)

    async def close(self) -> None:
        await self._storage.close()


async def _cost_of(tasks: int) -> tuple[int, int]:
    """Messages, and rows written."""
    transport, storage = CountingTransport(), CountingStorage()
    worker = InfiniticWorker(
        transport=transport,
        storage=storage,
        components=[
            ServiceExecutor(Letters, LettersImpl),
            WorkflowExecutor(Spelling, SpellingImpl),
            WorkflowStateEngine(Spelling),
        ],
    )
    async with worker:
        client = AsyncInfiniticClient(transport=transport, close_transport=False)
        assert await client.call(client.new_workflow(Spelling).spell, tasks) == "x" * tasks
        await client.close()
    return transport.messages, storage.rows


async def test_a_sequential_task_costs_two_messages_and_one_state_write() -> None:
    few_messages, few_rows = await _cost_of(5)
    many_messages, many_rows = await _cost_of(15)
    assert many_messages - few_messages == 2 * 10
    assert many_rows - few_rows == 10


async def test_a_workflow_costs_a_start_an_answer_and_two_writes_besides_its_tasks() -> None:
    # The second write is the one that lets it expire; it is collected, off the path of messages.
    assert await _cost_of(5) == (2 + 2 * 5, 2 + 5)
