"""Cases of the catalogue beyond the first areas, end to end, in every mode of the gate."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from authoring.programs import Cases, Echo, Obj1, Obj2

from infinitic_client import AsyncInfiniticClient
from infinitic_common import (
    TaskFailed,
    WorkflowCanceled,
    WorkflowExecutorFailed,
    WorkflowFailed,
    WorkflowUnknown,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _gone(client: AsyncInfiniticClient, workflow_id: str) -> bool:
    """Only the tombstone is left."""
    return await client.get_status(client.get_workflow_by_id(Cases, workflow_id)) == "COMPLETED"


async def test_a_coroutine_workflow_mixes_both_colours(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).coroutine) == "slept 10"


@pytest.mark.parametrize("as_list", [False, True])
async def test_andor_01_03_any_of_three(client: AsyncInfiniticClient, *, as_list: bool) -> None:
    won = await client.call(client.new_workflow(Cases).any_of_three, as_list=as_list)
    assert won in {"ba", "dc", "fe"}


@pytest.mark.parametrize("as_list", [False, True])
async def test_andor_05_06_all_of_three(client: AsyncInfiniticClient, *, as_list: bool) -> None:
    values = await client.call(client.new_workflow(Cases).all_of_three, as_list=as_list)
    assert values == ["ba", "dc", "fe"]


async def test_andor_07_all_of_twenty(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).all_of_twenty) == ["ba"] * 20


async def test_andor_18_any_is_the_first_success_else_the_last_failure(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Cases).first_success) == "100"
    assert await client.call(client.new_workflow(Cases).last_failure) == "UtilService: True"


async def test_deferred_01_predicates_follow_the_code(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).deferred_states) == "truefalsefalsetrue"


async def test_branch_02_a_method_of_the_same_workflow_runs_beside(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).branch_main)
    assert await deferred.result() == "23bac"
    assert await _gone(client, deferred.id)


async def test_method_01_a_method_is_called_on_a_running_workflow(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, deferred.id)
    assert await client.call(running.concat, "b") == "ab"
    await client.send(running.A, "c")
    assert await deferred.result() == "abc"


async def test_method_02_methods_apply_in_the_order_sent(client: AsyncInfiniticClient) -> None:
    deferred = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, deferred.id)
    for letter in "bcd":
        _ = await client.dispatch(running.add, letter)
    await client.send(running.A, "e")
    assert await deferred.result() == "abcde"


async def test_channels_01_a_signal_is_received(client: AsyncInfiniticClient) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).wait_signal)
    await client.send(client.get_workflow_by_id(Cases, deferred.id).A, "test")
    assert await deferred.result() == "test"


async def test_channels_03_a_signal_right_after_the_start_is_not_lost(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).signal_or_timer, 20_000)
    await client.send(client.get_workflow_by_id(Cases, deferred.id).A, "test")
    assert await deferred.result() == "test"


async def test_channels_04_a_signal_of_another_channel_is_not_taken(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).signal_or_timer, 500)
    await client.send(client.get_workflow_by_id(Cases, deferred.id).B, "test")
    assert await deferred.result() == "Instant"


async def test_channels_06_an_object_is_received(client: AsyncInfiniticClient) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).receive_object)
    await client.send(client.get_workflow_by_id(Cases, deferred.id).objects, Obj1("foo", 42))
    assert await deferred.result() == Obj1("foo", 42)


async def test_channels_07_a_json_path_chooses(client: AsyncInfiniticClient) -> None:
    deferred = await client.dispatch(
        client.new_workflow(Cases).receive_filtered, '$[?(@.foo == "foo")]'
    )
    objects = client.get_workflow_by_id(Cases, deferred.id).objects
    await client.send(objects, Obj1("oof", 12))
    await client.send(objects, Obj1("foo", 12))
    assert await deferred.result() == Obj1("foo", 12)


async def test_channels_12_types_choose(client: AsyncInfiniticClient) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).receive_types)
    objects = client.get_workflow_by_id(Cases, deferred.id).objects
    await client.send(objects, Obj2("bar", 7))
    await client.send(objects, Obj1("foo", 6))
    assert await deferred.result() == "foobar42"


@pytest.mark.parametrize(("limit", "expected"), [(None, "abc"), (3, "abc"), (2, "abb")])
async def test_channels_14_15_17_signals_wait_for_the_receive(
    client: AsyncInfiniticClient, limit: int | None, expected: str
) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).three_signals, limit)
    running = client.get_workflow_by_id(Cases, deferred.id)
    for letter in "abc":
        await client.send(running.A, letter)
    assert await deferred.result() == expected


async def test_child_01_a_child_is_called(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).child) == "ab"


async def test_child_02_a_child_is_started(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).child_async) == "baba"


async def test_cancel_01_a_wait_for_a_cancelled_workflow_says_so(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).long_timer)
    await client.cancel(client.get_workflow_by_id(Cases, deferred.id))
    with pytest.raises(WorkflowCanceled):
        await deferred.result()


async def test_inline_01_an_inline_value_is_used(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).inline_double) == "2 * 7 = 14"


async def test_inline_02_a_task_inside_an_inline_is_refused(client: AsyncInfiniticClient) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await client.call(client.new_workflow(Cases).task_in_inline)
    cause = raised.value.cause
    assert isinstance(cause, WorkflowExecutorFailed)
    assert "InvalidInline" in cause.last_failure.exception.name


async def test_errors_02_a_caught_failure_lets_the_workflow_go_on(
    client: AsyncInfiniticClient,
) -> None:
    deferred = await client.dispatch(client.new_workflow(Cases).caught)
    assert await deferred.result() == "ko"
    assert await _gone(client, deferred.id)


async def test_errors_03_an_uncaught_failure_names_its_task(client: AsyncInfiniticClient) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await client.call(client.new_workflow(Cases).uncaught)
    cause = raised.value.cause
    assert isinstance(cause, TaskFailed)
    assert cause.service_name == "UtilService"
    assert cause.last_failure.exception.name.endswith("ValueError")


async def test_errors_06_a_failure_that_nobody_waits_for_does_no_harm(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(client.new_workflow(Cases).unawaited_failure) == 100


async def test_errors_18_an_unknown_workflow_is_unknown(client: AsyncInfiniticClient) -> None:
    with pytest.raises(WorkflowUnknown):
        await client.call(client.get_workflow_by_id(Echo, "unknown").add, "a")


async def test_properties_01_a_branch_shares_them(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).shared_now) == "abc"


async def test_properties_02_a_branch_starts_after_the_step(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Cases).shared_later) == "acbd"


async def test_timers_01_02_a_timer_is_never_early(client: AsyncInfiniticClient) -> None:
    began = datetime.now(UTC)
    instant = await client.call(client.new_workflow(Cases).until, 1300)
    elapsed = datetime.now(UTC) - began
    # Instants are whole milliseconds.
    assert instant - began >= timedelta(milliseconds=1299)
    assert elapsed >= timedelta(milliseconds=1299)


async def test_timers_15_a_timer_starts_when_it_is_made(client: AsyncInfiniticClient) -> None:
    began = time.monotonic()
    seconds = await client.call(client.new_workflow(Cases).timer_before_task)
    assert seconds > 0.55
    assert time.monotonic() - began < 5
