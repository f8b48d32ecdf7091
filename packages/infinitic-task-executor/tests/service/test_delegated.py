"""Tasks whose outcome is given later, by another system."""

from typing import Protocol

from service_doubles import REQUESTER, Tasks, started, told

from infinitic_common import Task, delegated
from infinitic_common.messages import (
    ExecuteTask,
    RegisterDelegatedTask,
    RemoveTagFromTask,
    TaskCompleted,
    TaskFailed,
)
from infinitic_common.transport import Topic, TopicKind
from infinitic_task_executor import ServiceExecutor

TASKS = Tasks("Desk")
TAGS = frozenset({"foo", "bar"})


class Desk(Protocol):
    @delegated
    def decide(self, amount: int) -> str: ...
    def ask(self, amount: int) -> str: ...


class DeskImpl(Desk):
    def decide(self, amount: int) -> str:
        if amount < 0:
            raise ValueError(amount)
        Task.meta["asked"] = b"1"
        return 7 * amount  # type: ignore[return-value]  # nobody reads it

    @delegated
    def ask(self, amount: int) -> str:
        return str(amount)


async def test_delegated_02_what_the_code_returns_is_ignored_and_the_task_registered() -> None:
    asked = TASKS.asked("decide", 5, tags=TAGS, retry_sequence=2, retry_index=1)
    async with started(ServiceExecutor(Desk, DeskImpl)) as host:
        registered = await told(host, RegisterDelegatedTask, asked)

    assert host.transport.published[0][0] == Topic(TopicKind.SERVICE_TAG_ENGINE, "Desk")
    assert (registered.service_name, registered.task_id) == ("Desk", "t")
    assert (registered.method_name, registered.requester) == ("decide", REQUESTER)
    assert registered.meta == {"asked": b"1"}
    assert (registered.retry_sequence, registered.retry_index) == (2, 1)
    assert registered.tags == TAGS


async def test_an_implementation_may_delegate_too() -> None:
    async with started(ServiceExecutor(Desk, DeskImpl)) as host:
        await told(host, RegisterDelegatedTask, TASKS.asked("ask", 5))


async def test_a_delegated_task_fails_and_is_retried_as_others() -> None:
    async with started(ServiceExecutor(Desk, DeskImpl)) as host:
        await told(host, TaskFailed, TASKS.asked("decide", -1))
    async with started(ServiceExecutor(Desk, DeskImpl, retry=lambda *_: 1)) as host:
        await told(host, ExecuteTask, TASKS.asked("decide", -1))


async def test_the_tags_of_other_tasks_end_with_them() -> None:
    class Plain(Desk):
        def decide(self, amount: int) -> str:
            return str(amount)

        def ask(self, amount: int) -> str:
            if amount < 0:
                raise ValueError(amount)
            return str(amount)

    async with started(ServiceExecutor(Desk, Plain)) as host:
        for amount, outcome in ((1, TaskCompleted), (-1, TaskFailed)):
            host.transport.published.clear()
            await host.transport.deliver(TASKS.asked("ask", amount, tags=TAGS))

            first, *rest = host.transport.messages
            assert isinstance(first, outcome)
            removed = [one.tag for one in rest if isinstance(one, RemoveTagFromTask)]
            assert removed == ["bar", "foo"]
