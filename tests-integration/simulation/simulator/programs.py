"""Services and workflows that are simulated, and what clients do with them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Protocol

import attrs

from infinitic_client import AsyncDeferred, AsyncInfiniticClient
from infinitic_common import (
    Channel,
    Workflow,
    all_of,
    channel,
    get_workflow_by_id,
    get_workflow_by_tag,
    new_service,
    new_workflow,
)
from infinitic_common.exceptions import DeferredTimeout, TaskFailed, WorkflowCanceled

PATIENCE = timedelta(seconds=30)
TEXT = "abc"
CANCELED = "canceled"
REFUSED = "!"
"""A letter that the service does not take."""

ATTEMPTS: Counter[str] = Counter()
"""How often the code of a workflow has come to the place where it fails; emptied for each run."""


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

    def echoed(self, text: str) -> str:
        """A task with a tag."""
        ...

    def greeted(self, parent: str) -> str:
        """A letter that comes after a signal to the parent."""
        ...

    def parent(self, text: str) -> str:
        """A child, and two that want the same custom id."""
        ...

    def tagged(self, text: str) -> str:
        """A call and a signal, by tag, to a child."""
        ...

    def methods(self, text: str) -> str:
        """Methods of the workflow itself, by id and by tag, side by side."""
        ...

    def canceled(self, text: str) -> str:
        """A child, a task and a method that nobody waits for any more."""
        ...

    def retried(self, text: str) -> str:
        """Code that fails before and after a task, and is run again."""
        ...

    def hurried(self, text: str) -> str:
        """A timer that a client ends."""
        ...

    def cleaned(self, text: str) -> str:
        """A run that is cancelled and cleans up, with what it kept as a property."""
        ...

    def kept_by_run(self, text: str) -> str:
        """What another run kept, after a text."""
        ...

    def undone(self, text: str) -> str:
        """A task that fails, and what came before it undone."""
        ...


class StoryImpl(Workflow, Story):
    """See ``Story``."""

    service = new_service(Letters)
    noted = new_service(Letters, tags={"noted"})

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

    def echoed(self, text: str) -> str:
        """See ``Story``."""
        return self.dispatch(self.noted.join, "", text).result()

    def greeted(self, parent: str) -> str:
        """See ``Story``."""
        letters = self.letters.receive()
        get_workflow_by_id(Story, parent).letters.send("hello")
        return letters.result()

    def parent(self, text: str) -> str:
        """See ``Story``."""
        unique = new_workflow(Story, tags={f"customId:{self.workflow_id}", "family"})
        plain = new_workflow(Story, tags={"family"})
        children = [
            self.dispatch(plain.echoed, text[0]),
            *(self.dispatch(unique.echoed, text[1]) for _ in range(2)),
        ]
        return "".join(all_of(children).result())

    def tagged(self, text: str) -> str:
        """See ``Story``."""
        greeting = self.letters.receive()
        tags = {self.workflow_id}
        child = self.dispatch(new_workflow(Story, tags=tags).greeted, self.workflow_id)
        greeting.result()
        children = get_workflow_by_tag(Story, self.workflow_id)
        answer = self.dispatch(children.echoed, text[0]).result()
        children.letters.send(text[1])
        return answer + child.result()

    def methods(self, text: str) -> str:
        """See ``Story``."""
        by_id = get_workflow_by_id(Story, self.workflow_id)
        by_tag = get_workflow_by_tag(Story, self.only_tag)
        calls = [self.dispatch(by_id.echoed, letter) for letter in text[:-1]]
        return "".join(all_of([*calls, self.dispatch(by_tag.echoed, text[-1])]).result())

    @property
    def only_tag(self) -> str:
        """The one tag that a client gave."""
        [tag] = self.tags
        return tag

    def canceled(self, text: str) -> str:
        """See ``Story``."""
        child = self.dispatch(new_workflow(Story, tags={"family"}).signalled, 1)
        unique = new_workflow(Story, tags={f"customId:{self.workflow_id}"})
        other = self.dispatch(unique.signalled, 1)
        itself = get_workflow_by_id(Story, self.workflow_id)
        method = self.dispatch(itself.signalled, 1)
        task = self.dispatch(self.noted.join, "", text)
        return "".join(all_of([child, other, method, task]).result())

    def retried(self, text: str) -> str:
        """See ``Story``."""
        self._fail(1)
        told = self.dispatch(self.service.join, "", text).result()
        self._fail(4)
        return told

    def _fail(self, times: int) -> None:
        ATTEMPTS[self.workflow_id] += 1
        if ATTEMPTS[self.workflow_id] <= times:
            msg = "not yet"
            raise RuntimeError(msg)

    def hurried(self, text: str) -> str:
        """See ``Story``."""
        self.timer(timedelta(seconds=15)).result()
        return self.dispatch(self.service.join, "", text).result()

    def cleaned(self, text: str) -> str:
        """See ``Story``."""
        self.kept = text
        try:
            return self.letters.receive().result()
        finally:
            told = self.dispatch(self.service.join, "", text).result()
            itself = get_workflow_by_id(Story, self.workflow_id)
            self.dispatch(itself.kept_by_run, told).result()

    def kept_by_run(self, text: str) -> str:
        """See ``Story``."""
        return self.dispatch(self.service.join, text, self.kept).result()

    def undone(self, text: str) -> str:
        """See ``Story``."""
        try:
            with self.saga() as undo:
                undo(self.service.join, "un", text)
                self.kept = self.dispatch(self.service.join, "", text[0]).result()
                self.dispatch(self.service.join, self.kept, REFUSED).result()
        except TaskFailed:
            self.kept += text[1:]
        self.timer(timedelta(seconds=1)).result(timeout=timedelta(seconds=9))
        return self.kept


@attrs.frozen
class Program:
    """What is expected of a program.

    Attributes:
        tasks: Tasks that the workflow itself has; None when that depends on when it is cancelled.
        result: What it gives.
        status: What it says in the end.
    """

    tasks: int | None
    result: str
    status: str = "COMPLETED"


PROGRAMS = {
    "sequential": Program(3, TEXT),
    "parallel": Program(3, TEXT),
    "timed": Program(2, TEXT),
    "signalled": Program(0, TEXT),
    "parent": Program(0, "abb"),
    "tagged": Program(0, "ab"),
    "methods": Program(3, TEXT),
    "canceled": Program(None, CANCELED, "CANCELED"),
    "retried": Program(1, TEXT),
    "hurried": Program(1, TEXT),
    "cleaned": Program(None, CANCELED, "CANCELED"),
    "undone": Program(2, TEXT),
}
FIRST = ("sequential", "parallel", "timed", "signalled")
"""Those that need neither tags nor other workflows."""


async def tell(client: AsyncInfiniticClient, program: str, number: int) -> AsyncDeferred[str]:
    """Start a program and do what its client does; gives what it started."""
    story = client.new_workflow(Story, tags={f"told {number}"} if program == "methods" else set())
    if program == "signalled":
        deferred = await client.dispatch(story.signalled, len(TEXT))
        running = client.get_workflow_by_id(Story, deferred.id)
        for letter in TEXT:
            await client.send(running.letters, letter)
        return deferred
    deferred = await client.dispatch(getattr(story, program), TEXT)
    running = client.get_workflow_by_id(Story, deferred.id)
    if program in ("canceled", "cleaned"):
        await client.cancel(running)
    if program == "hurried":
        await client.complete_timers(running)
    return deferred


async def wait(deferred: AsyncDeferred[str]) -> str:
    """Its result; asks again when no answer comes."""
    while True:
        try:
            return await deferred.result(PATIENCE)
        except WorkflowCanceled:
            return CANCELED
        except DeferredTimeout:
            await asyncio.sleep(1)
