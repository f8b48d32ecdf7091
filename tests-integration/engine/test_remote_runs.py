"""Workflow code in another process goes on where it stopped, task after task."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Protocol

import pytest

from infinitic_client import AsyncInfiniticClient
from infinitic_common import Channel, Workflow, channel, new_service
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_transport import InMemoryTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine


class Letters(Protocol):
    def append(self, text: str, letter: str) -> str: ...


class LettersImpl:
    def append(self, text: str, letter: str) -> str:
        return text + letter


class Spelling(Protocol):
    letters_sent: Channel[str] = channel()

    def spell(self, count: int) -> str: ...
    def gather(self, count: int) -> list[str]: ...


class SpellingImpl(Workflow, Spelling):
    letters = new_service(Letters)
    starts: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def spell(self, count: int) -> str:
        self.starts.append("spell")
        text = ""
        for _ in range(count):
            text = self.letters.append(text, "x")
        return text

    def gather(self, count: int) -> list[str]:
        self.starts.append("gather")
        received = self.letters_sent.receive()
        gathered: list[str] = []
        for _ in range(count):
            gathered.append(self.letters.append(received.result(), self.inline(lambda: "!")))
            self.lengths.append(len(gathered))
        return gathered


@pytest.fixture(autouse=True)
def _no_starts() -> None:
    SpellingImpl.starts.clear()


@asynccontextmanager
async def _client() -> AsyncIterator[AsyncInfiniticClient]:
    """A client of a worker whose engine sends its workflow tasks."""
    transport = InMemoryTransport()
    worker = InfiniticWorker(
        transport=transport,
        storage=MemoryStorage(),
        components=[
            ServiceExecutor(Letters, LettersImpl),
            WorkflowExecutor(Spelling, SpellingImpl),
            WorkflowStateEngine(Spelling, StateEngineOptions(remote_workflow_tasks=True)),
        ],
    )
    async with worker, AsyncInfiniticClient(transport=transport, close_transport=False) as client:
        yield client


async def test_300_sequential_tasks_run_each_line_once() -> None:
    async with _client() as client:
        assert await client.call(client.new_workflow(Spelling).spell, 300) == "x" * 300

    assert SpellingImpl.starts == ["spell"]


async def test_properties_signals_and_inline_values_do_not_need_a_replay() -> None:
    async with _client() as client:
        deferred = await client.dispatch(client.new_workflow(Spelling).gather, 5)
        stub = client.get_workflow_by_id(Spelling, deferred.id)
        for letter in "abcde":
            await client.send(stub.letters_sent, letter)
        assert await deferred.result() == ["a!", "b!", "c!", "d!", "e!"]

    assert SpellingImpl.starts == ["gather"]
