"""The storages that the components of a worker use."""

import logging
from collections.abc import Callable
from typing import cast

from infinitic_common.configuration import (
    CacheConfiguration,
    ConfigurationError,
    Problem,
    StorageConfiguration,
)
from infinitic_common.discovery import CACHES, STORAGES, load_entry_point
from infinitic_common.storage import Storage

_Opener = Callable[[StorageConfiguration], Storage]
_CacheOpener = Callable[[Storage, CacheConfiguration], Storage]

_LOGGER = logging.getLogger(__name__)


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
        storage = cached(opener(wanted))
        self._opened.append((wanted, storage))
        return storage


def _cacher(configuration: CacheConfiguration | None) -> Callable[[Storage], Storage]:
    """What puts the cache in front of a storage; loaded before there is a storage to close."""
    if configuration is None:
        return lambda storage: storage
    opener = cast("_CacheOpener", load_entry_point(CACHES, "inMemory"))
    return lambda storage: opener(storage, configuration)
