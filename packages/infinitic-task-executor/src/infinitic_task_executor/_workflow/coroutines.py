"""Driving the coroutine of a workflow without an event loop."""

from asyncio import events
from collections.abc import Coroutine
from typing import Any, NoReturn, cast

from infinitic_common.exceptions import ForeignAwait

_REMEDY = (
    "a workflow waits for its own deferreds only: use all_of or any_of instead of asyncio.gather "
    "and asyncio.wait, self.timer instead of asyncio.sleep, result(timeout=…) instead of "
    "asyncio.wait_for, self.dispatch instead of asyncio.create_task; I/O belongs in a service"
)


class RefusingLoop:
    """Stands for the running loop while the coroutine of a workflow runs: refuses everything."""

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse.

        Raises:
            ForeignAwait: Always.
        """
        msg = f"asyncio was asked for (loop.{name}) inside a workflow: {_REMEDY}"
        raise ForeignAwait(msg)

    def __hash__(self) -> int:
        # asyncio looks its current task up in a mapping that has loops as keys.
        msg = f"asyncio was asked for its current task inside a workflow: {_REMEDY}"
        raise ForeignAwait(msg)

    def __eq__(self, other: object) -> bool:
        return self is other

    def create_task(self, coroutine: object, **_: object) -> NoReturn:
        """Refuse, without leaving a coroutine that nobody awaits.

        Raises:
            ForeignAwait: Always.
        """
        if isinstance(coroutine, Coroutine):
            cast("Coroutine[Any, Any, object]", coroutine).close()
        msg = f"asyncio was asked for a task inside a workflow: {_REMEDY}"
        raise ForeignAwait(msg)


_REFUSING = cast("events.AbstractEventLoop", RefusingLoop())


def refuse_asyncio() -> None:
    """From now on asyncio finds, in this thread, a loop that refuses."""
    events._set_running_loop(_REFUSING)  # noqa: SLF001 - the documented hook of event loops


def allow_asyncio() -> None:
    """Take that loop away."""
    events._set_running_loop(None)  # noqa: SLF001 - the documented hook of event loops


def drive(coroutine: Coroutine[object, None, object]) -> object:
    """Run a coroutine to its end; its waits switch greenlets and never reach here.

    Raises:
        ForeignAwait: It awaited something that is not of its workflow.
    """
    try:
        foreign = coroutine.send(None)
        while True:
            msg = f"awaited something that gave {foreign!r:.80} to the event loop: {_REMEDY}"
            foreign = coroutine.throw(ForeignAwait(msg))
    except StopIteration as stop:
        return cast("object", stop.value)
