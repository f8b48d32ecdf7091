"""TIMERS: durations and instants."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from harness.deployment import Deployment
from harness.workflows.timers import Timers

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _now(deployment: Deployment) -> datetime:
    """By the clock that timers follow; instants are whole milliseconds."""
    return datetime.fromtimestamp(deployment.ground.transport.now() / 1000, UTC)


@pytest.mark.parametrize("method", ["wait_for", "wait_for_awaited"])
async def test_timers_01_a_short_timer(deployment: Deployment, method: str) -> None:
    client, began = deployment.client, _now(deployment)
    started = await client.dispatch(getattr(client.new_workflow(Timers), method), 100)
    await deployment.elapse(100)
    # On servers that are busy the timer's message may take its time.
    limit = timedelta(seconds=10 if deployment.mode.servers else 1)
    assert timedelta(milliseconds=100) <= await started.result() - began < limit


async def test_timers_02_a_longer_timer(deployment: Deployment) -> None:
    client, began = deployment.client, _now(deployment)
    started = await client.dispatch(client.new_workflow(Timers).wait_for, 1300)
    await deployment.elapse(1300)
    assert await started.result() - began > timedelta(seconds=1)
    assert _now(deployment) - began >= timedelta(milliseconds=1300)


async def test_timers_03_an_instant_soon(deployment: Deployment) -> None:
    client, began = deployment.client, _now(deployment)
    started = await client.dispatch(client.new_workflow(Timers).wait_ahead, 200)
    await deployment.elapse(200)
    assert await started.result() < timedelta(seconds=10 if deployment.mode.servers else 2)
    assert _now(deployment) - began >= timedelta(milliseconds=200)


async def test_timers_04_an_instant_is_never_early(deployment: Deployment) -> None:
    client = deployment.client
    instant = _now(deployment) + timedelta(milliseconds=2000)
    started = await client.dispatch(client.new_workflow(Timers).wait_until, instant)
    await deployment.elapse(2000)
    assert await started.result() == instant
    assert _now(deployment) >= instant


@pytest.mark.parametrize("milliseconds", [0, -1, -3_600_000])
async def test_timers_04_the_past_is_due_at_once(deployment: Deployment, milliseconds: int) -> None:
    client = deployment.client
    instant = _now(deployment) + timedelta(milliseconds=milliseconds)
    assert await client.call(client.new_workflow(Timers).wait_until, instant) == instant


async def test_timers_04_a_negative_duration_is_due_at_once(deployment: Deployment) -> None:
    client, began = deployment.client, _now(deployment)
    assert await client.call(client.new_workflow(Timers).wait_for, -60_000) < began


@pytest.mark.parametrize("method", ["signal_or_timer", "signal_or_timer_awaited"])
async def test_timers_05_the_timer_wins(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Timers), method), 200)
    await deployment.elapse(200)
    assert await started.result() == "Instant"


@pytest.mark.parametrize("method", ["signal_or_timer", "signal_or_timer_awaited"])
async def test_timers_06_the_signal_wins(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Timers), method), 6000)
    await deployment.elapse(100)
    await client.send(client.get_workflow_by_id(Timers, started.id).A, "bingo")
    assert await started.result() == "bingo"


async def test_timers_10_timers_of_one_run_are_completed(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timers).signal_or_timer, 10_000)
    await deployment.elapse(200)
    running = client.get_workflow_by_id(Timers, started.id)
    await client.complete_timers(running, started.id)
    await deployment.elapse(500)
    await client.send(running.A, "bingo")
    assert await started.result() == "Instant"


async def test_timers_10_those_of_other_runs_go_on(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timers).two_runs)
    await deployment.elapse(200)
    running = client.get_workflow_by_id(Timers, started.id)
    await client.complete_timers(running, started.id)
    await deployment.elapse(200)
    await client.send(running.A, "bingo")
    assert await started.result() == ["ONGOING", "bingo"]


async def test_timers_10_those_of_all_runs_are_completed(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timers).two_runs)
    await deployment.elapse(200)
    await client.complete_timers(client.get_workflow_by_id(Timers, started.id))
    result = await started.result()
    assert result[1] == "Instant"


async def test_timers_15_a_timer_starts_when_it_is_made(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timers).timer_before_task)
    await deployment.elapse(600)
    # On servers that are busy the timer's message may take its time.
    limit = 5000 if deployment.mode.servers else 600
    assert 0 <= await started.result() < limit


async def test_timers_15_each_has_its_own_instant(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timers).three_timers)
    await deployment.elapse(300)
    assert await started.result() == [300, 100, 200]


async def test_timers_15_one_after_another(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timers).timers_in_turn, 5)
    await deployment.elapse(500)
    assert 500 <= await started.result() < 5000


async def test_timers_08_timers_are_completed_by_tag(deployment: Deployment) -> None:
    client, tag = deployment.client, f"timers-{uuid.uuid4()}"
    stub = client.new_workflow(Timers, tags={tag})
    started = await client.dispatch(stub.signal_or_timer, 10_000)
    await deployment.elapse(200)
    await client.complete_timers(client.get_workflow_by_tag(Timers, tag))
    await deployment.elapse(500)
    await client.send(client.get_workflow_by_id(Timers, started.id).A, "bingo")
    assert await started.result() == "Instant"
