"""An event loop on which waiting takes no time."""

from __future__ import annotations

import asyncio
import selectors

_STUCK_SECONDS = 30


class VirtualSelector(selectors.DefaultSelector):
    """Jumps to the next timer instead of waiting for it, except while a thread is at work."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.working_threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready to be read: only threads of workflow code ever write."""
        if self.working_threads:
            if timeout == 0:
                return super().select(0)
            found = super().select(_STUCK_SECONDS)
            if not found:
                msg = f"workflow code did not stop within {_STUCK_SECONDS} s"
                raise RuntimeError(msg)
            return found
        if timeout is None:
            msg = "the simulation is stuck: nobody will do anything any more"
            raise RuntimeError(msg)
        self.time += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, in seconds from 0."""

    def __init__(self) -> None:
        self.virtual = VirtualSelector()
        super().__init__(self.virtual)

    def time(self) -> float:
        """See ``asyncio.AbstractEventLoop``."""
        return self.virtual.time


def virtual_loop() -> VirtualLoop:
    """The running loop, which is a virtual one."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        msg = f"{loop!r} is no VirtualLoop: run the simulation with asyncio.Runner"
        raise TypeError(msg)
    return loop
