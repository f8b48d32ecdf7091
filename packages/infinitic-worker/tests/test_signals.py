import asyncio
import signal
import threading

import pytest

from infinitic_worker._signals import SIGNALS, on_signals


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_that_does_not_interrupt_the_sleep_of_the_loop_wakes_it(
    number: signal.Signals,
) -> None:
    received = asyncio.Event()

    def signal_to_itself() -> None:
        asleep.wait()
        signal.pthread_kill(threading.get_ident(), number)

    asleep = threading.Event()
    other = threading.Thread(target=signal_to_itself)
    other.start()
    with on_signals(received.set):
        asyncio.get_running_loop().call_soon(asleep.set)
        # No timeout of the loop's own: it would wake the loop, which then sees the signal.
        await received.wait()
    other.join()


@pytest.mark.parametrize("number", SIGNALS)
async def test_what_handled_signals_before_handles_them_after(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with on_signals(lambda: None):
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


async def test_outside_the_main_thread_nothing_is_changed() -> None:
    async def look() -> bool:
        before = signal.getsignal(signal.SIGTERM)
        with on_signals(lambda: None):
            return signal.getsignal(signal.SIGTERM) is before

    assert await asyncio.to_thread(asyncio.run, look())
