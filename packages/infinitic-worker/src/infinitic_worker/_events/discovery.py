"""Who there is to listen to: services and workflows, found again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

import attrs

from infinitic_common.events import ListenableTransport
from infinitic_common.exceptions import InfrastructureError
from infinitic_common.transport import TopicKind

_LOGGER = logging.getLogger(__name__)

SERVICE_KINDS = (TopicKind.SERVICE_EXECUTOR_EVENT, TopicKind.SERVICE_EXECUTOR)
WORKFLOW_KINDS = (
    TopicKind.WORKFLOW_STATE_EVENT,
    TopicKind.WORKFLOW_STATE_CMD,
    TopicKind.WORKFLOW_STATE_ENGINE,
)
_FIRST_SECONDS = 1.0
_LEAST_SECONDS = 0.05

Found = Callable[[str], Awaitable[None]]
"""Told of a name that was not known before."""


@attrs.frozen
class Filter:
    """Which names are listened to.

    Attributes:
        allow: The only ones; None for all.
        disallow: None of these.
    """

    allow: frozenset[str] | None = None
    disallow: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Whether a name is listened to."""
        return name not in self.disallow and (self.allow is None or name in self.allow)


class Discovery:
    """Finds services, or workflows, by their topics; each once.

    Names that are allowed explicitly need not be found: they are there from the start. After a new
    name the next look is soon, then later and later up to the interval.

    Args:
        transport: Knows the topics.
        kinds: Whose topics tell of a name.
        names: Which names matter.
        seconds: The interval.
        found: Told of each.
    """

    def __init__(
        self,
        transport: ListenableTransport | None,
        kinds: Sequence[TopicKind],
        names: Filter,
        seconds: float,
        found: Found,
    ) -> None:
        self._transport = transport
        self._kinds = kinds
        self._names = names
        self._longest = max(seconds, _LEAST_SECONDS)
        self._found = found
        self._known: set[str] = set()

    async def look(self) -> bool:
        """Look once; whether there was a new name."""
        return await self._tell(self._names.allow or ()) | await self._tell(await self._listed())

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        seconds = min(_FIRST_SECONDS, self._longest)
        while self._transport is not None:
            await asyncio.sleep(seconds)
            try:
                new = await self.look()
            except InfrastructureError as error:
                _LOGGER.warning("nobody knows which topics there are now: %s", error)
                continue
            seconds = min(_FIRST_SECONDS if new else 2 * seconds, self._longest)

    async def _listed(self) -> Collection[str]:
        if self._transport is None:
            return ()
        found = [await self._transport.entities(kind) for kind in self._kinds]
        return sorted(frozenset[str]().union(*found))

    async def _tell(self, names: Collection[str]) -> bool:
        new = [name for name in names if name not in self._known and self._names.takes(name)]
        for name in new:
            await self._found(name)
            self._known.add(name)
        return bool(new)
