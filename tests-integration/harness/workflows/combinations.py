"""Deferreds combined, and what they know of themselves: ANDOR and DEFERRED."""

from datetime import timedelta
from typing import Protocol

from harness.services import UtilService
from infinitic_common import (
    DeferredTimeout,
    TaskFailed,
    Workflow,
    all_of,
    any_of,
    get_workflow_by_id,
    new_service,
)

_WORDS = ("ab", "cd", "ef")


class Combinations(Protocol):
    def any_of_three(self) -> str: ...
    def any_of_list(self) -> str: ...
    async def any_with_operator(self) -> str: ...
    def all_of_three(self) -> list[str]: ...
    def all_of_list(self) -> list[str]: ...
    async def all_with_operator(self) -> tuple[str, str]: ...
    def all_of_twenty(self) -> list[str]: ...
    def all_of_nothing(self) -> list[str]: ...
    def all_in_order(self) -> list[int]: ...
    def any_takes_quickest(self) -> int: ...
    def nested(self) -> list[str]: ...
    async def nested_awaited(self) -> str: ...
    def all_of_anys(self) -> tuple[str, str]: ...
    def first_success(self) -> str: ...
    def last_failure(self) -> str: ...
    def one_failure_of_all(self) -> str: ...
    def waited_twice(self) -> list[str]: ...
    def branch(self) -> str: ...
    def states(self) -> str: ...
    async def states_awaited(self) -> str: ...
    def states_of_failure(self) -> list[str]: ...
    def states_of_combination(self) -> list[str]: ...
    def limited(self, milliseconds: int) -> str: ...
    def limited_twice(self) -> str: ...
    def ids(self) -> bool: ...


class CombinationsImpl(Workflow, Combinations):
    util = new_service(UtilService)

    def any_of_three(self) -> str:
        a, b, c = (self.dispatch(self.util.reverse, word) for word in _WORDS)
        return any_of(a, b, c).result()

    def any_of_list(self) -> str:
        return any_of([self.dispatch(self.util.reverse, word) for word in _WORDS]).result()

    async def any_with_operator(self) -> str:
        a, b, c = (self.dispatch(self.util.reverse_later, word) for word in _WORDS)
        return await (a | b | c)

    def all_of_three(self) -> list[str]:
        a, b, c = (self.dispatch(self.util.reverse, word) for word in _WORDS)
        return list(all_of(a, b, c).result())

    def all_of_list(self) -> list[str]:
        return all_of([self.dispatch(self.util.reverse, word) for word in _WORDS]).result()

    async def all_with_operator(self) -> tuple[str, str]:
        a, b, _ = (self.dispatch(self.util.reverse_later, word) for word in _WORDS)
        return await (a & b)

    def all_of_twenty(self) -> list[str]:
        return all_of([self.dispatch(self.util.reverse, "ab") for _ in range(20)]).result()

    def all_of_nothing(self) -> list[str]:
        none = [self.dispatch(self.util.reverse, "ab") for _ in range(0)]
        return all_of(none).result()

    def all_in_order(self) -> list[int]:
        return all_of([self.dispatch(self.util.sleep, ms) for ms in (300, 200, 100)]).result()

    def any_takes_quickest(self) -> int:
        return any_of([self.dispatch(self.util.sleep, ms) for ms in (900, 100, 500)]).result()

    def nested(self) -> list[str]:
        a, b, c = (self.dispatch(self.util.reverse, word) for word in _WORDS)
        first, rest = all_of(a, all_of([b, c])).result()
        return [first, *rest]

    async def nested_awaited(self) -> str:
        never = self.timer(timedelta(hours=2))
        both = all_of(*(self.dispatch(self.util.reverse_later, word) for word in _WORDS[:2]))
        won = await any_of(never & both, both)
        return "".join(map(str, won))

    def all_of_anys(self) -> tuple[str, str]:
        fail, slow = self.dispatch(self.util.fail), self.timer(timedelta(hours=2))
        a, b = (self.dispatch(self.util.reverse, word) for word in _WORDS[:2])
        first, second = all_of(any_of(fail, a), any_of(slow, b)).result()
        return first, str(second)

    def first_success(self) -> str:
        failing = self.dispatch(self.util.fail)
        slow = self.dispatch(self.util.sleep, 2000)
        return str(any_of(failing, slow).result())

    def last_failure(self) -> str:
        late = self.dispatch(self.util.fail_after, 900, "last")
        early = self.dispatch(self.util.fail_after, 100, "first")
        try:
            return (late | early).result()
        except TaskFailed as error:
            return f"{error.last_failure.exception.message} {late.is_failed} {early.is_failed}"

    def one_failure_of_all(self) -> str:
        failing = self.dispatch(self.util.fail)
        never = self.timer(timedelta(hours=2))
        try:
            return str(all_of(never, failing).result())
        except TaskFailed as error:
            return f"{error.method_name} {never.is_ongoing}"

    def waited_twice(self) -> list[str]:
        a = self.dispatch(self.util.reverse, "ab")
        both = all_of([a, a])
        return [a.result(), *both.result(), a.result()]

    def branch(self) -> str:
        return self.util.reverse("ab")

    def states(self) -> str:
        branch = self.dispatch(get_workflow_by_id(Combinations, self.workflow_id).branch)
        seen = [branch.is_ongoing, branch.is_completed]
        branch.result()
        seen += [branch.is_ongoing, branch.is_completed]
        return "".join(str(state).lower() for state in seen)

    async def states_awaited(self) -> str:
        task = self.dispatch(self.util.reverse_later, "ab")
        seen = [task.is_ongoing, task.is_completed]
        await task
        seen += [task.is_ongoing, task.is_completed]
        return "".join(str(state).lower() for state in seen)

    def states_of_failure(self) -> list[str]:
        failing = self.dispatch(self.util.fail)
        seen = [failing.status.value]
        for _ in range(2):
            try:
                failing.result()
            except TaskFailed:
                seen.append(failing.status.value)
        return seen

    def states_of_combination(self) -> list[str]:
        a, never = self.dispatch(self.util.reverse, "ab"), self.timer(timedelta(hours=2))
        both, either = a & never, a | never
        seen = [both.status.value, either.status.value]
        either.result()
        return [*seen, both.status.value, either.status.value]

    def limited(self, milliseconds: int) -> str:
        slow = self.dispatch(self.util.sleep, milliseconds)
        try:
            return str(slow.result(timeout=timedelta(milliseconds=500)))
        except DeferredTimeout as error:
            return f"after {error.seconds} s: {slow.is_ongoing}"

    def limited_twice(self) -> str:
        slow = self.dispatch(self.util.sleep, 800)
        try:
            return str(slow.result(timeout=timedelta(milliseconds=500)))
        except DeferredTimeout:
            return f"late {slow.result()}"

    def ids(self) -> bool:
        task = self.dispatch(self.util.reverse, "ab")
        timer = self.timer(timedelta(0))
        before = (task.id, timer.id)
        _ = (task & timer).result()
        return (task.id, timer.id) == before and task.id != timer.id
