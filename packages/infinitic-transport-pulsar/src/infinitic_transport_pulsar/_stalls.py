"""Messages that the broker keeps back from the process that it would give them to.

When a process leaves an ordered subscription while a message is on its way to it, the broker may
begin to wait for new messages before it turns back to those that the process had not acknowledged.
They then come when the next message of their partition does, which on a quiet topic may be never:
``decisions/messages-held-back.md``. A consumer that is made anew gets them at once.
"""

import asyncio
from collections.abc import Awaitable, Callable

from infinitic_common._consumption import BackOff
from infinitic_common.transport import Counts, Topic

_LOOKS = BackOff(first=3.0, longest=60.0)
_DOUBT_SECONDS = 1.0
"""What is published or acknowledged just now is under way for a moment, and not held back."""

Look = Callable[[], Awaitable[frozenset[Topic]]]
"""Asks from which topics messages wait for this process."""


async def until_held_back(
    counts: Callable[[], Counts],
    look: Look,
    looks: BackOff = _LOOKS,
    doubt_seconds: float = _DOUBT_SECONDS,
) -> frozenset[Topic]:
    """Wait until messages wait for a process that has nothing to do; answers in which topics.

    Args:
        counts: What went through its consumption so far.
        look: Is asked only while the process has nothing to do, and ever more seldom.
        looks: Waits between its looks.
        doubt_seconds: How long what a look found must stay as it is.
    """
    done = 0
    while True:
        before = counts()
        await asyncio.sleep(looks.seconds(done + 1))
        if before.remaining or counts() != before:
            done = 0
            continue
        done += 1
        suspected = await look()
        if suspected:
            await asyncio.sleep(doubt_seconds)
            found = suspected & await look()
            if found and counts() == before:
                return found
