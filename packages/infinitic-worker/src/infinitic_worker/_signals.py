"""SIGTERM and SIGINT, as calls on the event loop."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Generator
from typing import Protocol

_LOGGER = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def on_signals(callback: Callable[[], None]) -> Generator[None, None, None]:
    """Have each SIGTERM and SIGINT call a function on the running event loop.

    Outside the main thread, which alone may handle signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        # Not signal.signal: what it calls waits until the loop wakes, and a signal that comes as the
        # loop falls asleep, or to another thread, wakes nobody.
        loop.add_signal_handler(number, callback)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


class Closable(Protocol):
    """What signals end."""

    async def run(self) -> None:
        """Run until closed."""
        ...

    def request_close(self, *, at_once: bool = False) -> None:
        """Ask for the end."""
        ...


async def serve(worker: Closable, *, patient: bool = False) -> None:
    """Run a worker until a signal asks for the end; a second one asks for it at once.

    Args:
        worker: The worker.
        patient: Take no notice of further signals.
    """
    received = 0

    def close() -> None:
        nonlocal received
        received += 1
        if received == 1:
            _LOGGER.info("stopping: a second signal would give up what is in flight")
            worker.request_close()
        elif not patient:
            worker.request_close(at_once=True)

    with on_signals(close):
        await worker.run()
