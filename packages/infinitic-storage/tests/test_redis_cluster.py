"""A cluster of Redis keeps the ports' promises too, wherever its slots are."""

from collections.abc import AsyncIterator, Iterator

import attrs
import pytest
from redis.crc import key_slot
from redis_servers import RedisProcess, is_whole, running_cluster, until

from infinitic_common.configuration import RedisConfiguration
from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_common.storage import KeySetStorage, KeyValueStorage, VersionedValue, Write
from infinitic_common.testing.storage import KeySetStorageContract, KeyValueStorageContract
from infinitic_storage import RedisStorage
from infinitic_storage._redis_keys import RedisKeys

ID = "01234567-89ab-cdef-0123-456789abcdef"
KEYS = [f"key-{number}" for number in range(50)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisProcess]]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture
def configuration(cluster: list[RedisProcess]) -> RedisConfiguration:
    return cluster[0].configuration


@pytest.fixture
async def opened(
    cluster: list[RedisProcess], configuration: RedisConfiguration
) -> AsyncIterator[RedisStorage]:
    """Without data, whatever tests before have left."""
    for server in cluster:
        server.ask("FLUSHALL")
    storage = RedisStorage(configuration)
    await storage.key_values.get(["asks where the slots are"])
    yield storage
    await storage.close()


def size(server: RedisProcess) -> int:
    return int(str(server.ask("DBSIZE")))


def move(slot: int, target: RedisProcess, source: RedisProcess) -> None:
    """Give an empty slot to another server."""
    name = str(target.ask("CLUSTER", "MYID"))
    for server in (target, source):
        server.ask("CLUSTER", "SETSLOT", slot, "NODE", name)


class TestClusteredRedisKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(self, opened: RedisStorage) -> KeyValueStorage:
        return opened.key_values


class TestClusteredRedisKeySetStorage(KeySetStorageContract):
    @pytest.fixture
    def storage(self, opened: RedisStorage) -> KeySetStorage:
        return opened.key_sets


async def test_records_are_on_all_servers(
    opened: RedisStorage, cluster: list[RedisProcess]
) -> None:
    await opened.key_values.put({key: Write(b"bar", 0) for key in KEYS})
    sizes = [size(server) for server in cluster]
    assert sum(sizes) == len(KEYS) + 1
    assert min(sizes) > 1


@pytest.mark.usefixtures("opened")
async def test_a_prefix_in_braces_keeps_all_on_one_server(
    cluster: list[RedisProcess], configuration: RedisConfiguration
) -> None:
    storage = RedisStorage(attrs.evolve(configuration, key_prefix="{shop}"))
    await storage.key_values.put({key: Write(b"bar", 0) for key in KEYS})
    await storage.close()
    # All records and their format; that of the other prefix is anywhere.
    assert max(size(server) for server in cluster) > len(KEYS)


def test_head_and_segments_of_a_workflow_are_in_one_slot() -> None:
    keys = RedisKeys("infinitic")
    head, segment = f"workflow.state.{ID}", f"workflow.segment.{ID}.1f"
    assert key_slot(keys.record(head)) == key_slot(keys.record(segment))
    assert keys.record(head) == b"infinitic:of:workflow.state.{%s}" % ID.encode()


def test_different_keys_have_different_names() -> None:
    keys = RedisKeys("infinitic")
    texts = (ID, f"{{{ID}}}", f"of:{ID}", f"value:{ID}", f"a{ID}", f"{{{ID}", f"{ID}{ID}", "x")
    names = {keys.record(text) for text in texts} | {keys.set(text) for text in texts}
    assert len(names | {keys.format}) == 2 * len(texts) + 1


async def test_a_slot_that_moves_is_followed(
    opened: RedisStorage, cluster: list[RedisProcess]
) -> None:
    slot = key_slot(RedisKeys("infinitic").record("moved"))
    await opened.key_values.put({key: Write(b"bar", 0) for key in KEYS})
    owner, other = cluster if slot < 8192 else cluster[::-1]
    move(slot, other, owner)
    written = await opened.key_values.put({key: Write(b"new", 0) for key in ("moved", *KEYS)})
    assert [key for key, done in written.items() if done] == ["moved"]
    assert await opened.key_values.get(["moved"]) == {"moved": VersionedValue(b"new", 1)}
    await opened.key_values.delete(["moved"])
    move(slot, owner, other)


async def test_scripts_that_a_server_forgot_are_sent_again(
    opened: RedisStorage, cluster: list[RedisProcess]
) -> None:
    await opened.key_values.put({key: Write(b"bar", 0) for key in KEYS})
    cluster[1].ask("SCRIPT", "FLUSH")
    written = await opened.key_values.put({key: Write(b"new", 1) for key in KEYS})
    assert written == dict.fromkeys(KEYS, True)


async def test_a_cluster_has_one_database(configuration: RedisConfiguration) -> None:
    storage = RedisStorage(attrs.evolve(configuration, database=1))
    with pytest.raises((StorageError, StorageUnavailable), match="database"):
        await storage.key_values.get(["foo"])
    await storage.close()


async def test_a_server_of_the_cluster_that_was_away_is_used_again(
    opened: RedisStorage, cluster: list[RedisProcess]
) -> None:
    await opened.key_values.put({key: Write(b"bar", 0) for key in KEYS})
    cluster[1].kill()
    with pytest.raises(StorageUnavailable, match="Redis at"):
        await opened.key_values.get(KEYS)
    cluster[1].start()
    until(lambda: is_whole(cluster), "the cluster does not form again")
    found = await opened.key_values.get(KEYS)
    assert {one.version for one in found.values()} <= {0, 1}
    assert all((await opened.key_values.put({"after": Write(b"bar", 0)})).values())
