import asyncio

import pytest

from infinitic_transport_pulsar._window import Window


async def test_what_fits_enters_at_once() -> None:
    window = Window(messages=10, size=100)
    async with asyncio.timeout(30):
        await window.enter(5, 50)
        await window.enter(5, 50)


@pytest.mark.parametrize(("messages", "size"), [(6, 1), (1, 60)])
async def test_what_does_not_fit_waits_for_others_to_leave(messages: int, size: int) -> None:
    window = Window(messages=10, size=100)
    await window.enter(5, 50)
    waiting = asyncio.ensure_future(window.enter(messages, size))
    await asyncio.sleep(0)
    assert not waiting.done()
    window.leave(5, 50)
    await waiting


async def test_nobody_overtakes() -> None:
    window, entered = Window(messages=10, size=100), list[str]()

    async def enter(name: str, messages: int) -> None:
        await window.enter(messages, 1)
        entered.append(name)

    await window.enter(10, 1)
    tasks = [asyncio.ensure_future(enter("large", 8)), asyncio.ensure_future(enter("small", 1))]
    await asyncio.sleep(0)
    window.leave(5, 1)
    await asyncio.sleep(0)
    assert entered == []
    window.leave(5, 0)
    await asyncio.gather(*tasks)
    assert entered == ["large", "small"]


async def test_what_is_larger_than_all_room_enters_alone() -> None:
    window = Window(messages=10, size=100)
    await window.enter(1, 1000)
    waiting = asyncio.ensure_future(window.enter(1, 1))
    await asyncio.sleep(0)
    assert not waiting.done()
    window.leave(1, 1000)
    await waiting


async def test_one_who_gives_up_lets_the_next_in() -> None:
    window = Window(messages=10, size=100)
    await window.enter(9, 1)
    gives_up = asyncio.ensure_future(window.enter(5, 1))
    patient = asyncio.ensure_future(window.enter(2, 1))
    await asyncio.sleep(0)
    gives_up.cancel()
    window.leave(1, 1)
    await patient


async def test_one_who_gives_up_when_admitted_leaves() -> None:
    window = Window(messages=10, size=100)
    await window.enter(10, 1)
    gives_up = asyncio.ensure_future(window.enter(10, 1))
    await asyncio.sleep(0)
    window.leave(10, 1)
    gives_up.cancel()
    async with asyncio.timeout(30):
        await window.enter(10, 1)
