"""Tasks one after another, or beside each other: SYNC and ASYNC."""

from typing import Protocol

from harness.services import META, TAGS, UtilService
from infinitic_common import Workflow, new_service


class Sequences(Protocol):
    def empty(self) -> str: ...
    async def empty_coroutine(self) -> str: ...
    def nothing(self) -> None: ...
    def one_task(self) -> str: ...
    async def one_awaited_task(self) -> str: ...
    def three_tasks(self) -> str: ...
    async def three_awaited_tasks(self) -> str: ...
    def slow_task(self, milliseconds: int) -> int: ...
    def task_beside_tasks(self) -> str: ...
    async def awaited_task_beside_tasks(self) -> str: ...
    def two_slow_tasks(self) -> int: ...
    async def two_slow_awaited_tasks(self) -> int: ...
    def coroutine_task(self) -> str: ...
    def many_tasks(self, number: int) -> int: ...


class SequencesImpl(Workflow, Sequences):
    util = new_service(UtilService, tags=TAGS, meta=META)

    def empty(self) -> str:
        return "void"

    async def empty_coroutine(self) -> str:
        return "void"

    def nothing(self) -> None:
        self.util.reverse("ab")

    def one_task(self) -> str:
        return self.util.reverse("ab")

    async def one_awaited_task(self) -> str:
        return await self.util.reverse_later("ab")

    def three_tasks(self) -> str:
        text = ""
        for letter in "123":
            text = self.util.concat(text, letter)
        return text

    async def three_awaited_tasks(self) -> str:
        text = ""
        for letter in "123":
            text = await self.dispatch(self.util.concat, text, letter)
        return text

    def slow_task(self, milliseconds: int) -> int:
        return self.util.sleep(milliseconds)

    def task_beside_tasks(self) -> str:
        reversed_text = self.dispatch(self.util.reverse, "ab")
        text = self.util.concat("", "2")
        text = self.util.concat(text, "3")
        return text + reversed_text.result()

    async def awaited_task_beside_tasks(self) -> str:
        reversed_text = self.dispatch(self.util.reverse_later, "ab")
        text = self.util.concat("", "2")
        text = await self.dispatch(self.util.concat, text, "3")
        return text + await reversed_text

    def two_slow_tasks(self) -> int:
        slow = self.dispatch(self.util.sleep, 500)
        quick = self.dispatch(self.util.sleep, 100)
        return slow.result() + quick.result()

    async def two_slow_awaited_tasks(self) -> int:
        slow = self.dispatch(self.util.sleep, 500)
        quick = self.dispatch(self.util.sleep, 100)
        return await slow + await quick

    def coroutine_task(self) -> str:
        return self.dispatch(self.util.reverse_later, "ab").result()

    def many_tasks(self, number: int) -> int:
        started = [self.dispatch(self.util.reverse, str(n)) for n in range(number)]
        return sum(int(each.result()[::-1]) for each in started)
