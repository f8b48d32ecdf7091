from collections.abc import AsyncIterator

import pytest

from events.listening import Scene, components, listened


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """The shop in memory, and who listens to it."""
    async with listened(components()) as running:
        yield running


@pytest.fixture
async def remote() -> AsyncIterator[Scene]:
    """The same with workflow tasks that travel."""
    async with listened(components(remote=True)) as running:
        yield running
