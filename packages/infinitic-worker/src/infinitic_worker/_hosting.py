"""Components started together, and stopped together."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

import attrs

from infinitic_common.client import AsyncClient, AsyncClientFactory, Client
from infinitic_common.component import Component
from infinitic_common.transport import Transport
from infinitic_common.workflow_tasks import WorkflowTaskHandler
from infinitic_worker._events.listener import EventListener
from infinitic_worker._host import Host
from infinitic_worker._in_flight import log_in_flight
from infinitic_worker._storages import Storages
from infinitic_worker._waiting import unless
from infinitic_worker._watching import Watching, WatchSettings

_LOGGER = logging.getLogger(__name__)

_RELEASE_SECONDS = 5.0
"""How long the client or the transport may take to release what it holds."""

_HURRIED_RELEASE_SECONDS = 0.5


@attrs.frozen(eq=False)
class Parts:
    """What a worker is made of.

    Attributes:
        client_factory: Makes the client; None for no client.
        close_transport: Whether the transport is closed with the worker.
        watch: How it is watched.
    """

    worker_name: str
    transport: Transport
    storages: Storages
    components: tuple[Component, ...]
    client_factory: AsyncClientFactory | None
    close_transport: bool
    watch: WatchSettings = attrs.field(factory=WatchSettings)


class Hosting:
    """Starts the components of a worker on the running event loop, and stops them.

    Attributes:
        client: For threads other than that of the event loop; None when there is none.
        async_client: The same for coroutines.
        phase: ``starting``, ``ready`` or ``stopping``.
    """

    def __init__(self, parts: Parts) -> None:
        self.client: Client | None = None
        self.async_client: AsyncClient | None = None
        self._parts = parts
        self._started: list[Component] = []
        self.phase = "starting"
        self._watching = Watching(parts.watch, parts.worker_name, parts.transport, parts.storages)

    @property
    def components(self) -> Sequence[Component]:
        """What has been started."""
        return self._started

    async def start(self) -> None:
        """Start every component; returns when all of them receive.

        Raises what a component raises, with a note that names it. ``stop`` is due then too.
        """
        parts, watching = self._parts, self._watching
        await watching.open(self)
        if parts.client_factory is not None:
            self.async_client = parts.client_factory(
                transport=watching.transport, close_transport=False
            )
            self.client = self.async_client.blocking()
        handlers = _handlers(parts.components)
        for each in sorted(parts.components, key=_place):
            await self._start_one(each, handlers)
        self.phase = "ready"

    async def stop(self, grace_seconds: float, hurry: asyncio.Event) -> None:
        """Stop receiving, finish what is in flight, release everything.

        Args:
            grace_seconds: How long what is in flight may take, all components together.
            hurry: Ends the wait for it.
        """
        self.phase = "stopping"
        await unless(hurry, self._stop_components(grace_seconds))
        log_in_flight(self._started)
        seconds = _HURRIED_RELEASE_SECONDS if hurry.is_set() else _RELEASE_SECONDS
        if self.async_client is not None:
            await _release("client", self.async_client.close, seconds)
        if self._parts.close_transport:
            await _release("transport", self._parts.transport.close, seconds)
        await _release("storages", self._parts.storages.close, seconds)
        await _release("metrics and health", self._watching.close, seconds)

    async def _start_one(
        self, component: Component, handlers: dict[str, WorkflowTaskHandler]
    ) -> None:
        text, parts = str(component), self._parts
        host = Host(
            transport=self._watching.transport,
            worker_name=parts.worker_name,
            client=self.client,
            async_client=self.async_client,
            asker=text,
            storages=parts.storages,
            handlers=handlers,
            telemetry=self._watching.telemetry,
        )
        self._started.append(component)  # before: a start that fails half-way is stopped too
        try:
            await component.start(host)
        except Exception as error:
            error.add_note(f"while starting {text}")
            raise
        _LOGGER.info("%s", text, extra={"component": component.label})

    async def _stop_components(self, grace_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + grace_seconds
        # State engines finish their turns with the executors of workflows, which end after them.
        for last in (False, True):
            now = [each for each in self._started if _is_handler(each) is last]
            rest = max(0.0, end - loop.time())
            await asyncio.gather(*(_stop_one(component, rest) for component in now))


async def _stop_one(component: Component, grace_seconds: float) -> None:
    try:
        await component.stop(grace_seconds)
    except Exception:
        label = component.label
        _LOGGER.exception("%s could not be stopped", label, extra={"component": label})


async def _release(what: str, close: Callable[[], Awaitable[None]], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await close()
    except TimeoutError:
        _LOGGER.warning("%s: not closed within %s s, left alone", what, seconds)
    except Exception:
        _LOGGER.exception("%s could not be closed", what)


def _place(component: Component) -> int:
    """What runs workflow code comes first: a state engine uses it from its first message on.

    A listener comes last: it finds what the others read.
    """
    return 2 if isinstance(component, EventListener) else int(not _is_handler(component))


def _is_handler(component: Component) -> bool:
    return isinstance(component, WorkflowTaskHandler)


def _handlers(components: Iterable[Component]) -> dict[str, WorkflowTaskHandler]:
    handlers = [each for each in components if isinstance(each, WorkflowTaskHandler)]
    return {handler.workflow_name: handler for handler in handlers}
