"""Services and workflows that are simulated, and what clients do with them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

from infinitic_client import AsyncDeferred, AsyncInfiniticClient
from infinitic_common import (
    Channel,
    Workflow,
    all_of,
    channel,
    new_service,
)
from infinitic_common.exceptions import DeferredTimeout

PATIENCE = timedelta(seconds=30)


class Letters(Protocol):
    """A service."""

    async def join(self, before: str, letter: str) -> str:
        """Both, joined."""
        ...


class Story(Protocol):
    """A workflow with a method for each program."""

    letters: Channel[str] = channel()

    def sequential(self, text: str) -> str:
        """A task for each letter, one after the other."""
        ...

    def parallel(self, text: str) -> str:
        """A task for each letter, all at once."""
        ...

    def timed(self, text: str) -> str:
        """A timer between two tasks."""
        ...

    def signalled(self, count: int) -> str:
        """Letters that come as signals."""
        ...


class StoryImpl(Workflow, Story):
    """See ``Story``."""

    service = new_service(Letters)

    def sequential(self, text: str) -> str:
        """See ``Story``."""
        told = ""
        for letter in text:
            told = self.dispatch(self.service.join, told, letter).result()
        return told

    def parallel(self, text: str) -> str:
        """See ``Story``."""
        letters = [self.dispatch(self.service.join, "", letter) for letter in text]
        return "".join(all_of(letters).result())

    def timed(self, text: str) -> str:
        """See ``Story``."""
        told = self.dispatch(self.service.join, "", text[0]).result()
        self.timer(timedelta(seconds=3)).result()
        return self.dispatch(self.service.join, told, text[1:]).result()

    def signalled(self, count: int) -> str:
        """See ``Story``."""
        letters = self.letters.receive()
        return "".join(letters.result() for _ in range(count))


TASKS = {"sequential": 5, "parallel": 5, "timed": 2, "signalled": 0}
"""Tasks of each program."""


async def tell(client: AsyncInfiniticClient, program: str) -> tuple[AsyncDeferred[str], str]:
    """Start a program and do what its client does; gives what it started, and the right result."""
    story = client.new_workflow(Story)
    if program == "signalled":
        deferred = await client.dispatch(story.signalled, 3)
        running = client.get_workflow_by_id(Story, deferred.id)
        for letter in "abc":
            await client.send(running.letters, letter)
        return deferred, "abc"
    text = "abcde"
    method = {"sequential": story.sequential, "parallel": story.parallel, "timed": story.timed}
    deferred = await client.dispatch(method[program], text)
    return deferred, text


async def wait(deferred: AsyncDeferred[str]) -> str:
    """Its result; asks again when no answer comes."""
    while True:
        try:
            return await deferred.result(PATIENCE)
        except DeferredTimeout:
            await asyncio.sleep(1)
