"""The fixtures of the conformance catalogue: a service, and workflows that use it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from infinitic_common import (
    Channel,
    Task,
    TaskFailed,
    Workflow,
    all_of,
    any_of,
    channel,
    get_workflow_by_id,
    new_service,
    new_workflow,
)

TAGS = frozenset({"foo", "bar"})


class UtilService(Protocol):
    """The tasks of the catalogue."""

    def concat(self, a: str, b: str) -> str: ...
    def reverse(self, s: str) -> str: ...
    async def sleep(self, ms: int) -> int: ...
    def workflow_id(self) -> str | None: ...
    def workflow_name(self) -> str | None: ...
    def tags(self) -> frozenset[str]: ...
    def meta(self) -> dict[str, bytes]: ...
    def fail(self) -> str: ...


class UtilServiceImpl:
    """The tasks of the catalogue."""

    def concat(self, a: str, b: str) -> str:
        return a + b

    def reverse(self, s: str) -> str:
        return s[::-1]

    async def sleep(self, ms: int) -> int:
        await asyncio.sleep(ms / 1000)
        return ms

    def workflow_id(self) -> str | None:
        return Task.workflow_id

    def workflow_name(self) -> str | None:
        return Task.workflow_name

    def tags(self) -> frozenset[str]:
        return Task.tags

    def meta(self) -> dict[str, bytes]:
        return dict(Task.meta)

    def fail(self) -> str:
        message = "sorry"
        raise ValueError(message)


class Echo(Protocol):
    """A workflow with a log and a channel."""

    A: Channel[str] = channel()

    def concat(self, x: str) -> str: ...
    def add(self, s: str) -> str: ...
    def receive(self, s: str) -> str: ...


class EchoImpl(Workflow, Echo):
    """A workflow with a log and a channel."""

    util = new_service(UtilService)

    def __init__(self) -> None:
        self.log = ""

    def concat(self, x: str) -> str:
        self.log = self.util.concat(self.log, x)
        return self.log

    def add(self, s: str) -> str:
        self.log += s
        return self.log

    def receive(self, s: str) -> str:
        self.log += s
        signal = self.A.receive().result()
        self.log += signal
        return self.log


@dataclass
class Obj1:
    """A value."""

    foo: str
    bar: int


@dataclass
class Obj2:
    """Another value."""

    foo: str
    bar: int


class Cases(Protocol):
    """A method for each case that needs one."""

    A: Channel[str] = channel()
    B: Channel[str] = channel()
    objects: Channel[Obj1 | Obj2] = channel()

    def void(self) -> str: ...
    def accumulate(self) -> str: ...
    def reverse_once(self) -> str: ...
    def sleep(self, ms: int) -> int: ...
    def parallel_concat(self) -> str: ...
    def two_sleeps(self) -> int: ...
    def any_of_three(self, *, as_list: bool) -> str: ...
    def all_of_three(self, *, as_list: bool) -> list[str]: ...
    def all_of_twenty(self) -> list[str]: ...
    def first_success(self) -> str: ...
    def last_failure(self) -> str: ...
    def branch(self) -> str: ...
    def branch_main(self) -> str: ...
    def deferred_states(self) -> str: ...
    def own_id(self) -> str: ...
    def own_tags(self) -> frozenset[str]: ...
    def task_context(self) -> str: ...
    def task_tags(self) -> frozenset[str]: ...
    def task_meta(self) -> dict[str, bytes]: ...
    def wait_signal(self) -> str: ...
    def signal_or_timer(self, ms: int) -> str: ...
    def three_signals(self, limit: int | None) -> str: ...
    def receive_object(self) -> Obj1 | Obj2: ...
    def receive_filtered(self, json_path: str) -> Obj1 | Obj2: ...
    def receive_types(self) -> str: ...
    def child(self) -> str: ...
    def child_async(self) -> str: ...
    def long_timer(self) -> str: ...
    def inline_double(self) -> str: ...
    def task_in_inline(self) -> str: ...
    def caught(self) -> str: ...
    def uncaught(self) -> str: ...
    def unawaited_failure(self) -> int: ...
    def plus(self, v: str) -> str: ...
    def shared_now(self) -> str: ...
    def shared_later(self) -> str: ...
    def until(self, ms: int) -> datetime: ...
    def timer_before_task(self) -> float: ...
    async def coroutine(self) -> str: ...


class CasesImpl(Workflow, Cases):
    """A method for each case that needs one."""

    util = new_service(UtilService)
    tagged = new_service(UtilService, tags=TAGS, meta={"foo": b"bar"})
    echo = new_workflow(Echo)

    def __init__(self) -> None:
        self.p = "a"
        self.initial_id = self.workflow_id
        self.initial_tags = sorted(self.tags)

    def void(self) -> str:
        return "void"

    def accumulate(self) -> str:
        text = ""
        for letter in "123":
            text = self.util.concat(text, letter)
        return text

    def reverse_once(self) -> str:
        return self.util.reverse("ab")

    def sleep(self, ms: int) -> int:
        return self.dispatch(self.util.sleep, ms).result()

    def parallel_concat(self) -> str:
        reversed_ = self.dispatch(self.util.reverse, "ab")
        text = self.util.concat(self.util.concat("", "2"), "3")
        return text + reversed_.result()

    def two_sleeps(self) -> int:
        slow = self.dispatch(self.util.sleep, 500)
        quick = self.dispatch(self.util.sleep, 100)
        return slow.result() + quick.result()

    def any_of_three(self, *, as_list: bool) -> str:
        a, b, c = (self.dispatch(self.util.reverse, s) for s in ("ab", "cd", "ef"))
        return (any_of([a, b, c]) if as_list else any_of(a, b, c)).result()

    def all_of_three(self, *, as_list: bool) -> list[str]:
        a, b, c = (self.dispatch(self.util.reverse, s) for s in ("ab", "cd", "ef"))
        return list(all_of([a, b, c]).result() if as_list else all_of(a, b, c).result())

    def all_of_twenty(self) -> list[str]:
        return all_of([self.dispatch(self.util.reverse, "ab") for _ in range(20)]).result()

    def first_success(self) -> str:
        failing = self.dispatch(self.util.fail)
        slow = self.dispatch(self.util.sleep, 100)
        return str(any_of(failing, slow).result())

    def last_failure(self) -> str:
        failing = [self.dispatch(self.util.fail) for _ in range(2)]
        try:
            return any_of(failing).result()
        except TaskFailed as error:
            return f"{error.service_name}: {all(d.is_failed for d in failing)}"

    def branch(self) -> str:
        return self.util.concat(self.util.reverse("ab"), "c")

    def branch_main(self) -> str:
        me = get_workflow_by_id(Cases, self.workflow_id)
        branch = self.dispatch(me.branch)
        text = self.util.concat(self.util.concat("", "2"), "3")
        return text + branch.result()

    def deferred_states(self) -> str:
        me = get_workflow_by_id(Cases, self.workflow_id)
        branch = self.dispatch(me.branch)
        states = [branch.is_ongoing, branch.is_completed]
        branch.result()
        states += [branch.is_ongoing, branch.is_completed]
        return "".join(str(state).lower() for state in states)

    def own_id(self) -> str:
        return self.initial_id

    def own_tags(self) -> frozenset[str]:
        return frozenset(self.initial_tags)

    def task_context(self) -> str:
        return f"{self.util.workflow_id()} {self.util.workflow_name()}"

    def task_tags(self) -> frozenset[str]:
        return self.tagged.tags()

    def task_meta(self) -> dict[str, bytes]:
        return self.tagged.meta()

    def wait_signal(self) -> str:
        return self.A.receive().result()

    def signal_or_timer(self, ms: int) -> str:
        won = (self.A.receive() | self.timer(timedelta(milliseconds=ms))).result()
        return won if isinstance(won, str) else "Instant"

    def three_signals(self, limit: int | None) -> str:
        received = self.A.receive(limit=limit)
        text = ""
        for _ in range(3):
            text += received.result()
            self.util.reverse("")
        return text

    def receive_object(self) -> Obj1 | Obj2:
        return self.objects.receive().result()

    def receive_filtered(self, json_path: str) -> Obj1 | Obj2:
        return self.objects.receive(json_path=json_path).result()

    def receive_types(self) -> str:
        first = self.objects.receive(Obj1)
        second = self.objects.receive(Obj2)
        one, two = first.result(), second.result()
        return f"{one.foo}{two.foo}{one.bar * two.bar}"

    def child(self) -> str:
        return self.util.concat(self.echo.concat("a"), "b")

    def child_async(self) -> str:
        text = self.util.reverse("ab")
        child = self.dispatch(self.echo.concat, text)
        return self.util.concat(child.result(), text)

    def long_timer(self) -> str:
        self.timer(timedelta(seconds=60)).result()
        return "late"

    def inline_double(self) -> str:
        double = self.inline(lambda: 2 * 7)
        return self.util.concat("2 * 7 = ", str(double))

    def task_in_inline(self) -> str:
        return self.inline(lambda: self.util.reverse("ab"))

    def caught(self) -> str:
        try:
            return self.util.fail()
        except TaskFailed:
            return self.util.reverse("ok")

    def uncaught(self) -> str:
        return self.util.fail()

    def unawaited_failure(self) -> int:
        _ = self.dispatch(self.util.fail)
        return self.dispatch(self.util.sleep, 100).result()

    def plus(self, v: str) -> str:
        self.p += v
        return self.p

    def shared_now(self) -> str:
        me = get_workflow_by_id(Cases, self.workflow_id)
        me.plus("b")
        self.p += "c"
        return self.p

    def shared_later(self) -> str:
        me = get_workflow_by_id(Cases, self.workflow_id)
        branch = self.dispatch(me.plus, "b")
        self.p += "c"
        branch.result()
        self.p += "d"
        return self.p

    def until(self, ms: int) -> datetime:
        return self.timer(timedelta(milliseconds=ms)).result()

    def timer_before_task(self) -> float:
        began = self.now()
        waiting = self.timer(timedelta(milliseconds=600))
        self.dispatch(self.util.sleep, 400).result()
        waiting.result()
        return (self.now() - began).total_seconds()

    async def coroutine(self) -> str:
        slept = await self.util.sleep(10)
        return self.util.concat("slept ", str(slept))
