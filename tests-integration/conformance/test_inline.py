"""INLINE: blocks of code whose value is recorded."""

import pytest
from harness.workflows.inlines import COUNTS, Inlines

from infinitic_client import AsyncInfiniticClient
from infinitic_common import WorkflowExecutorFailed, WorkflowFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_inline_01_a_value_is_used(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Inlines).doubled) == "2 * 7 = 14"


async def test_inline_01_a_value_is_used_in_a_coroutine(client: AsyncInfiniticClient) -> None:
    called = await client.call(client.new_workflow(Inlines).doubled_in_coroutine)
    assert called == "2 * 7 = 14"


async def test_inline_01_a_structured_value(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Inlines).structured) == [1, 2, 3]


@pytest.mark.parametrize("method", ["task_started", "task_called", "timer_made", "nested"])
async def test_inline_02_no_commands_within(client: AsyncInfiniticClient, method: str) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await client.call(getattr(client.new_workflow(Inlines), method))
    cause = raised.value.cause
    assert isinstance(cause, WorkflowExecutorFailed)
    assert cause.last_failure.exception.name.endswith("InvalidInline")


async def test_inline_02_what_a_block_raises_fails_the_workflow(
    client: AsyncInfiniticClient,
) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await client.call(client.new_workflow(Inlines).failing)
    cause = raised.value.cause
    assert isinstance(cause, WorkflowExecutorFailed)
    assert cause.last_failure.exception.name.endswith("LookupError")


async def test_inline_04_a_block_runs_once(client: AsyncInfiniticClient) -> None:
    workflow_id = await client.call(client.new_workflow(Inlines).counted)
    assert COUNTS[workflow_id] == 1


async def test_inline_04_time_ids_and_random_numbers_are_steady(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Inlines).steady)
