import contextvars
from typing import cast

import pytest

from infinitic_common.client import AsyncClient, Client
from infinitic_common.exceptions import UsageError
from infinitic_common.task_context import (
    Task,
    TaskContext,
    batch_context,
    set_batch_context,
    set_task_context,
    task_context,
)

CLIENT = cast("Client", "client")


def test_code_of_a_service_reads_the_task_it_runs_for() -> None:
    context = TaskContext(task_id="t", workflow_id="w", tags=frozenset({"foo"}), client=CLIENT)

    def read() -> tuple[object, ...]:
        set_task_context(context)
        return Task.context, Task.task_id, Task.workflow_id, Task.tags, Task.client

    read_there = contextvars.copy_context().run(read)

    assert read_there == (context, "t", "w", frozenset({"foo"}), CLIENT)


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


def test_a_block_of_a_test_runs_as_a_task() -> None:
    with task_context(TaskContext(task_id="t", meta={"batchKey": b"k"}, timeout_seconds=2.5)):
        known = Task.idempotency_key, Task.batch_key, Task.timeout_seconds, Task.has_timed_out

    assert known == ("t", "k", 2.5, False)
    assert Task.context is None


def test_a_block_of_a_test_runs_as_a_batch() -> None:
    one, two = TaskContext(task_id="1"), TaskContext(task_id="2")
    with batch_context(one, two):
        assert Task.context_of("2") is two
        with pytest.raises(UsageError, match="'3' is none of the batch"):
            Task.context_of("3")
        with pytest.raises(UsageError, match=r"ask Task.context_of"):
            _ = Task.task_id
    set_batch_context(None)
    with pytest.raises(UsageError, match="none of the batch"):
        Task.context_of("1")


def test_without_batch_key_there_is_none() -> None:
    assert TaskContext().batch_key is None


def test_callbacks_are_called_once_when_the_time_is_over_and_at_once_afterwards() -> None:
    called: list[str] = []
    with task_context(TaskContext()) as context:
        Task.on_time_out(lambda: called.append("first"))
        Task.on_time_out(lambda: called.append("second"))
        assert not called
        context.time_out()
        context.time_out()
        assert Task.has_timed_out
        Task.on_time_out(lambda: called.append("late"))

    assert called == ["first", "second", "late"]


def test_a_task_finds_a_client_for_threads_and_one_for_coroutines() -> None:
    later = cast("AsyncClient", "async client")
    with task_context(TaskContext(client=CLIENT, async_client=later)):
        assert (Task.client, Task.async_client) == (CLIENT, later)
    with task_context(TaskContext()):
        with pytest.raises(UsageError, match="infinitic-client"):
            _ = Task.client
        with pytest.raises(UsageError, match="infinitic-client"):
            _ = Task.async_client
