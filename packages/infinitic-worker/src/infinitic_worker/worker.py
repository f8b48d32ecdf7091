"""The worker: hosts components over one transport, from start to graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

from infinitic_common.client import AsyncClient, AsyncClientFactory, Client
from infinitic_common.component import Component
from infinitic_common.configuration import (
    StorageConfiguration,
    WorkerConfiguration,
    file_source,
    load_configuration,
    resource_source,
    string_source,
)
from infinitic_common.discovery import (
    CLIENTS,
    ComponentNotInstalled,
    load_entry_point,
)
from infinitic_common.exceptions import InfiniticError
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport
from infinitic_common.workflow_tasks import WorkflowTaskHandler

from infinitic_worker._assembly import components_of, open_storage, open_transport
from infinitic_worker._in_flight import log_in_flight

_LOGGER = logging.getLogger("infinitic.worker")


class WorkerError(InfiniticError):
    """A worker cannot start, or is used in a way it does not allow."""


class InfiniticWorker:
    """Hosts components over a transport.

    ``start()`` blocks until the worker is closed, by ``close()`` from elsewhere or by SIGTERM or
    SIGINT. ``with worker:`` runs it in a thread of its own, ``async with worker:`` in the event
    loop of the caller.

    Args:
        transport: Moves messages; closed with the worker.
        storage: The default storage of components; closed with the worker.
        components: Executors and engines.
        shutdown_grace_seconds: How long what is in flight may take when the worker stops.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        components: Sequence[Component],
        storage: Storage | None = None,
        shutdown_grace_seconds: float = 30.0,
    ) -> None:
        self._transport = transport
        self._storage = storage
        self._components = list(components)
        self._grace = shutdown_grace_seconds
        self._default_storage: StorageConfiguration | None = None
        self._storages: dict[StorageConfiguration, Storage] = {}
        self._async_client: AsyncClient | None = None
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._started: list[Component] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    @classmethod
    def from_configuration(cls, configuration: WorkerConfiguration) -> Self:
        """A worker that hosts what a configuration says.

        Raises:
            ComponentNotInstalled: A wheel is missing; says which one to install.
            ConfigurationError: A class cannot be used.
        """
        worker = cls(
            transport=open_transport(configuration),
            components=list(components_of(configuration)),
            shutdown_grace_seconds=configuration.transport.shutdown_grace_period_seconds,
        )
        worker._default_storage = configuration.storage
        _LOGGER.debug("configuration: %s", configuration)
        return worker

    @classmethod
    def from_yaml_file(cls, *paths: str | os.PathLike[str]) -> Self:
        """A worker from YAML files; of a key given twice the first file's value holds.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: A wheel is missing.
        """
        sources = map(file_source, paths)
        return cls.from_configuration(load_configuration(WorkerConfiguration, *sources))

    @classmethod
    def from_yaml_resource(cls, *names: str) -> Self:
        """A worker from YAML files inside packages, as ``package:folder/file.yml``.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: A wheel is missing.
        """
        sources = map(resource_source, names)
        return cls.from_configuration(load_configuration(WorkerConfiguration, *sources))

    @classmethod
    def from_yaml_string(cls, *texts: str) -> Self:
        """A worker from YAML texts.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: A wheel is missing.
        """
        sources = map(string_source, texts)
        return cls.from_configuration(load_configuration(WorkerConfiguration, *sources))

    # --- what components are given --------------------------------------------------------

    @property
    def transport(self) -> Transport:
        """The transport of this worker."""
        return self._transport

    @property
    def worker_name(self) -> str:
        """The unique name of this worker."""
        return self._transport.name

    @property
    def components(self) -> Sequence[Component]:
        """What it hosts."""
        return tuple(self._components)

    @property
    def client(self) -> Client:
        """A client over this worker's transport, for threads other than the worker's.

        Raises:
            WorkerError: The worker does not run, or infinitic-client is not installed.
        """
        if self._client is None:
            msg = (
                "this worker has no client: start it first, and have the wheel installed: "
                "pip install infinitic-client"
            )
            raise WorkerError(msg)
        return self._client

    def storage(self, configuration: StorageConfiguration | None = None) -> Storage:
        """The storage of that configuration, or the default one; opened once.

        Raises:
            WorkerError: No default storage was given.
        """
        if configuration is None and self._storage is not None:
            return self._storage
        wanted = configuration or self._default_storage
        if wanted is None:
            msg = "an engine needs a storage: give the worker one, `storage:` in its configuration"
            raise WorkerError(msg)
        if wanted not in self._storages:
            self._storages[wanted] = open_storage(wanted)
        return self._storages[wanted]

    def workflow_task_handler(self, workflow_name: str) -> WorkflowTaskHandler | None:
        """The hosted component that runs the code of that workflow; None when there is none."""
        for component in self._components:
            handles = hasattr(component, "confirm") and hasattr(component, "forget")
            if handles and getattr(component, "workflow_name", None) == workflow_name:
                return cast("WorkflowTaskHandler", component)
        return None

    # --- life ------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start every component; returns when all receive messages.

        Raises:
            WorkerError: It was closed. Whatever a component raises stops those already started.
        """
        if self._closed or self._loop is not None:
            msg = "a worker starts once: make a new one"
            raise WorkerError(msg)
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self._open_client()
        try:
            for component in self._components:
                await component.start(self)
                self._started.append(component)
                _LOGGER.info("%s started", component, extra={"component": component.label})
        except BaseException:
            await self.aclose()
            raise
        _LOGGER.info("worker %s ready", self.worker_name)

    def _open_client(self) -> None:
        try:
            factory = cast("AsyncClientFactory", load_entry_point(CLIENTS, "async"))
        except ComponentNotInstalled:
            return
        self._async_client = factory(transport=self._transport, close_transport=False)
        self._client = self._async_client.blocking()

    async def aclose(self) -> None:
        """Stop receiving, finish what is in flight, release; a second time only warns."""
        if self._closed:
            _LOGGER.warning("worker is closed already")
            return
        self._closed = True
        # Engines come after the executors they use, and stop before them.
        for component in reversed(self._started):
            await component.stop(self._grace)
        log_in_flight(_LOGGER, self._started)
        if self._async_client is not None:
            await self._async_client.close()
        await self._transport.close()
        for storage in [*self._storages.values(), *([self._storage] if self._storage else [])]:
            await storage.close()
        if self._closing is not None:
            self._closing.set()

    async def run(self) -> None:
        """Start, and serve until ``close`` is called or a signal asks to stop.

        A second signal ends the process at once.
        """
        await self.open()
        closing = cast("asyncio.Event", self._closing)
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, RuntimeError):
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._on_signal, loop)
        try:
            await closing.wait()
        finally:
            if not self._closed:
                await self.aclose()

    def _on_signal(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        _LOGGER.info("stopping: up to %s s for what is in flight", self._grace)
        cast("asyncio.Event", self._closing).set()

    def start(self) -> None:
        """Run until closed; for scripts."""
        asyncio.run(self.run())

    def close(self) -> None:
        """Have a worker that runs elsewhere stop; returns when it has, if it runs in a thread."""
        loop, closing = self._loop, self._closing
        if loop is None or closing is None or self._closed:
            _LOGGER.warning("worker does not run: nothing to close")
            return
        loop.call_soon_threadsafe(closing.set)
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        started = threading.Event()
        errors: list[BaseException] = []
        self._thread = threading.Thread(
            target=self._run_in_thread, args=(started, errors), name="infinitic-worker"
        )
        self._thread.start()
        started.wait()
        if errors:
            self._thread.join()
            raise errors[0]
        return self

    def _run_in_thread(self, started: threading.Event, errors: list[BaseException]) -> None:
        async def serve() -> None:
            try:
                await self.open()
            except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
                errors.append(error)
                return
            finally:
                started.set()
            await cast("asyncio.Event", self._closing).wait()
            if not self._closed:
                await self.aclose()

        asyncio.run(serve())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._closed:
            await self.aclose()
