"""Answers to a client: who waits for which, and the subscription that brings them."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from infinitic_client._parts import Parts
from infinitic_common.ids import new_id
from infinitic_common.messages import (
    ClientMessage,
    MethodCompleted,
    MethodFailed,
    TaskIdsByTag,
    WorkflowIdsByTag,
    from_received,
)
from infinitic_common.transport import (
    Consumption,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
    Transport,
)

Key = tuple[str, str]
"""What an answer is about: workflow and method run, or a request."""


def run_key(workflow_id: str, method_id: str) -> Key:
    """The key of the end of a method run."""
    return (workflow_id, method_id)


def request_key(request_id: str) -> Key:
    """The key of the answer to a request."""
    return ("", request_id)


class Responses:
    """The answers that a client waits for; consumption starts with the first wait.

    Args:
        transport: Brings them.
        name: The name of the client.
    """

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport = transport
        self._name = name
        self._waiting: dict[Key, list[asyncio.Future[ClientMessage]]] = {}
        self._parts: dict[Key, Parts] = {}
        self._starting = asyncio.Lock()
        self._consumption: Consumption | None = None

    async def start(self) -> None:
        """Make sure that answers to what is sent from now on arrive.

        Raises:
            TransportUnavailable: The broker cannot be reached now.
        """
        if self._consumption is not None:
            return
        async with self._starting:
            if self._consumption is None:
                self._consumption = await self._transport.consume(
                    self._subscription(), self._receive
                )

    def _subscription(self) -> Subscription:
        return Subscription(
            topics=(Topic(TopicKind.CLIENT_RESPONSE, self._name),),
            name=f"{self._name}-{new_id()}",
            max_batch_messages=1000,
            durable=False,
        )

    @contextmanager
    def expect(self, key: Key) -> Generator[asyncio.Future[ClientMessage]]:
        """The next answer about a key; asked for before what it answers is sent."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        try:
            yield future
        finally:
            futures = self._waiting.get(key, [])
            if future in futures:
                futures.remove(future)
            if not futures:
                self._waiting.pop(key, None)
                self._parts.pop(key, None)

    async def close(self, reason: Exception) -> None:
        """Stop receiving; what waits gets the reason."""
        for futures in list(self._waiting.values()):
            for future in futures:
                if not future.done():
                    future.set_exception(reason)
        if self._consumption is not None:
            await self._consumption.stop(0)

    async def _receive(self, batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        for received in batch:
            message = from_received(received)
            if isinstance(message, ClientMessage):
                self._take(message)
        return ()

    def _take(self, message: ClientMessage) -> None:
        key = _key_of(message)
        if key not in self._waiting:
            return
        whole = self._whole(key, message)
        if whole is not None:
            self._resolve(key, whole)

    def _whole(self, key: Key, message: ClientMessage) -> ClientMessage | None:
        if isinstance(message, WorkflowIdsByTag | TaskIdsByTag):
            return self._parts.setdefault(key, Parts()).add(message)
        return message

    def _resolve(self, key: Key, message: ClientMessage) -> None:
        for future in self._waiting.pop(key, ()):
            if not future.done():
                future.set_result(message)


def _key_of(message: ClientMessage) -> Key:
    if isinstance(message, MethodCompleted | MethodFailed):
        return run_key(message.workflow_id, message.method_id)
    return request_key(message.request_id)
