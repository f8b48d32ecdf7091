import contextvars

import pytest

from infinitic_common.exceptions import UsageError
from infinitic_common.task_context import Task, TaskContext, set_task_context


def test_code_of_a_service_reads_the_task_it_runs_for() -> None:
    context = TaskContext(task_id="t", workflow_id="w", tags=frozenset({"foo"}), client="client")

    def read() -> tuple[object, ...]:
        set_task_context(context)
        return Task.context, Task.task_id, Task.workflow_id, Task.tags, Task.client

    read_there = contextvars.copy_context().run(read)

    assert read_there == (context, "t", "w", frozenset({"foo"}), "client")


def test_outside_tasks_there_is_no_context_and_an_attribute_says_so() -> None:
    assert Task.context is None
    with pytest.raises(UsageError, match="set_task_context"):
        _ = Task.workflow_id


def test_meta_can_be_changed_by_the_task() -> None:
    context = TaskContext(meta={"foo": b"bar"})

    def change() -> None:
        set_task_context(context)
        Task.meta["foo"] = b"baz"

    contextvars.copy_context().run(change)

    assert context.meta == {"foo": b"baz"}
