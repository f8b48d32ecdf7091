"""Asking again: an answer that was lost with a connection must not be waited for for ever."""

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

import attrs

from infinitic_common.exceptions import Unavailable

_LOGGER = logging.getLogger(__name__)

FIRST_SECONDS = 5.0
"""The first pause; each one after it is twice as long."""

LONGEST_SECONDS = 60.0
"""No pause is longer: so late can an answer be that was lost while the broker was away.

An engine keeps results for its ``retention``, which is far longer.
"""


@attrs.define
class Hint:
    """What may be missing: of many who wait for it the first one tells, until it has answered.

    Attributes:
        text: For the log.
        told: Whether it was logged, and no answer has come since.
    """

    text: str
    told: bool = False


class Reminder:
    """Asks again while something is waited for, ever more rarely; used with ``with``.

    What is asked must be harmless when asked twice.

    Args:
        ask: Publishes the question again.
        hint: Told when there is no answer after the first pause; None to say nothing.
    """

    def __init__(self, ask: Callable[[], asyncio.Future[None]], hint: Hint | None = None) -> None:
        self._ask = ask
        self._hint = hint
        self._pause = FIRST_SECONDS
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._schedule()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._hint is not None and kind is None:
            self._hint.told = False

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._remind)

    def _remind(self) -> None:
        if self._hint is not None and self._pause == FIRST_SECONDS and not self._hint.told:
            self._hint.told = True
            _LOGGER.warning("no answer yet after %g s: %s", self._pause, self._hint.text)
        self._pause = min(2 * self._pause, LONGEST_SECONDS)
        self._schedule()
        self._ask().add_done_callback(_log_failure)


def _log_failure(published: asyncio.Future[None]) -> None:
    error = None if published.cancelled() else published.exception()
    if error is None:
        return
    # A broker that is away is the very reason for asking again, later.
    level = logging.DEBUG if isinstance(error, Unavailable) else logging.WARNING
    _LOGGER.log(level, "cannot ask again: %s", error)
