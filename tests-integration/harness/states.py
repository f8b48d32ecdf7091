"""What is left of a workflow: in its storage, and of its tags."""

import asyncio

from harness.deployment import Deployment
from infinitic_workflow_engine import KeyValueWorkflowStateStorage, Retention

_LIMIT_SECONDS = 30.0
_PAUSE_SECONDS = 0.01


async def tagged_are(deployment: Deployment, tagged: object, count: int) -> frozenset[str]:
    """Wait until so many workflows have a tag, that of the stub; gives their ids."""
    ids: frozenset[str] = frozenset()

    async def as_many() -> bool:
        nonlocal ids
        ids = await deployment.client.get_ids(tagged)
        return len(ids) == count

    await deployment.until(as_many)
    return ids


async def state_is_gone(deployment: Deployment, workflow_id: str) -> None:
    """Wait until the stored record is at most a tombstone: without runs, properties and signals."""
    async with asyncio.timeout(_LIMIT_SECONDS):
        while not await is_gone(deployment, workflow_id):  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(_PAUSE_SECONDS)


async def is_gone(deployment: Deployment, workflow_id: str) -> bool:
    """Whether the stored record is at most a tombstone."""
    states = KeyValueWorkflowStateStorage(deployment.storage.key_values, Retention())
    state = (await states.get_states([workflow_id]))[workflow_id]
    return state is None or not (state.methods or state.properties or state.receivers)
