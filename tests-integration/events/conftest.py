"""A shop in memory in each mode, for all tests of the contents of events."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from harness.modes import Mode

from events.contents import Told
from events.hearing import LOCAL, REMOTE, Heard, HeardTogether, shop
from events.programs import Orders, Stock
from infinitic_common.configuration import BatchConfiguration
from infinitic_worker import EventListener


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=[LOCAL, REMOTE], ids=lambda mode: mode.name
)
async def told(request: pytest.FixtureRequest) -> AsyncIterator[Told]:
    """A shop for all tests of a mode."""
    mode: Mode = request.param
    single, together = Heard(), HeardTogether()
    batch = BatchConfiguration(max_messages=50, max_seconds=0.02)
    # Named ones are heard from the start, by both.
    names: dict[str, Any] = {"allow_services": [Stock], "allow_workflows": [Orders]}
    listeners = [
        EventListener(single, subscription_name="single", concurrency=2, **names),
        EventListener(together, subscription_name="together", batch=batch, **names),
    ]
    async with shop(mode, listeners=listeners) as running:
        yield Told(running, mode, single, together)
