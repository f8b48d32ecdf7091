"""CHANNELS: signals that workflows receive."""

import uuid

import pytest
from harness.deployment import Deployment
from harness.workflows.channels import Channels, Obj, Obj1, Obj2

from infinitic_client import AsyncInfiniticClient
from infinitic_common import WorkflowFailed

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOO = '$[?(@.foo == "foo")]'


@pytest.mark.parametrize("method", ["receive", "receive_awaited"])
async def test_channels_01_a_signal_is_received(deployment: Deployment, method: str) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Channels), method))
    await deployment.elapse(100)
    await client.send(client.get_workflow_by_id(Channels, started.id).A, "test")
    assert await started.result() == "test"


async def test_channels_01_a_signal_is_dispatched(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Channels).receive)
    channel = client.get_workflow_by_id(Channels, started.id).A
    sent = await client.dispatch(channel.send, "test")
    assert sent.id != started.id
    assert await started.result() == "test"


async def test_channels_02_a_signal_is_sent_by_tag(deployment: Deployment) -> None:
    client, tag = deployment.client, f"channels-{uuid.uuid4()}"
    started = await client.dispatch(client.new_workflow(Channels, tags={tag}).receive)
    await deployment.elapse(100)
    await client.send(client.get_workflow_by_tag(Channels, tag).A, "test")
    assert await started.result() == "test"


async def test_channels_02_every_workflow_of_the_tag_receives(deployment: Deployment) -> None:
    client, tag = deployment.client, f"channels-{uuid.uuid4()}"
    stub = client.new_workflow(Channels, tags={tag, "other"})
    started = [await client.dispatch(stub.receive) for _ in range(3)]
    await client.send(client.get_workflow_by_tag(Channels, tag).A, "test")
    assert [await each.result() for each in started] == ["test"] * 3


@pytest.mark.parametrize("method", ["receive_or_timer", "receive_or_timer_awaited"])
async def test_channels_03_a_signal_right_after_the_start(
    client: AsyncInfiniticClient, method: str
) -> None:
    started = await client.dispatch(getattr(client.new_workflow(Channels), method))
    await client.send(client.get_workflow_by_id(Channels, started.id).A, "test")
    assert await started.result() == "test"


async def test_channels_04_a_signal_of_another_channel(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Channels).receive_or_timer)
    await client.send(client.get_workflow_by_id(Channels, started.id).B, "test")
    await deployment.elapse(1000)
    assert await started.result() == "Instant"


@pytest.mark.parametrize("sent", [Obj1("foo", 42), Obj2("foo", 42)])
async def test_channels_06_an_object_of_either_class(
    client: AsyncInfiniticClient, sent: Obj
) -> None:
    assert await _received(client, "receive_object", sent) == sent


@pytest.mark.parametrize("path", [FOO, "$[?(@.bar > 12)]", "$[?(@.foo =~ /^f.o$/ && @.bar < 14)]"])
async def test_channels_07_a_path_chooses(client: AsyncInfiniticClient, path: str) -> None:
    sent = (Obj1("bar", 12), Obj1("foo", 13))
    assert await _received(client, "receive_by_path", *sent, path=path) == Obj1("foo", 13)


async def test_channels_08_a_criterion_chooses(client: AsyncInfiniticClient) -> None:
    sent = (Obj1("oof", 12), Obj1("foo", 12))
    assert await _received(client, "receive_by_criterion", *sent) == Obj1("foo", 12)


async def test_channels_08_two_criteria_choose(client: AsyncInfiniticClient) -> None:
    sent = (Obj1("foo", 1), Obj1("bar", 2), Obj2("foo", 2))
    assert await _received(client, "receive_by_two_criteria", *sent) == Obj2("foo", 2)


async def test_channels_09_a_type_chooses(client: AsyncInfiniticClient) -> None:
    sent = (Obj2("foo", 42), Obj1("foo", 42))
    assert await _received(client, "receive_by_type", *sent) == Obj1("foo", 42)


async def test_channels_10_type_and_path_choose(client: AsyncInfiniticClient) -> None:
    sent = (Obj1("oof", 42), Obj2("foo", 42), Obj1("foo", 42))
    assert await _received(client, "receive_by_type_and_path", *sent) == Obj1("foo", 42)


async def test_channels_12_two_receives_of_two_types(client: AsyncInfiniticClient) -> None:
    sent = (Obj2("bar", 7), Obj1("foo", 6))
    assert await _received(client, "receive_two_types", *sent) == "foobar42"


@pytest.mark.parametrize("method", ["receive_three", "receive_three_awaited"])
async def test_channels_14_signals_between_waits_are_kept(
    deployment: Deployment, method: str
) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Channels), method), None)
    await _send(client, started.id, "abc")
    await deployment.elapse(400)
    assert await started.result() == "abc"


async def test_channels_15_as_many_signals_as_the_limit(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Channels).receive_thrice, 3)
    for letter in "abc":
        await deployment.elapse(300)
        await _send(client, started.id, letter)
    assert await started.result() == "abc"


@pytest.mark.parametrize("method", ["receive_three", "receive_three_awaited"])
async def test_channels_17_beyond_the_limit_the_last_one_again(
    deployment: Deployment, method: str
) -> None:
    client = deployment.client
    started = await client.dispatch(getattr(client.new_workflow(Channels), method), 2)
    await _send(client, started.id, "abc")
    await deployment.elapse(400)
    assert await started.result() == "abb"


async def test_channels_17_a_limit_of_one(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Channels).receive_thrice, 1)
    await _send(client, started.id, "a")
    assert await started.result() == "aaa"


async def test_channels_17_a_limit_of_none_at_all_is_refused(
    client: AsyncInfiniticClient,
) -> None:
    with pytest.raises(WorkflowFailed, match="limit"):
        await client.call(client.new_workflow(Channels).receive_limited)


async def test_several_receivers_take_one_signal_each(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Channels).receive_beside)
    await _send(client, started.id, "abc")
    assert await started.result() == ["a", "b", "c"]


async def test_all_and_any_of_receives(client: AsyncInfiniticClient) -> None:
    both = await client.dispatch(client.new_workflow(Channels).receive_both)
    running = client.get_workflow_by_id(Channels, both.id)
    await client.send(running.numbers, 7)
    await client.send(running.A, "a")
    assert await both.result() == ("a", 7)
    either = await client.dispatch(client.new_workflow(Channels).receive_any)
    await client.send(client.get_workflow_by_id(Channels, either.id).numbers, 8)
    assert await either.result() == "8"


async def test_a_signal_waits_for_its_receive(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Channels).receive_late)
    await _send(client, started.id, "a")
    await deployment.elapse(2000)
    assert await started.result() == "a"


async def test_a_channel_that_discards_has_lost_it(deployment: Deployment) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Channels).receive_fleeting_late)
    await deployment.elapse(500)
    await client.send(client.get_workflow_by_id(Channels, started.id).fleeting, "a")
    await deployment.elapse(3000)
    assert await started.result() == "Instant"


async def test_a_workflow_sends_to_itself(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Channels).send_to_itself) == "own7"


async def test_a_workflow_sends_to_another(client: AsyncInfiniticClient) -> None:
    receiver = await client.dispatch(client.new_workflow(Channels).receive)
    sender = client.new_workflow(Channels)
    assert await client.call(sender.send_by_id, receiver.id, "ab") == "ba"
    assert await receiver.result() == "ab"


async def test_a_workflow_sends_by_tag(client: AsyncInfiniticClient) -> None:
    tag = f"channels-{uuid.uuid4()}"
    stub = client.new_workflow(Channels, tags={tag})
    receivers = [await client.dispatch(stub.receive) for _ in range(2)]
    sender = client.new_workflow(Channels)
    assert await client.call(sender.send_by_tag, tag, "ab") == "ba"
    assert [await each.result() for each in receivers] == ["ab", "ab"]


async def test_what_a_run_got_and_did_not_wait_for_is_for_the_next_one(
    deployment: Deployment,
) -> None:
    client = deployment.client
    started = await client.dispatch(client.new_workflow(Channels).receive_in_turns)
    await deployment.elapse(300)
    await _send(client, started.id, "abcd")
    assert await started.result() == ["a", "b", "c", "d"]


async def test_what_a_run_had_without_waiting_is_its_own(deployment: Deployment) -> None:
    client = deployment.client
    keeper = await client.dispatch(client.new_workflow(Channels).receive_object)
    running = client.get_workflow_by_id(Channels, keeper.id)
    late = await client.dispatch(running.receive_after_a_while, 1)
    await deployment.elapse(300)
    await _send(client, keeper.id, "abc")
    await deployment.elapse(1000)
    assert await late.result() == "ab"
    assert await client.call(running.receive_once) == "c"
    await client.send(running.objects, Obj1("foo", 42))
    assert await keeper.result() == Obj1("foo", 42)


async def test_a_hundred_signals_are_all_counted(client: AsyncInfiniticClient) -> None:
    started = await client.dispatch(client.new_workflow(Channels).sum_until_zero)
    running = client.get_workflow_by_id(Channels, started.id)
    for number in range(100, -1, -1):
        await client.send(running.numbers, number)
    assert await started.result() == 5050


async def _received(
    client: AsyncInfiniticClient, method: str, *sent: Obj, path: str | None = None
) -> object:
    """What a workflow makes of the objects that it is sent."""
    arguments = () if path is None else (path,)
    started = await client.dispatch(getattr(client.new_workflow(Channels), method), *arguments)
    objects = client.get_workflow_by_id(Channels, started.id).objects
    for each in sent:
        await client.send(objects, each)
    return await started.result()


async def _send(client: AsyncInfiniticClient, workflow_id: str, letters: str) -> None:
    for letter in letters:
        await client.send(client.get_workflow_by_id(Channels, workflow_id).A, letter)
