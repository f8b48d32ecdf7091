"""CONTEXT: what workflows and tasks know of themselves."""

import pytest
from harness.services import META, TAGS
from harness.workflows.context import Context

from infinitic_client import AsyncInfiniticClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _stub(client: AsyncInfiniticClient) -> Context:
    return client.new_workflow(Context, tags=TAGS, meta=META)


async def test_context_01_the_id_known_in_the_initializer(client: AsyncInfiniticClient) -> None:
    known = await client.call(_stub(client).own_id)
    assert client.last_deferred is not None
    assert known == client.last_deferred.id


async def test_context_01_the_main_method_has_the_id_of_the_workflow(
    client: AsyncInfiniticClient,
) -> None:
    started = await client.dispatch(_stub(client).ids_in_coroutine)
    assert await started.result() == (started.id, started.id)


async def test_context_02_the_tags_known_in_the_initializer(client: AsyncInfiniticClient) -> None:
    assert await client.call(_stub(client).own_tags) == TAGS


async def test_context_02_no_tags(client: AsyncInfiniticClient) -> None:
    assert await client.call(client.new_workflow(Context).own_tags) == set()


async def test_context_02_the_meta(client: AsyncInfiniticClient) -> None:
    assert await client.call(_stub(client).own_meta) == META


async def test_context_04_a_task_knows_the_id_of_its_workflow(
    client: AsyncInfiniticClient,
) -> None:
    started = await client.dispatch(_stub(client).id_in_task)
    assert await started.result() == started.id


async def test_context_05_a_task_knows_the_name_of_its_workflow(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(_stub(client).name_in_task) == "Context"


async def test_context_05_a_workflow_knows_its_names(client: AsyncInfiniticClient) -> None:
    assert await client.call(_stub(client).own_names) == ("Context", "own_names")


async def test_context_06_a_task_knows_its_tags(client: AsyncInfiniticClient) -> None:
    assert await client.call(_stub(client).tags_in_task) == TAGS


async def test_context_06_a_task_has_not_the_tags_of_its_workflow(
    client: AsyncInfiniticClient,
) -> None:
    assert await client.call(_stub(client).tags_in_plain_task) == set()


async def test_context_06_a_task_knows_its_meta(client: AsyncInfiniticClient) -> None:
    assert await client.call(_stub(client).meta_in_task) == META


async def test_context_09_a_task_knows_its_effective_timeout(client: AsyncInfiniticClient) -> None:
    assert await client.call(_stub(client).timeout_in_task) == 1000.0
