"""The storages that the components of a worker use."""

import logging
from collections.abc import Callable, Sequence
from typing import cast

from infinitic_common.configuration import (
    CacheConfiguration,
    ConfigurationError,
    Problem,
    StorageConfiguration,
)
from infinitic_common.discovery import CACHES, STORAGES, load_entry_point
from infinitic_common.storage import Storage
from infinitic_worker._metrics.instruments import Instruments
from infinitic_worker._metrics.storage import MeteredCache, MeteredStorage

_Opener = Callable[[StorageConfiguration], Storage]
_CacheOpener = Callable[[Storage, CacheConfiguration], Storage]

_LOGGER = logging.getLogger(__name__)

_PROBE = "infinitic.health"
"""A key that nobody writes."""


class Storages:
    """One storage for each configuration asked for, and a default one.

    Args:
        default: What components share that have no storage of their own.
        default_configuration: The same when it is to be opened by the worker.
        close_default: Whether ``default`` is closed with the others.
    """

    def __init__(
        self,
        default: Storage | None = None,
        *,
        default_configuration: StorageConfiguration | None = None,
        close_default: bool = True,
    ) -> None:
        self._default = default
        self._default_configuration = default_configuration
        self._close_default = close_default
        # A list: the options of a storage of another wheel are plain data, which has no hash.
        self._opened: list[tuple[StorageConfiguration, Storage]] = []
        self._instruments: Instruments | None = None
        self._servers: dict[str, Storage] = {} if default is None else {"default": default}

    def measure(self, instruments: Instruments) -> None:
        """Have what goes through storages measured from now on; before any is asked for."""
        self._instruments = instruments
        if self._default is not None:
            kind = type(self._default).__name__
            self._default = MeteredStorage(self._default, instruments, kind)

    async def problems(self) -> Sequence[str]:
        """Which of the storages in use cannot be read now, and why."""
        found: list[str] = []
        for name, storage in list(self._servers.items()):
            try:
                await storage.key_values.get([_PROBE])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                found.append(f"{name}: {type(error).__name__}: {error}")
        return found

    def get(self, configuration: StorageConfiguration | None, asker: str) -> Storage:
        """The storage of that configuration, or the default one.

        Raises:
            ConfigurationError: There is no default one; names the component that asks.
            ComponentNotInstalled: The wheel of the storage, its driver or its cache is missing.
        """
        if configuration is None and self._default is not None:
            return self._default
        wanted = configuration or self._default_configuration
        if wanted is None:
            remedy = "give the worker a storage, as `storage: inMemory` at the top"
            raise ConfigurationError([Problem("storage", f"{asker} needs a storage", remedy)])
        return self._found(wanted) or self._open(wanted)

    async def close(self) -> None:
        """Close all; one that cannot be closed does not keep the others open."""
        storages = [storage for _, storage in self._opened]
        if self._default is not None and self._close_default:
            storages.append(self._default)
        for storage in storages:
            try:
                await storage.close()
            except Exception:
                _LOGGER.exception("a storage could not be closed")

    def _found(self, wanted: StorageConfiguration) -> Storage | None:
        return next((storage for known, storage in self._opened if known == wanted), None)

    def _open(self, wanted: StorageConfiguration) -> Storage:
        opener = cast("_Opener", load_entry_point(STORAGES, wanted.kind))
        cached = _cacher(wanted.cache)
        bare = opener(wanted)
        self._servers[f"{wanted.kind} {len(self._opened) + 1}"] = bare
        storage = self._measured(bare, wanted, cached)
        self._opened.append((wanted, storage))
        return storage

    def _measured(
        self, bare: Storage, wanted: StorageConfiguration, cached: Callable[[Storage], Storage]
    ) -> Storage:
        """The storage behind its cache, each of them measured when metrics are wanted."""
        instruments = self._instruments
        if instruments is None:
            return cached(bare)
        measured = MeteredStorage(bare, instruments, wanted.kind)
        if wanted.cache is None:
            return measured
        return MeteredCache(cached(measured), instruments)


def _cacher(configuration: CacheConfiguration | None) -> Callable[[Storage], Storage]:
    """What puts the cache in front of a storage; loaded before there is a storage to close."""
    if configuration is None:
        return lambda storage: storage
    opener = cast("_CacheOpener", load_entry_point(CACHES, "inMemory"))
    return lambda storage: opener(storage, configuration)
