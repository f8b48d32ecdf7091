"""What is left of a workflow."""

import asyncio

from harness.deployment import Deployment

_LIMIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


async def state_is_gone(deployment: Deployment, contract: type, workflow_id: str) -> None:
    """Wait until at most a tombstone is left: the outcome, without runs and properties."""
    which = (deployment, contract, workflow_id)
    async with asyncio.timeout(_LIMIT_SECONDS):
        while not await _is_gone(*which):  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(_PAUSE_SECONDS)


async def _is_gone(deployment: Deployment, contract: type, workflow_id: str) -> bool:
    client = deployment.client
    state = await client.get_state(client.get_workflow_by_id(contract, workflow_id))
    return state is None or not (state["methods"] or state["properties"])
