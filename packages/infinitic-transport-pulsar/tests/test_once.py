import asyncio

import pytest

from infinitic_transport_pulsar._once import Once


class Action:
    def __init__(self, *failures: Exception) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self._failures = list(failures)

    async def __call__(self) -> int:
        self.calls += 1
        await self.gate.wait()
        if self._failures:
            raise self._failures.pop()
        return self.calls


async def test_those_who_ask_together_share_one_try() -> None:
    once, action = Once(), Action()
    asking = [asyncio.ensure_future(once.do("a", action)) for _ in range(3)]
    action.gate.set()
    assert await asyncio.gather(*asking) == [1, 1, 1]
    assert await once.do("a", action) == 1


async def test_a_failure_is_not_remembered() -> None:
    once, action = Once(), Action(ValueError("no"))
    action.gate.set()
    with pytest.raises(ValueError, match="no"):
        await once.do("a", action)
    assert await once.do("a", action) == 2


async def test_one_who_gives_up_does_not_take_it_from_others() -> None:
    once, action = Once(), Action()
    gives_up = asyncio.ensure_future(once.do("a", action))
    patient = asyncio.ensure_future(once.do("a", action))
    await asyncio.sleep(0)
    gives_up.cancel()
    action.gate.set()
    assert await patient == 1


async def test_what_is_forgotten_is_done_again() -> None:
    once, action = Once(), Action()
    action.gate.set()
    await once.do("a", action)
    once.forget("a")
    assert await once.do("a", action) == 2
