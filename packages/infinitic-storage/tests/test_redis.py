"""What is particular to Redis: reaching it, losing it, its memory, and the format of its data."""

import asyncio
import logging
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import attrs
import pytest
from redis_servers import RedisProcess, until

from infinitic_common.configuration import RedisConfiguration, RedisPoolConfiguration
from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_common.storage import ABSENT, VersionedValue, Write
from infinitic_storage import RedisStorage

BAR = VersionedValue(b"bar", 1)
INSERT = {"foo": Write(b"bar", 0)}


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(shared_server: RedisProcess) -> RedisProcess:
    """A server of this module, without data."""
    shared_server.ask("FLUSHALL")
    return shared_server


@pytest.fixture
async def storage(server: RedisProcess) -> AsyncIterator[RedisStorage]:
    storage = RedisStorage(server.configuration)
    yield storage
    await storage.close()


def connections(server: RedisProcess) -> int:
    """How many connections of storages a server has."""
    return str(server.ask("CLIENT", "LIST")).count(" name=infinitic ")


async def test_a_server_that_goes_away_and_comes_back_is_used_again(tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with RedisProcess(tmp_path, options) as server:
        storage = RedisStorage(server.configuration)
        await storage.key_values.put(INSERT)
        await storage.key_sets.update({"foo": ["bar"]}, {})
        server.kill()
        with pytest.raises(StorageUnavailable, match=f"Redis at 127.0.0.1:{server.port}"):
            await storage.key_values.get(["foo"])
        with pytest.raises(StorageUnavailable, match="cannot be used now"):
            await storage.key_values.put({"foo": Write(b"lost", 1)})
        server.start()
        assert await storage.key_values.get(["foo"]) == {"foo": BAR}
        assert await storage.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}
        assert await storage.key_sets.get(["foo"]) == {"foo": frozenset({"bar"})}
        await storage.close()


async def test_connections_that_ended_while_idle_are_replaced(
    server: RedisProcess, storage: RedisStorage
) -> None:
    await asyncio.gather(*(storage.key_values.get(["foo"]) for _ in range(8)))
    server.ask("CLIENT", "KILL", "TYPE", "normal")
    until(lambda: connections(server) == 0, "connections stay open")
    # The end of a connection is noticed by the event loop: let it look at its sockets once.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    results = await asyncio.gather(*(storage.key_values.get(["foo"]) for _ in range(8)))
    assert results == [{"foo": ABSENT}] * 8


async def test_a_server_that_is_silent_for_too_long_is_unavailable(server: RedisProcess) -> None:
    storage = RedisStorage(attrs.evolve(server.configuration, timeout=1000))
    await storage.key_values.put(INSERT)
    server.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    with pytest.raises(StorageUnavailable, match=r"(?i)time"):
        await storage.key_values.put({"foo": Write(b"late", 1)})
    server.ask("CLIENT", "UNPAUSE")
    assert (await storage.key_values.get(["foo"]))["foo"].version in (1, 2)
    assert await storage.key_values.put({"bar": Write(b"bar", 0)}) == {"bar": True}
    await storage.close()


async def test_a_cancelled_write_leaves_a_usable_storage(
    server: RedisProcess, storage: RedisStorage
) -> None:
    await storage.key_values.put(INSERT)
    server.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    write = asyncio.create_task(storage.key_values.put({"foo": Write(b"new", 1)}))
    await asyncio.to_thread(
        until, lambda: "blocked_clients:1" in told(server, "clients"), "no write waits"
    )
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    server.ask("CLIENT", "UNPAUSE")
    assert await storage.key_values.put({"bar": Write(b"bar", 0)}) == {"bar": True}
    assert await storage.key_values.get(["bar"]) == {"bar": BAR}


def told(server: RedisProcess, section: str) -> str:
    """What a server tells of itself."""
    answer = server.ask("INFO", section)
    pairs = answer.items() if isinstance(answer, dict) else ()
    return "\n".join(f"{key}:{value}" for key, value in pairs)


async def test_the_database_is_chosen_without_a_password(server: RedisProcess) -> None:
    storage = RedisStorage(attrs.evolve(server.configuration, database=3))
    await storage.key_values.put(INSERT)
    await storage.close()
    assert server.ask("DBSIZE", database=3) == 2
    assert server.ask("DBSIZE") == 0


async def test_a_user_with_a_password_is_let_in(server: RedisProcess) -> None:
    server.ask("ACL", "SETUSER", "alice", "on", ">secret", "~shop:*", "+@all", "-info")
    alice = attrs.evolve(
        server.configuration,
        username="alice",
        password="secret",  # noqa: S106 - of this server
        key_prefix="shop",
    )
    storage = RedisStorage(alice)
    assert await storage.key_values.put(INSERT) == {"foo": True}
    await storage.close()


async def test_what_a_user_may_not_do_is_an_error(server: RedisProcess) -> None:
    server.ask("ACL", "SETUSER", "bob", "on", ">secret", "~other:*", "+@all")
    bob = attrs.evolve(server.configuration, username="bob", password="secret")  # noqa: S106 - of this server
    storage = RedisStorage(bob)
    with pytest.raises(StorageError, match="refused a command"):
        await storage.key_values.get(["foo"])
    await storage.close()


async def test_a_certificate_for_the_name_of_the_server_is_trusted_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make_certificate(certificate, key)
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    with RedisProcess(tmp_path, (*files, "--tls-ca-cert-file", str(certificate))) as server:
        port = server.listen_with_tls()
        there = RedisConfiguration(host="localhost", port=port, ssl=True)
        stranger = RedisStorage(there)
        with pytest.raises(StorageUnavailable, match=r"(?i)certificate"):
            await stranger.key_values.get(["foo"])
        await stranger.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        storage = RedisStorage(there)
        assert await storage.key_values.put(INSERT) == {"foo": True}
        await storage.close()
        impostor = RedisStorage(attrs.evolve(there, host="127.0.0.1"))
        with pytest.raises(StorageUnavailable, match=r"(?i)certificate"):
            await impostor.key_values.get(["foo"])
        await impostor.close()


def make_certificate(certificate: Path, key: Path) -> None:
    """A certificate for ``localhost``, signed by itself."""
    options = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-days", "2", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *options, *names, *files], check=True, capture_output=True)  # noqa: S603, S607 - of this machine


async def test_scripts_that_the_server_forgot_are_sent_again(
    server: RedisProcess, storage: RedisStorage
) -> None:
    await storage.key_values.put(INSERT)
    server.ask("SCRIPT", "FLUSH")
    assert await storage.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}


async def test_a_batch_is_one_script(server: RedisProcess, storage: RedisStorage) -> None:
    await storage.key_values.get(["foo"])
    writes = {f"key-{i}": Write(b"bar", 0) for i in range(100)}
    await storage.key_values.put(writes)
    server.ask("CONFIG", "RESETSTAT")
    await storage.key_values.put(writes)
    await storage.key_values.get(writes)
    await storage.key_values.delete(writes)
    assert "cmdstat_evalsha:{'calls': 3" in told(server, "commandstats")


async def test_the_server_removes_what_expires_itself(
    server: RedisProcess, storage: RedisStorage
) -> None:
    await storage.key_values.put({f"old-{i}": Write(b"", 0, 1) for i in range(100)})
    soon = time.time_ns() // 1_000_000 + 50
    await storage.key_values.put({"soon": Write(b"", 0, soon), "live": Write(b"bar", 0)})
    until(lambda: server.ask("DBSIZE") == 2, "what expired is not removed")


async def test_a_batch_that_does_not_fit_into_memory_is_unavailability_and_writes_nothing(
    server: RedisProcess, storage: RedisStorage
) -> None:
    await storage.key_values.put(INSERT)
    server.ask("CONFIG", "SET", "maxmemory", "1mb")
    with pytest.raises(StorageUnavailable, match="memory"):
        await storage.key_values.put({"foo": Write(b"new", 1), "bar": Write(b"new", 0)})
    assert await storage.key_values.get(["foo", "bar"]) == {"foo": BAR, "bar": ABSENT}
    server.ask("CONFIG", "SET", "maxmemory", "0")
    assert await storage.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}


async def test_a_server_that_became_a_replica_is_unavailable(
    server: RedisProcess, storage: RedisStorage
) -> None:
    await storage.key_values.put(INSERT)
    server.ask("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(StorageUnavailable, match="read only"):
        await storage.key_values.put({"foo": Write(b"new", 1)})
    server.ask("REPLICAOF", "NO", "ONE")
    assert await storage.key_values.put({"foo": Write(b"new", 1)}) == {"foo": True}


async def test_a_key_that_somebody_else_uses_is_an_error(
    server: RedisProcess, storage: RedisStorage
) -> None:
    server.ask("RPUSH", "infinitic:value:foo", "not ours")
    with pytest.raises(StorageError, match="WRONGTYPE"):
        await storage.key_values.get(["foo"])
    assert await storage.key_values.get(["bar"]) == {"bar": ABSENT}


async def test_a_newer_format_is_refused_with_both_versions(server: RedisProcess) -> None:
    server.ask("SET", "infinitic:format", "2")
    storage = RedisStorage(server.configuration)
    with pytest.raises(StorageError, match=r"has format 2 .* knows format 1: install the release"):
        await storage.key_values.put(INSERT)
    assert server.ask("KEYS", "*") == [b"infinitic:format"]
    await storage.close()


async def test_storages_with_different_prefixes_share_nothing(server: RedisProcess) -> None:
    first = RedisStorage(attrs.evolve(server.configuration, key_prefix="a"))
    second = RedisStorage(attrs.evolve(server.configuration, key_prefix="b"))
    await first.key_values.put(INSERT)
    await first.key_sets.update({"foo": ["bar"]}, {})
    assert await second.key_values.get(["foo"]) == {"foo": ABSENT}
    assert await second.key_sets.get(["foo"]) == {"foo": frozenset()}
    await first.close()
    await second.close()


async def test_a_server_that_may_lose_data_is_warned_of(
    server: RedisProcess, storage: RedisStorage, caplog: pytest.LogCaptureFixture
) -> None:
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    with caplog.at_level(logging.WARNING):
        await storage.key_values.get(["foo"])
    server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "maxmemory-policy to noeviction, not allkeys-lru" in messages[0]
    assert "appendonly" in messages[1]


async def test_no_more_connections_than_configured_are_opened_or_kept(
    server: RedisProcess,
) -> None:
    limits = RedisPoolConfiguration(max_total=5, max_idle=2)
    storage = RedisStorage(attrs.evolve(server.configuration, pool_config=limits))
    results = await asyncio.gather(*(storage.key_values.get(["foo"]) for _ in range(50)))
    assert results == [{"foo": ABSENT}] * 50
    until(lambda: connections(server) == 2, "more than 2 connections are kept")
    await storage.close()
    until(lambda: connections(server) == 0, "connections stay open")


async def test_connections_are_kept_ready(server: RedisProcess) -> None:
    limits = RedisPoolConfiguration(min_idle=3)
    storage = RedisStorage(attrs.evolve(server.configuration, pool_config=limits))
    await storage.key_values.get(["foo"])
    assert connections(server) == 3
    await storage.close()
