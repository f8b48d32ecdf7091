import asyncio
import threading
from functools import partial

from infinitic_transport_pulsar._bridge import LoopBridge

POSTS = 2000


async def test_what_threads_post_is_called_on_the_loop_in_their_order() -> None:
    bridge, seen, done = (
        LoopBridge(asyncio.get_running_loop()),
        list[tuple[int, int]](),
        asyncio.Event(),
    )

    def note(thread: int, index: int) -> None:
        seen.append((thread, index))
        if len(seen) == 2 * POSTS:
            done.set()

    def post(thread: int) -> None:
        for index in range(POSTS):
            bridge.post(partial(note, thread, index))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    async with asyncio.timeout(30):
        await done.wait()
    for number in range(2):
        assert [index for thread, index in seen if thread == number] == list(range(POSTS))


def test_posting_to_a_loop_that_is_closed_does_nothing() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    LoopBridge(loop).post(lambda: None)
