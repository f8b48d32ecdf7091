import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from infinitic_transport_pulsar._watching import _GLANCES, is_reachable, watch

LOOK = 0.01


class Line:
    """A connection that breaks and heals as the test wants."""

    label = "line"

    def __init__(self, *, connected: bool, expendable: bool = False) -> None:
        self.is_connected = connected
        self.expendable = expendable
        self.renewed = asyncio.Event()

    async def renew(self) -> None:
        self.is_connected = True
        self.renewed.set()


class SlowLine:
    """One that connects only when it was left alone for some looks after it was renewed."""

    label = "slow line"
    expendable = False

    def __init__(self, looks: int) -> None:
        self.renewals = 0
        self.connected = asyncio.Event()
        self._looks = self._left = looks

    @property
    def is_connected(self) -> bool:
        if self.renewals:
            self._left -= 1
        if self._left < 0:
            self.connected.set()
        return self.connected.is_set()

    async def renew(self) -> None:
        self.renewals += 1
        self._left = self._looks


@pytest.fixture
async def broker() -> AsyncIterator[str]:
    """What takes connections, and nothing else."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield f"pulsar://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextlib.asynccontextmanager
async def watching(url: str, *lines: Line | SlowLine) -> AsyncIterator[list[int]]:
    looks = [0]

    def all_lines() -> tuple[Line | SlowLine, ...]:
        looks[0] += 1
        return lines

    task = asyncio.create_task(watch(all_lines, url, LOOK))
    yield looks
    task.cancel()


async def test_what_stays_disconnected_is_renewed_and_the_rest_is_left_alone(broker: str) -> None:
    broken, whole = Line(connected=False), Line(connected=True)
    async with asyncio.timeout(30), watching(broker, broken, whole):
        await broken.renewed.wait()
    assert not whole.renewed.is_set()


async def test_what_may_be_gone_for_good_is_given_up_without_a_word(
    broker: str, caplog: pytest.LogCaptureFixture
) -> None:
    gone, there = Line(connected=False, expendable=True), Line(connected=True, expendable=True)
    async with asyncio.timeout(30), watching(broker, there, gone):
        await gone.renewed.wait()
    assert not there.renewed.is_set()
    assert caplog.messages == []


async def test_what_takes_long_to_connect_is_given_more_and_more_time(broker: str) -> None:
    slow = SlowLine(looks=8)
    async with asyncio.timeout(30), watching(broker, slow):
        await slow.connected.wait()
    assert slow.renewals == 2  # after 3 looks, and 6 more; it is connected before 12 more


async def test_nothing_is_renewed_while_no_broker_can_be_reached() -> None:
    broken = Line(connected=False)
    async with asyncio.timeout(30), watching("pulsar://127.0.0.1:1", broken) as looks:
        # In each look it is asked what there is to watch once for each glance, and once more.
        while looks[0] < 20 * (_GLANCES + 1):  # noqa: ASYNC110 -- counted by another task
            await asyncio.sleep(LOOK)
    assert not broken.renewed.is_set()


async def test_one_of_several_brokers_is_enough(broker: str) -> None:
    assert await is_reachable(f"pulsar://127.0.0.1:1,{broker.removeprefix('pulsar://')}")
    assert not await is_reachable("pulsar+ssl://127.0.0.1:1")
