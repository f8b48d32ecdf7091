"""METHOD: methods of workflows that already run."""

import asyncio

import pytest
from harness.deployment import Deployment
from harness.states import state_is_gone
from harness.workflows.echo import Echo

from infinitic_client import AsyncInfiniticClient
from infinitic_common import UsageError, WorkflowUnknown

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_method_01_a_method_is_called_while_the_main_one_waits(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, started.id)
    assert await client.call(running.concat, "b") == "ab"
    await deployment.elapse(100)
    await client.send(running.A, "c")
    assert await started.result() == "abc"
    await state_is_gone(deployment, started.id)


async def test_method_01_a_method_is_called_while_a_coroutine_waits(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).receive_awaited, "a")
    running = client.get_workflow_by_id(Echo, started.id)
    assert await client.call(running.concat, "b") == "ab"
    await client.send(running.A, "c")
    assert await started.result() == "abc"
    await state_is_gone(deployment, started.id)


async def test_method_02_methods_apply_in_the_order_sent(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, started.id)
    for letter in "bcd":
        _ = await client.dispatch(running.add, letter)
    await deployment.elapse(100)
    await client.send(running.A, "e")
    assert await started.result() == "abcde"
    await state_is_gone(deployment, started.id)


async def test_method_02_a_hundred_methods_apply_in_the_order_sent(
    client: AsyncInfiniticClient,
) -> None:
    started = await client.dispatch(client.new_workflow(Echo).receive, "")
    running = client.get_workflow_by_id(Echo, started.id)
    added = [await client.dispatch(running.add, f"{n},") for n in range(100)]
    assert len(await added[-1].result()) == len(",".join(map(str, range(100)))) + 1
    await client.send(running.A, "")
    assert await started.result() == "".join(f"{n}," for n in range(100))


async def test_method_02_the_main_method_ends_after_the_others(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, started.id)
    second = await client.dispatch(running.receive, "b")
    await client.send(running.A, "c")
    assert await started.result() == "abc"
    await client.send(running.A, "d")
    assert await second.result() == "abcd"
    await state_is_gone(deployment, started.id)


async def test_method_04_a_call_by_tag_is_not_possible(client: AsyncInfiniticClient) -> None:
    by_tag = client.get_workflow_by_tag(Echo, "method-04")
    with pytest.raises(UsageError):
        await client.call(by_tag.concat, "a")


async def test_method_06_a_property_is_read_while_the_workflow_waits(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, started.id)
    await deployment.elapse(200)
    assert await client.get_property(running, "log") == "a"
    assert await client.call(running.add, "b") == "ab"
    assert await client.get_property(running, "log") == "ab"
    await client.send(running.A, "c")
    assert await started.result() == "abc"


async def test_method_06_an_unknown_property_is_none(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Echo).receive, "a")
    running = client.get_workflow_by_id(Echo, started.id)
    assert await client.get_property(running, "nothing") is None
    await client.send(running.A, "c")
    assert await started.result() == "ac"


async def test_a_method_of_an_ended_workflow_is_unknown(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Echo).add, "a")
    assert await started.result() == "a"
    with pytest.raises(WorkflowUnknown):
        await client.call(client.get_workflow_by_id(Echo, started.id).add, "b")


async def test_methods_called_at_once_are_all_answered(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Echo).receive, "")
    running = client.get_workflow_by_id(Echo, started.id)
    answers = await asyncio.gather(*(client.call(running.add, "x") for _ in range(20)))
    assert sorted(map(len, answers)) == list(range(1, 21))
    await client.send(running.A, "!")
    assert await started.result() == "x" * 20 + "!"
