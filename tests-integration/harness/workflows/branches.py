"""Methods of one workflow that run beside each other: BRANCH."""

from typing import Protocol

from harness.services import UtilService
from infinitic_common import Workflow, get_workflow_by_id, new_service


class Branches(Protocol):
    def one_task(self) -> str: ...
    def two_tasks(self) -> str: ...
    async def awaited_tasks(self) -> str: ...
    def beside_one(self) -> str: ...
    def beside_two(self) -> str: ...
    async def beside_awaited(self) -> str: ...
    def beside_many(self) -> list[str]: ...
    def called(self) -> str: ...
    def not_waited_for(self) -> str: ...
    def factorial(self, number: int) -> int: ...


class BranchesImpl(Workflow, Branches):
    util = new_service(UtilService)

    def _me(self) -> Branches:
        return get_workflow_by_id(Branches, self.workflow_id)

    def one_task(self) -> str:
        return self.util.reverse("ab")

    def two_tasks(self) -> str:
        return self.util.concat(self.util.reverse("ab"), "c")

    async def awaited_tasks(self) -> str:
        return self.util.concat(await self.util.reverse_later("ab"), "c")

    def beside_one(self) -> str:
        branch = self.dispatch(self._me().one_task)
        text = self.util.concat(self.util.concat("", "2"), "3")
        return text + branch.result()

    def beside_two(self) -> str:
        branch = self.dispatch(self._me().two_tasks)
        text = self.util.concat(self.util.concat("", "2"), "3")
        return text + branch.result()

    async def beside_awaited(self) -> str:
        branch = self.dispatch(self._me().awaited_tasks)
        text = await self.dispatch(self.util.concat, "2", "3")
        return text + await branch

    def beside_many(self) -> list[str]:
        branches = [self.dispatch(self._me().two_tasks) for _ in range(5)]
        return [branch.result() for branch in branches]

    def called(self) -> str:
        return self._me().two_tasks() + self.util.reverse("de")

    def not_waited_for(self) -> str:
        _ = self.dispatch(self._me().two_tasks)
        return "main"

    def factorial(self, number: int) -> int:
        return number * self._me().factorial(number - 1) if number else 1
