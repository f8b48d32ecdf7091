"""Properties shared by the runs of a workflow: PROPERTIES."""

from datetime import timedelta
from typing import Annotated, Protocol

from harness.services import UtilService
from infinitic_common import Deferred, Ignore, Workflow, get_workflow_by_id, new_service


class Properties(Protocol):
    def plus(self, text: str, milliseconds: int | None = None) -> str: ...
    async def plus_awaited(self, text: str) -> str: ...
    def take(self, value: object) -> str: ...
    def branch_waited_for(self) -> str: ...
    def branch_started(self) -> str: ...
    def slow_branch_started(self) -> str: ...
    async def awaited_branch_started(self) -> str: ...
    def two_branches(self) -> str: ...
    def ongoing_as_argument(self) -> str: ...
    def completed_as_argument(self) -> str: ...
    def waited_for_as_property(self) -> str: ...
    def set_to_none(self) -> str: ...
    def mutated(self) -> list[int]: ...
    def deleted(self) -> str: ...
    def ignored(self) -> str: ...


class PropertiesImpl(Workflow, Properties):
    util = new_service(UtilService)
    note: str | None
    kept: object
    passing: Annotated[str, Ignore]

    def __init__(self) -> None:
        self.p = ""
        self.note = "first"
        self.numbers = [1]
        self.passing = "initial"
        self.kept = None

    def _me(self) -> Properties:
        return get_workflow_by_id(Properties, self.workflow_id)

    def plus(self, text: str, milliseconds: int | None = None) -> str:
        if milliseconds is not None:
            self.timer(timedelta(milliseconds=milliseconds)).result()
        self.p += text
        return self.p

    async def plus_awaited(self, text: str) -> str:
        text = await self.util.reverse_later(text)
        self.p += text
        return self.p

    def take(self, value: object) -> str:
        return str(value)

    def branch_waited_for(self) -> str:
        self.p = "a"
        self._me().plus("b")
        self.p += "c"
        return self.p

    def branch_started(self) -> str:
        self.p = "a"
        branch = self.dispatch(self._me().plus, "b")
        self.p += "c"
        branch.result()
        self.p += "d"
        return self.p

    def slow_branch_started(self) -> str:
        self.p = "a"
        branch = self.dispatch(self._me().plus, "b", 10)
        self.p += "c"
        branch.result()
        self.p += "d"
        return self.p

    async def awaited_branch_started(self) -> str:
        self.p = "a"
        branch = self.dispatch(self._me().plus_awaited, "b")
        self.p += "c"
        await branch
        self.p += "d"
        return self.p

    def two_branches(self) -> str:
        self.p = "a"
        first, second = (self.dispatch(self._me().plus, letter) for letter in "bc")
        self.p += "d"
        (first & second).result()
        return self.p

    def ongoing_as_argument(self) -> str:
        task = self.dispatch(self.util.reverse, "ab")
        return self._me().take(task)

    def completed_as_argument(self) -> str:
        task = self.dispatch(self.util.reverse, "ab")
        task.result()
        return self._me().take(task)

    def waited_for_as_property(self) -> str:
        task: Deferred[str] = self.dispatch(self.util.reverse, "ab")
        task.result()
        self.kept = task
        return self.util.reverse("cd")

    def set_to_none(self) -> str:
        self.note = None
        self.util.reverse("ab")
        return str(self.note)

    def mutated(self) -> list[int]:
        self.numbers.append(2)
        self.util.reverse("ab")
        self.numbers.append(3)
        self.util.reverse("ab")
        return self.numbers

    def deleted(self) -> str:
        del self.note
        self.util.reverse("ab")
        return getattr(self, "note", "gone")

    def ignored(self) -> str:
        self.p = "kept"
        self.util.reverse("ab")
        return f"{self.p} {self.passing}"
