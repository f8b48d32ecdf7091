"""Explicit names, and methods of parents: NAMING."""

from typing import Protocol

from harness.services import UtilService
from infinitic_common import Workflow, get_workflow_by_id, name, new_service, new_workflow


@name("letters")
class NamedService(Protocol):
    @name("next")
    def with_next_letter(self, text: str) -> str: ...


class NamedServiceImpl(NamedService):
    def with_next_letter(self, text: str) -> str:
        return text + "abcdefgh"[len(text)]


class ParentFlow(Protocol):
    def parent(self) -> str: ...


@name("alphabet")
class Named(ParentFlow, Protocol):
    @name("three letters")
    def chain(self) -> str: ...
    @name("three awaited letters")
    async def chain_awaited(self) -> str: ...
    def task_of_parent(self) -> str: ...
    def method_of_parent(self) -> str: ...
    def branch_by_name(self) -> str: ...
    def names(self) -> tuple[str, str]: ...


class NamedImpl(Workflow, Named):
    letters = new_service(NamedService)
    util = new_service(UtilService)

    def parent(self) -> str:
        return "ok"

    def chain(self) -> str:
        text = ""
        for _ in range(3):
            text = self.letters.with_next_letter(text)
        return text

    async def chain_awaited(self) -> str:
        text = ""
        for _ in range(3):
            text = await self.dispatch(self.letters.with_next_letter, text)
        return text

    def task_of_parent(self) -> str:
        return self.util.parent()

    def method_of_parent(self) -> str:
        return new_workflow(Named).parent()

    def branch_by_name(self) -> str:
        return get_workflow_by_id(Named, self.workflow_id).chain()

    @name("own names")
    def names(self) -> tuple[str, str]:
        return self.workflow_name, self.util.workflow_name()
