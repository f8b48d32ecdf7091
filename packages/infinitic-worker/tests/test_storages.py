"""The storages of a worker, and the cache in front of one."""

from pathlib import Path

import attrs
import pytest
from worker_doubles import RecordingStorage
from worker_sites import announce

from infinitic_common.configuration import CacheConfiguration, StorageConfiguration
from infinitic_common.discovery import ComponentNotInstalled
from infinitic_common.storage import Storage
from infinitic_worker._storages import Storages

CACHE = CacheConfiguration(maximum_size=3)
CACHED = StorageConfiguration("probe", {"host": "a"}, cache=CACHE)
PLAIN = attrs.evolve(CACHED, cache=None)


@attrs.define(eq=False)
class RecordingCache(RecordingStorage):
    inner: Storage | None = None
    limits: CacheConfiguration | None = None


def open_cache(storage: Storage, configuration: CacheConfiguration) -> RecordingCache:
    return RecordingCache("cache", inner=storage, limits=configuration)


@pytest.fixture
def cache_site(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if a cache were installed too."""
    import worker_doubles  # noqa: PLC0415 - the module that the entry points name

    monkeypatch.setattr(worker_doubles, "open_cache", open_cache, raising=False)
    announce(site, "probe-cache", "[infinitic.caches]\ninMemory = worker_doubles:open_cache\n")
    return site


@pytest.mark.usefixtures("cache_site")
async def test_a_configured_cache_is_put_in_front_of_its_storage() -> None:
    storages = Storages(default_configuration=CACHED)
    opened = storages.get(None, "engine")
    assert isinstance(opened, RecordingCache)
    assert isinstance(opened.inner, RecordingStorage)
    assert opened.inner.configuration == CACHED
    assert opened.limits == CACHE
    await storages.close()
    assert opened.journal == ["cache closed"]


@pytest.mark.usefixtures("cache_site")
def test_components_that_ask_for_the_same_share_one_cache() -> None:
    storages = Storages()
    assert storages.get(CACHED, "engine") is storages.get(CACHED, "tag engine")


@pytest.mark.usefixtures("cache_site")
def test_a_storage_without_cache_stays_bare() -> None:
    opened = Storages().get(PLAIN, "engine")
    assert isinstance(opened, RecordingStorage)
    assert not isinstance(opened, RecordingCache)


@pytest.mark.usefixtures("site")
def test_a_cache_that_is_not_installed_is_told_with_what_to_install() -> None:
    storages = Storages()
    with pytest.raises(ComponentNotInstalled, match="pip install infinitic-cache"):
        storages.get(CACHED, "engine")
