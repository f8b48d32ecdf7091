"""A shop with two listeners for each way to run workflow code."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent.parent))

from harness.modes import Mode

from events.listening import LOCAL, REMOTE, Heard, HeardTogether, Memory, Shop, shop
from events.programs import Orders, Stock
from infinitic_client import AsyncInfiniticClient
from infinitic_common.configuration import BatchConfiguration
from infinitic_worker import EventListener


@attrs.frozen
class Told:
    """A shop, and who hears of it."""

    shop: Shop
    mode: Mode
    single: Heard
    together: HeardTogether

    @property
    def client(self) -> AsyncInfiniticClient:
        """A client of the shop."""
        return self.shop.client

    @property
    def memories(self) -> tuple[Memory, Memory]:
        """What each of the two heard."""
        return self.single, self.together


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=[LOCAL, REMOTE], ids=lambda mode: mode.name
)
async def told(request: pytest.FixtureRequest) -> AsyncIterator[Told]:
    """A shop for all tests of a mode."""
    mode: Mode = request.param
    single, together = Heard(), HeardTogether()
    batch = BatchConfiguration(max_messages=50, max_seconds=0.02)
    # Named ones are heard from the start, by both.
    names = {"allow_services": [Stock], "allow_workflows": [Orders]}
    listeners = [
        EventListener(single, subscription_name="single", concurrency=2, **names),
        EventListener(together, subscription_name="together", batch=batch, **names),
    ]
    async with shop(mode, listeners=listeners) as running:
        yield Told(running, mode, single, together)
