"""What is left of a workflow, in its storage."""

import asyncio

from harness.deployment import Deployment
from infinitic_workflow_engine import KeyValueWorkflowStateStorage, Retention

_LIMIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


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
