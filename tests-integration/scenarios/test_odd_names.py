"""Names, tags and custom ids that nobody expects."""

import asyncio
from typing import Protocol

import pytest
from harness.deployment import Deployment

from infinitic_client import AsyncInfiniticClient
from infinitic_common import (
    Channel,
    Task,
    Workflow,
    WorkflowCanceled,
    WorkflowFailed,
    all_of,
    channel,
    name,
    new_service,
    new_workflow,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ODD = [
    "a b/c\\d?x=1#f%20",
    "été☃\N{GRINNING FACE}",
    "x" * 500,
    ":",
    "|setIds",
    "tag:x|y",
    " space before",
    "new\nline",
    "..",
    "null\x00byte",
]


@name("Sérvice é/à b?%&#+x\\y")
class Odd(Protocol):
    @name("mé thode/1 %")
    def run(self) -> str: ...


class OddImpl(Odd):
    def run(self) -> str:
        return f"{Task.service_name} {Task.method_name}"


@name("日本 語/" + "w" * 100)
class Named(Protocol):
    @name("m" * 300)
    def run(self) -> str: ...


class NamedImpl(Workflow, Named):
    odd = new_service(Odd)

    def run(self) -> str:
        return self.odd.run()


class Holder(Protocol):
    go: Channel[str] = channel()

    def hold(self, text: str) -> str: ...
    def fail(self) -> str: ...
    async def children(self, custom_id: str) -> list[str]: ...


class HolderImpl(Workflow, Holder):
    def hold(self, text: str) -> str:
        return text + self.go.receive().result()

    def fail(self) -> str:
        raise LookupError

    async def children(self, custom_id: str) -> list[str]:
        child = new_workflow(Holder, tags={f"customId:{custom_id}"})
        return await all_of([self.dispatch(child.hold, str(n)) for n in range(3)])


SERVICES = [(Odd, OddImpl)]
WORKFLOWS = [(Named, NamedImpl), (Holder, HolderImpl)]


async def test_contracts_and_methods_have_any_name(client: AsyncInfiniticClient) -> None:
    told = await client.call(client.new_workflow(Named).run)
    assert told == "Sérvice é/à b?%&#+x\\y mé thode/1 %"


@pytest.mark.parametrize("tag", ODD)
async def test_a_tag_is_any_text(deployment: Deployment, tag: str) -> None:
    client = deployment.client
    tagged = client.get_workflow_by_tag(Holder, tag)
    started = await client.dispatch(client.new_workflow(Holder, tags={tag}).hold, "a")
    assert await client.get_ids(tagged) == {started.id}
    await client.send(tagged.go, "b")
    assert await started.result() == "ab"
    await deployment.elapse(10)
    assert not await client.get_ids(tagged)


@pytest.mark.parametrize("custom_id", ODD)
async def test_a_custom_id_is_any_text(deployment: Deployment, custom_id: str) -> None:
    client, tag = deployment.client, f"customId:{custom_id}"
    unique, tagged = (
        client.new_workflow(Holder, tags={tag}),
        client.get_workflow_by_tag(Holder, tag),
    )
    first, second = await asyncio.gather(
        client.dispatch(unique.hold, "a"), client.dispatch(unique.hold, "b")
    )
    assert first.id == second.id
    await client.send(tagged.go, "!")
    assert await first.result() == await second.result()
    await deployment.elapse(10)
    third = await client.dispatch(unique.hold, "c")
    assert third.id != first.id
    await client.cancel(tagged)
    with pytest.raises(WorkflowCanceled):
        await third.result()


async def test_clients_and_parents_share_the_holder_of_a_custom_id(deployment: Deployment) -> None:
    client, tag = deployment.client, "customId:shared"
    parents = [await client.dispatch(client.new_workflow(Holder).children, "shared") for _ in "ab"]
    mine = await client.dispatch(client.new_workflow(Holder, tags={tag}).hold, "client")
    await deployment.elapse(50)
    await client.send(client.get_workflow_by_tag(Holder, tag).go, "!")
    value = await mine.result()
    assert [await parent.result() for parent in parents] == [[value] * 3] * 2


async def test_a_parent_that_did_not_start_the_holder_does_not_cancel_it(
    deployment: Deployment,
) -> None:
    client, tag = deployment.client, "customId:kept"
    mine = await client.dispatch(client.new_workflow(Holder, tags={tag}).hold, "client")
    parent = await client.dispatch(client.new_workflow(Holder).children, "kept")
    await deployment.elapse(50)
    await parent.cancel()
    with pytest.raises(WorkflowCanceled):
        await parent.result()
    await client.send(client.get_workflow_by_id(Holder, mine.id).go, "!")
    assert await mine.result() == "client!"


async def test_a_failed_holder_keeps_its_custom_id_until_it_is_cancelled(
    deployment: Deployment,
) -> None:
    client = deployment.client
    unique = client.new_workflow(Holder, tags={"customId:failed"})
    started = [await client.dispatch(unique.fail) for _ in range(2)]
    assert started[0].id == started[1].id
    for each in started:
        with pytest.raises(WorkflowFailed, match="LookupError"):
            await each.result()
    await started[0].cancel()
    await deployment.elapse(10)
    assert (await client.dispatch(unique.fail)).id != started[0].id
