"""Tasks whose outcome comes from elsewhere: DELEGATED."""

from typing import Protocol

from harness.services import UtilService
from infinitic_common import TaskFailed, Workflow, new_service


class Delegations(Protocol):
    def one(self) -> str: ...
    async def one_awaited(self) -> str: ...
    def two(self) -> list[str]: ...
    def failed(self) -> str: ...
    def early(self) -> str: ...


class DelegationsImpl(Workflow, Delegations):
    util = new_service(UtilService)

    def one(self) -> str:
        return self.util.concat(self.util.delegate(100), "!")

    async def one_awaited(self) -> str:
        text = await self.dispatch(self.util.delegate, 100)
        return await self.dispatch(self.util.concat, text, "!")

    def two(self) -> list[str]:
        tasks = [self.dispatch(self.util.delegate, number) for number in range(2)]
        return [task.result() for task in tasks]

    def failed(self) -> str:
        try:
            return self.util.delegate(100)
        except TaskFailed as error:
            return f"{error.method_name}: {error.last_failure.exception.message}"

    def early(self) -> str:
        return self.util.delegate_to_itself()
