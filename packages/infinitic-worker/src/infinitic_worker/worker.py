"""The worker: hosts components over one transport, from start to graceful stop."""

import asyncio
import concurrent.futures
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import NoReturn, Self, cast

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from infinitic_common.arguments import demand_flags, demand_kinds
from infinitic_common.client import AsyncClient, AsyncClientFactory, Client
from infinitic_common.component import Component
from infinitic_common.configuration import (
    HealthConfiguration,
    MetricsConfiguration,
    Source,
    WorkerConfiguration,
    file_source,
    load_configuration,
    resource_source,
    string_source,
)
from infinitic_common.discovery import CLIENTS, installed_names, load_entry_point
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport
from infinitic_worker._assembly import components_of, open_transport
from infinitic_worker._demands import demand_grace, demand_parts
from infinitic_worker._errors import WorkerError
from infinitic_worker._hosting import Hosting, Parts
from infinitic_worker._life import Life
from infinitic_worker._logs import configure_logs
from infinitic_worker._signals import serve
from infinitic_worker._storages import Storages
from infinitic_worker._tracing import global_tracer_provider
from infinitic_worker._watching import WatchSettings

_LOGGER = logging.getLogger(__name__)

_CLIENT = "async"


class InfiniticWorker:
    """Hosts components over a transport.

    ``start()`` blocks until the worker is closed, from elsewhere or by SIGTERM or SIGINT.
    ``with worker:`` runs it in a thread of its own, ``async with worker:`` in the event loop of
    the caller; both go on when every component receives. A worker starts once.
    """

    def __init__(  # noqa: PLR0913 - each is a decision of the user
        self,
        *,
        transport: Transport,
        components: Sequence[Component],
        storage: Storage | None = None,
        name: str | None = None,
        shutdown_grace_seconds: float = 30.0,
        client_factory: AsyncClientFactory | None = None,
        close_transport: bool = True,
        close_storage: bool = True,
        metrics: MetricsConfiguration | None = None,
        meter_provider: MeterProvider | None = None,
        tracer_provider: TracerProvider | None = None,
        health: HealthConfiguration | None = None,
    ) -> None:
        """Take what to host; nothing starts yet.

        Args:
            transport: Moves the messages.
            components: Executors and engines.
            storage: The storage of components that have none of their own.
            name: Unique name of the worker; by default that of the transport.
            shutdown_grace_seconds: How long what is in flight may take when the worker stops.
            client_factory: Makes ``client`` and ``async_client``, as ``AsyncInfiniticClient``
                does; by default that class when infinitic-client is installed.
            close_transport: Whether the transport is closed with the worker; False when others
                use it.
            close_storage: The same for the storage.
            metrics: What is measured, and where Prometheus finds it; None for nothing.
            meter_provider: Gets the metrics instead, or without ``metrics``; it is not shut down.
            tracer_provider: Gets spans of tasks and workflow methods; None for no traces.
            health: Where its health is told; None for nowhere.

        Raises:
            ConfigurationError: Two components run the code of one workflow.
            InvalidSetting: Something is not what is asked for, as a class where its instance is.
        """
        demand_parts(transport, storage, components)
        demand_kinds(MetricsConfiguration, metrics=metrics)
        demand_kinds(HealthConfiguration, health=health)
        demand_flags(close_transport=close_transport, close_storage=close_storage)
        demand_grace(shutdown_grace_seconds)
        self._name = transport.name if name is None else name
        self._transport = transport
        self._storages = Storages(storage, close_default=close_storage)
        self._components = tuple(components)
        self._grace_seconds = shutdown_grace_seconds
        self._client_factory = client_factory
        self._close_transport = close_transport
        self._watch = WatchSettings(
            metrics=metrics,
            meter_provider=meter_provider,
            tracer_provider=tracer_provider,
            health=health,
        )
        self._configuration: WorkerConfiguration | None = None
        self._starting = threading.Lock()
        self._life: Life | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def from_configuration(cls, configuration: WorkerConfiguration) -> Self:
        """A worker that hosts what a configuration says.

        Raises:
            ComponentNotInstalled: A wheel is missing; says which one to install.
            ConfigurationError: Lists every class that cannot be loaded or does not fit.
        """
        _LOGGER.debug("configuration: %r", configuration)  # passwords are masked in it
        worker = cls(
            transport=open_transport(configuration),
            components=components_of(configuration),
            name=configuration.name,
            shutdown_grace_seconds=configuration.transport.shutdown_grace_period_seconds,
            metrics=configuration.metrics,
            tracer_provider=global_tracer_provider() if configuration.tracing else None,
            health=configuration.health,
        )
        worker._storages = Storages(default_configuration=configuration.storage)
        worker._configuration = configuration
        return worker

    @classmethod
    def from_yaml_file(cls, *paths: str | os.PathLike[str]) -> Self:
        """A worker from YAML files; of a key given twice the first file's value holds.

        Without any, from the files that the variable ``INFINITIC_CONFIG`` lists.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: A wheel is missing.
        """
        return cls._from_sources(map(file_source, paths))

    @classmethod
    def from_yaml_resource(cls, *names: str) -> Self:
        """A worker from YAML files inside packages, as ``package:folder/file.yml``.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: A wheel is missing.
        """
        return cls._from_sources(map(resource_source, names))

    @classmethod
    def from_yaml_string(cls, *texts: str) -> Self:
        """A worker from YAML texts.

        Raises:
            ConfigurationError: Lists everything that is wrong.
            ComponentNotInstalled: A wheel is missing.
        """
        return cls._from_sources(map(string_source, texts))

    @classmethod
    def _from_sources(cls, sources: Iterable[Source]) -> Self:
        return cls.from_configuration(load_configuration(WorkerConfiguration, *sources))

    # --- what it is made of -------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The unique name of this worker."""
        return self._name

    @property
    def configuration(self) -> WorkerConfiguration | None:
        """What it was made from; None when it was composed by hand."""
        return self._configuration

    @property
    def transport(self) -> Transport:
        """The transport of this worker."""
        return self._transport

    @property
    def components(self) -> tuple[Component, ...]:
        """What it hosts."""
        return self._components

    @property
    def client(self) -> Client:
        """A client over the transport of this worker, for threads other than the worker's.

        Raises:
            WorkerError: The worker is not started.
            ComponentNotInstalled: There is no client; says what to install.
        """
        client = self._hosting().client
        if client is None:
            _no_client()
        return client

    @property
    def async_client(self) -> AsyncClient:
        """The same client for coroutines on the worker's event loop.

        Raises:
            WorkerError: The worker is not started.
            ComponentNotInstalled: There is no client; says what to install.
        """
        client = self._hosting().async_client
        if client is None:
            _no_client()
        return client

    # --- life ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Run until closed, by ``close`` from elsewhere, SIGTERM or SIGINT; for scripts.

        A second signal gives up what is in flight.

        Raises:
            WorkerError: It was started before.
            Exception: Whatever hinders a component from starting; a note says which one. What was
                started is stopped then.
        """
        logs = None if self._configuration is None else self._configuration.logs
        if logs is not None and not logging.getLogger().handlers:
            configure_logs(logs.level, logs.format)
        asyncio.run(serve(self))

    async def run(self) -> None:
        """Run on this event loop until closed; cancelling it closes the worker gracefully.

        Raises:
            WorkerError: and what else ``start`` raises.
        """
        async with self:
            await cast("Life", self._life).until_over()

    async def open(self) -> None:
        """Start on this event loop; returns when every component receives.

        Raises:
            WorkerError: and what else ``start`` raises.
        """
        life = self._begin()
        try:
            await life.until_ready()
        except BaseException:
            life.end(at_once=True)
            await life.until_over()
            raise

    def close(self) -> None:
        """Stop receiving, finish what is in flight, release; returns when that is done.

        Before the start, and the second time, it only warns.

        Raises:
            WorkerError: It is called on the worker's own event loop, which it would block.
        """
        life = self._running()
        if life is not None:
            if life.is_here:
                msg = "close() would wait for its own event loop: use `await worker.aclose()`"
                raise WorkerError(msg)
            life.end()
            life.wait_until_over()

    async def aclose(self) -> None:
        """As ``close``, for coroutines."""
        life = self._running()
        if life is not None:
            life.end()
            await life.until_over()

    def request_close(self, *, at_once: bool = False) -> None:
        """Ask for the end, from any thread, without waiting for it.

        Args:
            at_once: Give up what is in flight; it is delivered again.
        """
        life = self._running()
        if life is not None:
            life.end(at_once=at_once)

    def __enter__(self) -> Self:
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run_in_thread(started)),
            name=f"infinitic-worker-{self._name}",
            daemon=True,
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            if self._life is not None:
                self._life.end(at_once=True)
            self._thread.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._life is not None and not self._life.over:
            self.close()
        if self._thread is not None:
            self._thread.join()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._life is not None and not self._life.over:
            await self.aclose()

    async def _run_in_thread(self, started: "concurrent.futures.Future[None]") -> None:
        try:
            await self.open()
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            started.set_exception(error)
            return
        started.set_result(None)
        await cast("Life", self._life).until_over()

    def _begin(self) -> Life:
        with self._starting:
            if self._life is not None:
                msg = f"worker {self._name} was started before: make another one"
                raise WorkerError(msg)
            self._life = Life(Hosting(self._parts()), self._name, self._grace_seconds)
            return self._life

    def _parts(self) -> Parts:
        return Parts(
            worker_name=self._name,
            transport=self._transport,
            storages=self._storages,
            components=self._components,
            client_factory=self._client_factory or _installed_client(),
            close_transport=self._close_transport,
            watch=self._watch,
        )

    def _running(self) -> Life | None:
        if self._life is None:
            _LOGGER.warning("worker %s is not started: there is nothing to close", self._name)
            return None
        if self._life.over:
            _LOGGER.warning("worker %s is closed already", self._name)
            return None
        return self._life

    def _hosting(self) -> Hosting:
        if self._life is None:
            msg = f"worker {self._name} has no client before it is started: use it inside `with`"
            raise WorkerError(msg)
        return self._life.hosting


def _installed_client() -> AsyncClientFactory | None:
    if _CLIENT not in installed_names(CLIENTS):
        return None
    return cast("AsyncClientFactory", load_entry_point(CLIENTS, _CLIENT))


def _no_client() -> NoReturn:
    load_entry_point(CLIENTS, _CLIENT)
    msg = "the client was installed after this worker was started: start another one"
    raise WorkerError(msg)
