"""Making anew what stays disconnected although the broker is back.

The client library tries again at intervals that double up to a minute, which is as long as work
would stand still after an outage. A new consumer or producer tries at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import urlsplit

_LOGGER = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_PATIENT_LOOKS = 3
"""So often the client library is left to connect by itself: a topic may just have moved."""

_MOST_PATIENT_LOOKS = 60

_GLANCES = 10
"""So often in a look for what may be gone: each try of the client library costs two warnings."""

_CONNECT_SECONDS = 2.0


class Watched(Protocol):
    """What keeps a connection."""

    @property
    def label(self) -> str:
        """What it is, for the log."""
        ...

    @property
    def expendable(self) -> bool:
        """Whether it may have lost for good what it leads to; it is then given up at once."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether a broker holds it."""
        ...

    async def renew(self) -> None:
        """Give it up; whoever needs it makes another one."""
        ...


class _Patience:
    """How long each is left to connect by itself."""

    def __init__(self) -> None:
        self._looks: dict[Watched, int] = {}
        self._longest: dict[str, int] = {}

    def overdue(self, watched: Iterable[Watched]) -> list[Watched]:
        """Look at all; those that were disconnected for as many looks as they are given."""
        looks: dict[Watched, int] = {}
        for each in watched:
            if each.is_connected:
                self._longest.pop(each.label, None)
            else:
                looks[each] = self._looks.get(each, 0) + 1
        self._looks = looks
        return [each for each, count in looks.items() if count >= self._of(each)]

    def begin_again(self) -> None:
        """Count from the next look on."""
        self._looks = {}

    def grow(self, renewed: Watched) -> None:
        """Give one that is renewed longer the next time.

        A broker that has just come back may need longer than the first patience lasts: it must not
        be asked anew before it could answer.
        """
        self._longest[renewed.label] = min(2 * self._of(renewed), _MOST_PATIENT_LOOKS)
        self._looks.pop(renewed, None)

    def _of(self, watched: Watched) -> int:
        # By label: what is renewed is another one afterwards.
        return self._longest.get(watched.label, _PATIENT_LOOKS)


async def watch(
    watched: Callable[[], Iterable[Watched]], url: str, look_seconds: float = _LOOK_SECONDS
) -> None:
    """Renew what stays disconnected while a broker can be reached; until cancelled.

    Args:
        watched: All there is to watch now.
        url: Where the brokers are, as ``pulsar://one:6650,two:6650``.
        look_seconds: How often to look.
    """
    patience = _Patience()
    while True:
        for _ in range(_GLANCES):
            await asyncio.sleep(look_seconds / _GLANCES)
            await _give_up(each for each in watched() if each.expendable)
        overdue = patience.overdue(each for each in watched() if not each.expendable)
        if not overdue:
            continue
        if not await is_reachable(url):
            # Once the broker is back the client library has its chance first.
            patience.begin_again()
            continue
        labels = ", ".join(sorted(each.label for each in overdue))
        _LOGGER.warning("%s: disconnected, and made again since the broker is back", labels)
        for each in overdue:
            patience.grow(each)
        await asyncio.gather(*(each.renew() for each in overdue))


async def _give_up(expendable: Iterable[Watched]) -> None:
    await asyncio.gather(*(each.renew() for each in expendable if not each.is_connected))


async def is_reachable(url: str) -> bool:
    """Whether any of the brokers takes a connection."""
    addresses = [urlsplit(f"//{address}") for address in url.partition("://")[2].split(",")]
    default = 6651 if url.startswith("pulsar+ssl") else 6650
    found = await asyncio.gather(
        *(_connects(at.hostname or "", at.port or default) for at in addresses)
    )
    return any(found)


async def _connects(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
