"""Work that an event may cut short."""

import asyncio
from collections.abc import Coroutine


async def unless(event: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Run some work to its end, or cancel it once the event is set; tells whether it ended.

    Raises whatever the work raises.
    """
    task, watch = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
        watch.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)
    if task.cancelled():
        return False
    task.result()
    return True
