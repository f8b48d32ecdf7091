"""What holds for every storage that has a server."""

import socket
from collections.abc import AsyncIterator

import attrs
import pytest
from proxies import Proxy
from servers import ServerConfiguration, opened

from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_common.storage import Storage, VersionedValue, Write
from infinitic_common.testing.storage import UnreachableStorageContract

BAR = VersionedValue(b"bar", 1)


class TestUnreachableStorage(UnreachableStorageContract):
    @pytest.fixture
    async def unreachable(self, any_server: ServerConfiguration) -> AsyncIterator[Storage]:
        with socket.socket() as bound_but_not_listening:
            bound_but_not_listening.bind(("127.0.0.1", 0))
            port = bound_but_not_listening.getsockname()[1]
            storage = opened(attrs.evolve(any_server, host="127.0.0.1", port=port))
            yield storage
            await storage.close()


@pytest.fixture
async def storage(any_server: ServerConfiguration) -> AsyncIterator[Storage]:
    storage = opened(any_server)
    yield storage
    await storage.close()


async def test_a_later_storage_finds_the_data_of_an_earlier_one(
    any_server: ServerConfiguration, name: str
) -> None:
    first = opened(any_server)
    await first.key_values.put({name: Write(b"bar", 0)})
    await first.key_sets.update({name: ["bar"]}, {})
    await first.close()
    second = opened(any_server)
    assert await second.key_values.get([name]) == {name: BAR}
    assert await second.key_sets.get([name]) == {name: frozenset({"bar"})}
    await second.close()


async def test_a_wrong_password_is_told_with_the_place_and_not_the_password(
    any_server: ServerConfiguration,
) -> None:
    wrong = attrs.evolve(any_server, username="nobody", password="wrong secret")  # noqa: S106 - a wrong one
    storage = opened(wrong)
    with pytest.raises(StorageUnavailable, match=str(any_server.port)) as caught:
        await storage.key_values.get(["foo"])
    assert "wrong secret" not in str(caught.value)
    await storage.close()


async def test_a_server_that_was_away_is_used_again(
    any_server: ServerConfiguration, name: str
) -> None:
    async with Proxy(any_server.host, any_server.port) as proxy:
        storage = opened(attrs.evolve(any_server, host="127.0.0.1", port=proxy.port))
        await storage.key_values.put({name: Write(b"bar", 0)})
        await proxy.stop()
        with pytest.raises(StorageUnavailable):
            await storage.key_values.get([name])
        await proxy.start()
        assert await storage.key_values.get([name]) == {name: BAR}
        await storage.close()


async def test_texts_that_some_store_cannot_keep_are_refused(storage: Storage) -> None:
    with pytest.raises(StorageError, match="not valid Unicode"):
        await storage.key_values.put({"half \ud800": Write(b"", 0)})
    with pytest.raises(StorageError, match="not valid Unicode"):
        await storage.key_sets.update({"foo": ["half \ud800"]}, {})
    with pytest.raises(StorageError, match="NUL"):
        await storage.key_values.get(["nul \0"])
    with pytest.raises(StorageError, match=r"the value 'nul .*' of the set 'foo' holds .* NUL"):
        await storage.key_sets.update({"foo": ["nul \0"]}, {})
    with pytest.raises(StorageError, match="NUL"):
        await storage.key_sets.update({}, {"foo": ["nul \0"]})


async def test_a_closed_storage_says_so(storage: Storage) -> None:
    await storage.key_values.get(["foo"])
    await storage.close()
    with pytest.raises(StorageError, match="closed"):
        await storage.key_values.get(["foo"])


async def test_closing_one_store_leaves_the_other_usable(storage: Storage, name: str) -> None:
    await storage.key_values.close()
    await storage.key_sets.update({name: ["bar"]}, {})
    assert await storage.key_sets.get([name]) == {name: frozenset({"bar"})}
