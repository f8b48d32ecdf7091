"""A transport that records what a client publishes, and answers as it is told."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from infinitic_client import AsyncInfiniticClient, InfiniticClient
from infinitic_client._cli import running
from infinitic_client.cli import main
from infinitic_common.codec import decode
from infinitic_common.messages import ClientMessage, to_outgoing
from infinitic_common.transport import (
    Counts,
    Handler,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
)

sys.path.insert(0, str(Path(__file__).parent))

from cli_engines import Engines, Run


class RecordedConsumption:
    def __init__(self) -> None:
        self.counts = Counts()
        self.is_stopped = False

    async def stop(self, grace_seconds: float) -> None:
        del grace_seconds
        self.is_stopped = True


class RecordingTransport:
    """A ``Transport`` without a broker.

    Attributes:
        published: Every message, with its topic, in the order published.
        calls: The topic of each call of ``publish``.
        reply: Makes the answer to a message; None for no answer.
        failure: What ``publish`` raises; None for nothing.
    """

    def __init__(self) -> None:
        self.name = "client-1"
        self.max_message_bytes = 10_000
        self.published: list[tuple[Topic, object]] = []
        self.calls: list[Topic] = []
        self.subscriptions: list[Subscription] = []
        self.consumptions: list[RecordedConsumption] = []
        self.reply: Callable[[object], ClientMessage | None] = lambda _: None
        self.failure: Exception | None = None
        self.is_closed = False
        self._handlers: list[Handler] = []
        self._more = asyncio.Event()
        self._failures = 0

    def now(self) -> int:
        return 1000

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        await asyncio.sleep(0)
        if self.failure is not None:
            self._failures += 1
            self._more.set()
            raise self.failure
        self.calls.append(topic)
        for outgoing in messages:
            message = decode(outgoing.body)
            self.published.append((topic, message))
            self._more.set()
            if (answer := self.reply(message)) is not None:
                await self.answer(answer)

    async def has_published(self, count: int) -> None:
        """Wait until that many messages are published."""
        while len(self.published) < count:
            self._more.clear()
            await self._more.wait()

    async def has_failed(self, count: int) -> None:
        """Wait until that many calls of ``publish`` have failed."""
        while self._failures < count:
            self._more.clear()
            await self._more.wait()

    async def consume(self, subscription: Subscription, handler: Handler) -> RecordedConsumption:
        await asyncio.sleep(0)
        self.subscriptions.append(subscription)
        self._handlers.append(handler)
        self.consumptions.append(RecordedConsumption())
        return self.consumptions[-1]

    async def close(self) -> None:
        self.is_closed = True

    async def answer(self, message: ClientMessage) -> None:
        """Deliver an answer to the client."""
        outgoing = to_outgoing(message)
        topic = self.subscriptions[0].topics[0]
        received = ReceivedMessage(outgoing.id, topic, outgoing.body, None, {}, 1, self.now())
        for handler in self._handlers:
            returned = await handler([received])
            if returned:
                pytest.fail(f"the client gave an answer back: {returned}")

    @property
    def messages(self) -> list[object]:
        """The messages, in the order published."""
        return [message for _, message in self.published]


@pytest.fixture
def transport() -> RecordingTransport:
    return RecordingTransport()


@pytest.fixture
async def client(transport: RecordingTransport) -> AsyncIterator[AsyncInfiniticClient]:
    async with AsyncInfiniticClient(transport=transport) as one:
        yield one


@pytest.fixture
def blocking(transport: RecordingTransport) -> Iterator[InfiniticClient]:
    with InfiniticClient(transport=transport) as one:
        yield one


@pytest.fixture
def engines(transport: RecordingTransport) -> Engines:
    transport.reply = Engines()
    return transport.reply


BROKER = """\
transport:
  pulsar: {brokerServiceUrl: "pulsar://b", webServiceUrl: "http://b", tenant: t, namespace: n}
"""


@pytest.fixture
def run(
    transport: RecordingTransport,
    engines: Engines,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs the command where a configuration stands."""
    del engines  # it answers
    (tmp_path / "infinitic.yml").write_text(BROKER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INFINITIC_CONFIG", raising=False)
    monkeypatch.setattr(running, "open_configured", lambda *_: transport)
    return lambda *words: CliRunner().invoke(main, words)
