"""Parents and children: CHILD and CANCEL."""

from datetime import timedelta
from typing import Protocol

from harness.services import UtilService
from harness.workflows.echo import Echo
from infinitic_common import (
    Deferred,
    Workflow,
    WorkflowCanceled,
    get_workflow_by_id,
    new_service,
    new_workflow,
)

FAMILY = frozenset({"family"})


class Family(Protocol):
    def wait(self) -> str: ...
    async def wait_awaited(self) -> str: ...
    def child_called(self) -> str: ...
    def child_started(self) -> str: ...
    async def child_awaited(self) -> str: ...
    def many_children(self) -> list[str]: ...
    def generations(self, number: int) -> int: ...
    def method_of_child(self) -> str: ...
    def cancelled_child(self) -> str: ...
    def cancelled_child_caught(self) -> str: ...
    def waiting_child(self, tag: str) -> str: ...
    def waiting_grandchild(self, tag: str) -> str: ...
    def cleans_up(self, workflow_id: str) -> str: ...


class FamilyImpl(Workflow, Family):
    util = new_service(UtilService)
    echo = new_workflow(Echo)

    def wait(self) -> str:
        self.timer(timedelta(seconds=60)).result()
        return "late"

    async def wait_awaited(self) -> str:
        await self.timer(timedelta(seconds=60))
        return "late"

    def child_called(self) -> str:
        return self.util.concat(self.echo.concat("a"), "b")

    def child_started(self) -> str:
        text = self.util.reverse("ab")
        child = self.dispatch(self.echo.concat, text)
        return self.util.concat(child.result(), text)

    async def child_awaited(self) -> str:
        text = await self.util.reverse_later("ab")
        child = self.dispatch(self.echo.concat, text)
        return self.util.concat(await child, text)

    def many_children(self) -> list[str]:
        children = [self.dispatch(self.echo.concat, letter) for letter in "abcde"]
        return [child.result() for child in children]

    def generations(self, number: int) -> int:
        return 1 + (new_workflow(Family).generations(number - 1) if number > 1 else 0)

    def method_of_child(self) -> str:
        child = self.dispatch(self.echo.receive, "a")
        running = get_workflow_by_id(Echo, str(child.id))
        text = running.add("b")
        running.A.send("c")
        return f"{text} {child.result()}"

    def _cancelled(self) -> Deferred[str]:
        child = self.dispatch(self.echo.receive, "a")
        self.util.cancel("Echo", str(child.id))
        return child

    def cancelled_child(self) -> str:
        return self._cancelled().result()

    def cancelled_child_caught(self) -> str:
        child = self._cancelled()
        try:
            return child.result()
        except WorkflowCanceled as error:
            return f"{error.workflow_name} {child.is_canceled}"

    def waiting_child(self, tag: str) -> str:
        return new_workflow(Family, tags={tag}).wait()

    def waiting_grandchild(self, tag: str) -> str:
        return new_workflow(Family, tags={tag}).waiting_child(tag)

    def cleans_up(self, workflow_id: str) -> str:
        try:
            self.timer(timedelta(seconds=60)).result()
        finally:
            get_workflow_by_id(Echo, workflow_id).A.send("cleaned")
        return "late"
