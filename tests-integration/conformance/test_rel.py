"""REL: what comes twice, late, in another order, or to workers that were away."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
from harness.deployment import Deployment, deployed, workflow_components
from harness.states import is_gone, state_is_gone, tagged_are
from harness.unreliable import Overtaken
from harness.workflows.branches import Branches
from harness.workflows.channels import Channels
from harness.workflows.combinations import Combinations
from harness.workflows.echo import Echo
from harness.workflows.failing_code import FIRED, Buggy, BuggyImpl, MendedImpl, Sleeper, SleeperImpl
from harness.workflows.families import Family
from harness.workflows.sequences import Sequences
from harness.workflows.timeouts import Timeouts
from harness.workflows.timers import Timers

from infinitic_client import AsyncInfiniticClient
from infinitic_common import WorkflowCanceled, WorkflowFailed
from infinitic_common.transport import OutgoingMessage, Topic, TopicKind

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHAPES = (Sequences, Combinations, Family, Echo, Branches, Channels, Timers)


@asynccontextmanager
async def _twice(deployment: Deployment, *contracts: type) -> AsyncIterator[Deployment]:
    async with deployed(attrs.evolve(deployment.mode, twice=True), *contracts) as running:
        yield running


@pytest.mark.own_deployment
async def test_rel_01_everything_comes_twice(deployment: Deployment) -> None:
    async with _twice(deployment, *SHAPES) as running:
        client = running.client
        assert await client.call(client.new_workflow(Sequences).three_tasks) == "123"
        assert await client.call(client.new_workflow(Combinations).all_of_twenty) == ["ba"] * 20
        assert await client.call(client.new_workflow(Combinations).any_of_three) in "badcfe"
        assert await client.call(client.new_workflow(Family).child_started) == "baba"
        assert await client.call(client.new_workflow(Branches).beside_two) == "23bac"
        assert await client.call(client.new_workflow(Channels).send_to_itself) == "own7"
        timer = await client.dispatch(client.new_workflow(Timers).timers_in_turn, 3)
        await running.elapse(300)
        assert await timer.result() >= 300
        await state_is_gone(running, timer.id)


@pytest.mark.own_deployment
async def test_rel_03_a_method_command_comes_twice(deployment: Deployment) -> None:
    async with _twice(deployment, Echo) as running:
        client = running.client
        started = await client.dispatch(client.new_workflow(Echo).receive, "a")
        stub = client.get_workflow_by_id(Echo, started.id)
        assert await client.call(stub.add, "b") == "ab"
        assert await client.call(stub.concat, "c") == "abc"
        await client.send(stub.A, "d")
        assert await started.result() == "abcd"


@pytest.mark.own_deployment
async def test_rel_05_signals_come_twice(deployment: Deployment) -> None:
    async with _twice(deployment, Channels) as running:
        client = running.client
        started = await client.dispatch(client.new_workflow(Channels).receive_thrice, None)
        stub = client.get_workflow_by_id(Channels, started.id)
        for letter in "abc":
            await client.send(stub.A, letter)
        assert await started.result() == "abc"


async def test_rel_08_a_signal_comes_before_the_start(deployment: Deployment) -> None:
    transport = Overtaken(deployment.ground.transport)
    client = AsyncInfiniticClient(transport=transport, close_transport=False)
    started = await client.dispatch(client.new_workflow(Channels).receive)
    await client.send(client.get_workflow_by_id(Channels, started.id).A, "early")
    stub = deployment.client.get_workflow_by_id(Channels, started.id)

    # Two clients of one name would take each other's answers: the other one only sends.
    async def completed() -> bool:
        return await deployment.client.get_status(stub) == "COMPLETED"

    await deployment.until(completed)


async def test_rel_17_messages_behind_an_undecodable_one_are_handled(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).receive, "a")
    for kind in (TopicKind.WORKFLOW_STATE_CMD, TopicKind.WORKFLOW_STATE_ENGINE):
        wrong = OutgoingMessage(str(uuid.uuid4()), b"\xff no message", key=started.id)
        await deployment.ground.transport.publish(Topic(kind, "Echo"), [wrong])
    await client.send(client.get_workflow_by_id(Echo, started.id).A, "b")
    assert await started.result() == "ab"


async def test_rel_19_a_timer_is_due_while_the_workers_are_away(deployment: Deployment) -> None:
    client = deployment.client
    components = workflow_components(deployment.mode, Sleeper, SleeperImpl)
    async with deployment.worker(*components):
        started = await client.dispatch(client.new_workflow(Sleeper).run)
        await deployment.elapse(1000)
    await deployment.elapse(4000)
    assert FIRED[started.id] == 0
    async with deployment.worker(*workflow_components(deployment.mode, Sleeper, SleeperImpl)):
        assert await started.result() == started.id
        await deployment.elapse(500)
    assert FIRED[started.id] == 1


async def test_rel_21_mended_code_goes_on_from_where_it_was(deployment: Deployment) -> None:
    client, tag = deployment.client, f"rel-{uuid.uuid4()}"
    async with deployment.worker(*workflow_components(deployment.mode, Buggy, BuggyImpl)):
        started = [
            await client.dispatch(client.new_workflow(Buggy, tags={tag}).run) for _ in range(3)
        ]
        for each in started:
            with pytest.raises(WorkflowFailed):
                await each.result()
    async with deployment.worker(*workflow_components(deployment.mode, Buggy, MendedImpl)):
        first, *others = started
        await client.retry_workflow_task(client.get_workflow_by_id(Buggy, first.id))
        assert await first.result() == 12
        await client.retry_workflow_task(client.get_workflow_by_tag(Buggy, tag))
        await deployment.elapse(1000)
        assert [await each.result() for each in others] == [12, 12]


async def test_rel_24_a_cancellation_races_with_the_completion(deployment: Deployment) -> None:
    client, tag = deployment.client, f"rel-{uuid.uuid4()}"
    ends = await asyncio.gather(*(_raced(client, tag) for _ in range(200)))
    assert {end for _, end in ends} <= {"ab", "cancelled"}
    for workflow_id, _ in ends:
        await state_is_gone(deployment, workflow_id)
    await tagged_are(deployment, client.get_workflow_by_tag(Echo, tag), 0)


async def _raced(client: AsyncInfiniticClient, tag: str) -> tuple[str, str]:
    started = await client.dispatch(client.new_workflow(Echo, tags={tag}).receive, "a")
    signal = client.send(client.get_workflow_by_id(Echo, started.id).A, "b")
    await asyncio.gather(signal, started.cancel())
    try:
        return started.id, await started.result()
    except WorkflowCanceled:
        return started.id, "cancelled"


async def test_rel_26_what_ends_after_its_parent_was_cancelled_is_dropped(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Timeouts).child, 500)
    await deployment.elapse(200)
    await started.cancel()
    with pytest.raises(WorkflowCanceled):
        await started.result()
    await deployment.elapse(1500)
    assert await is_gone(deployment, started.id)


async def test_rel_30_a_wait_for_a_run_that_has_failed_is_answered(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).fail)
    await deployment.elapse(2000)
    for _ in range(2):
        with pytest.raises(WorkflowFailed):
            await started.result()


async def test_rel_32_what_is_due_after_the_end_is_dropped(deployment: Deployment) -> None:
    client = deployment.client
    # The first messages of a topic take their time on servers: this one may be too late.
    warming = await client.dispatch(client.new_workflow(Timeouts).child_caught, 10)
    await deployment.elapse(10)
    assert await warming.result() in {10, -1}
    receives = await client.dispatch(client.new_workflow(Channels).receive_or_timer)
    await client.send(client.get_workflow_by_id(Channels, receives.id).A, "won")
    child = await client.dispatch(client.new_workflow(Timeouts).child, 10)
    task = await client.dispatch(client.new_workflow(Timeouts).service_timeout, 10)
    await deployment.elapse(10)
    assert (await receives.result(), await child.result(), await task.result()) == ("won", 10, 10)
    for each in (receives, child, task):
        await state_is_gone(deployment, each.id)
    await deployment.elapse(1500)
    for each in (receives, child, task):
        assert await is_gone(deployment, each.id)
