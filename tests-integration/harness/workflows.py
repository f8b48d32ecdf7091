"""The workflows that the cases of the conformance catalogue start, one for each area."""

from typing import Protocol

from harness.services import UtilService
from infinitic_common import Workflow, new_service

TAGS = frozenset({"foo", "bar"})
META = {"foo": b"bar"}


class Sequences(Protocol):
    """Tasks one after another, or beside each other."""

    def empty(self) -> str: ...
    def one_task(self) -> str: ...
    def three_tasks(self) -> str: ...
    def slow_task(self) -> int: ...
    def task_beside_tasks(self) -> str: ...
    def two_slow_tasks(self) -> int: ...
    async def awaited_tasks(self) -> str: ...


class SequencesImpl(Workflow, Sequences):
    util = new_service(UtilService, tags=TAGS, meta=META)

    def empty(self) -> str:
        return "void"

    def one_task(self) -> str:
        return self.util.reverse("ab")

    def three_tasks(self) -> str:
        text = ""
        for letter in "123":
            text = self.util.concat(text, letter)
        return text

    def slow_task(self) -> int:
        return self.util.sleep(200)

    def task_beside_tasks(self) -> str:
        reversed_text = self.dispatch(self.util.reverse, "ab")
        text = self.util.concat("", "2")
        text = self.util.concat(text, "3")
        return text + reversed_text.result()

    def two_slow_tasks(self) -> int:
        slow = self.dispatch(self.util.sleep, 500)
        quick = self.dispatch(self.util.sleep, 100)
        return slow.result() + quick.result()

    async def awaited_tasks(self) -> str:
        reversed_text = self.dispatch(self.util.reverse, "ab")
        return self.util.concat("2", "3") + await reversed_text


class Context(Protocol):
    """What workflows and tasks know of themselves."""

    def own_id(self) -> str: ...
    def own_tags(self) -> set[str]: ...
    def id_in_task(self) -> str: ...
    def name_in_task(self) -> str: ...
    def tags_in_task(self) -> set[str]: ...
    def meta_in_task(self) -> dict[str, bytes]: ...


class ContextImpl(Workflow, Context):
    util = new_service(UtilService, tags=TAGS, meta=META)

    def __init__(self) -> None:
        self.noted_id = self.workflow_id
        self.noted_tags = set(self.tags)

    def own_id(self) -> str:
        return self.noted_id

    def own_tags(self) -> set[str]:
        return self.noted_tags

    def id_in_task(self) -> str:
        return self.util.workflow_id()

    def name_in_task(self) -> str:
        return self.util.workflow_name()

    def tags_in_task(self) -> set[str]:
        return self.util.tags()

    def meta_in_task(self) -> dict[str, bytes]:
        return self.util.meta()
