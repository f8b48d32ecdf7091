from pathlib import Path

import pytest

from infinitic_common.configuration import (
    CacheConfiguration,
    ConfigurationError,
    InMemoryStorageConfiguration,
    MySQLConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
    RedisPoolConfiguration,
    StorageConfiguration,
    load_configuration,
    string_source,
)

SQL = "host: db, port: 1234, username: me"


def storage(text: str) -> StorageConfiguration:
    return load_configuration(StorageConfiguration, string_source(text), environ={})


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        storage(text)
    return str(caught.value)


@pytest.mark.parametrize("text", ["inMemory:", "inMemory: {}", "in-memory:", "memory:"])
def test_config_22_memory_is_recognised(text: str) -> None:
    assert storage(text) == StorageConfiguration("inMemory", InMemoryStorageConfiguration())


def test_config_22_postgres_has_defaults() -> None:
    assert storage(f"postgres: {{{SQL}}}").options == PostgresConfiguration(
        host="db",
        port=1234,
        username="me",
        password=None,
        database="postgres",
        schema="infinitic",
        key_set_table="key_set_storage",
        key_value_table="key_value_storage",
    )


def test_config_22_mysql_has_defaults() -> None:
    assert storage(f"mysql: {{{SQL}, password: null}}").options == MySQLConfiguration(
        host="db",
        port=1234,
        username="me",
        password=None,
        database="infinitic",
        key_set_table="key_set_storage",
        key_value_table="key_value_storage",
    )


def test_config_22_every_value_of_postgres_is_read() -> None:
    text = (
        f"postgres: {{{SQL}, password: pw, database: d, schema: s, keySetTable: _ks, "
        "keyValueTable: kv, maximumPoolSize: 1, minimumIdle: 0, idleTimeout: 3, "
        "connectionTimeout: 4, maxLifetime: 5}"
    )
    assert storage(text).options == PostgresConfiguration(
        host="db",
        port=1234,
        username="me",
        password="pw",  # noqa: S106 - not a real one
        database="d",
        schema="s",
        key_set_table="_ks",
        key_value_table="kv",
        maximum_pool_size=1,
        minimum_idle=0,
        idle_timeout=3,
        connection_timeout=4,
        max_lifetime=5,
    )


def test_config_22_tls_of_mysql_is_read() -> None:
    options = storage(f"mysql: {{{SQL}, ssl: true}}").options
    assert options == MySQLConfiguration(host="db", port=1234, username="me", ssl=True)


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
@pytest.mark.parametrize("missing", ["host", "port", "username"])
def test_config_23_a_database_without_host_port_or_user_is_refused(kind: str, missing: str) -> None:
    given = ", ".join(part for part in SQL.split(", ") if not part.startswith(missing))
    assert refusal(f"{kind}: {{{given}}}") == (
        f"{kind}.{missing} (text:1): is required; add `{missing}:`"
    )


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
@pytest.mark.parametrize(
    ("key", "value", "bound"),
    [
        ("maximumPoolSize", 0, "must be > 0, is 0"),
        ("minimumIdle", -1, "must be >= 0, is -1"),
        ("idleTimeout", 0, "must be > 0, is 0"),
        ("connectionTimeout", 0, "must be > 0, is 0"),
        ("maxLifetime", 0, "must be > 0, is 0"),
        ("database", "1a", "must be a letter or _, then"),
        ("keySetTable", "a-b", "must be a letter"),
        ("keyValueTable", "a" * 65, "must be a letter"),
    ],
)
def test_config_23_a_database_out_of_bounds_is_refused(
    kind: str, key: str, value: object, bound: str
) -> None:
    message = refusal(f"{kind}: {{{SQL}, {key}: {value}}}")
    assert message.startswith(f"{kind}.{key} (text:1): {bound}")


@pytest.mark.parametrize(
    ("kind", "key", "value", "allowed"),
    [
        ("postgres", "keySetTable", "_t", True),
        ("mysql", "keySetTable", "_t", False),
        ("postgres", "schema", "a" * 63, True),
        ("postgres", "schema", "a" * 64, False),
        ("mysql", "database", "a" * 64, True),
        ("mysql", "database", "a" * 65, False),
        ("mysql", "keySetTable", "'t$#'", True),
        ("postgres", "database", "'d$'", False),
        ("postgres", "database", "'x; drop'", False),
    ],
)
def test_names_in_databases_are_checked(kind: str, key: str, value: str, *, allowed: bool) -> None:
    text = f"{kind}: {{{SQL}, {key}: {value}}}"
    if allowed:
        assert storage(text).kind == kind
    else:
        assert f"{kind}.{key}" in refusal(text)


def test_config_25_redis_has_defaults() -> None:
    assert storage("redis: {host: h, port: 6379}").options == RedisConfiguration(
        host="h",
        port=6379,
        username=None,
        password=None,
        database=0,
        timeout=2000,
        ssl=False,
        pool_config=RedisPoolConfiguration(max_total=-1, max_idle=8, min_idle=0),
        key_prefix="infinitic",
    )


def test_config_25_every_value_of_redis_is_read() -> None:
    text = (
        "redis: {host: h, port: 1, username: u, password: p, database: 2, timeout: 3, ssl: true, "
        "poolConfig: {maxTotal: 4, maxIdle: 5, minIdle: 6}, keyPrefix: shop}"
    )
    assert storage(text).options == RedisConfiguration(
        host="h",
        port=1,
        username="u",
        password="p",  # noqa: S106 - not a real one
        database=2,
        timeout=3,
        ssl=True,
        pool_config=RedisPoolConfiguration(max_total=4, max_idle=5, min_idle=6),
        key_prefix="shop",
    )


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("host: ' ', port: 1", "redis.host (text:1): must not be blank"),
        ("host: h, port: 0", "redis.port (text:1): must be > 0, is 0"),
        ("host: h, port: 1, database: -1", "redis.database (text:1): must be >= 0, is -1"),
        ("host: h, port: 1, timeout: 0", "redis.timeout (text:1): must be > 0, is 0"),
        ("host: h, port: 1, keyPrefix: 'a:b'", "redis.keyPrefix (text:1): must be 1 to 64 letters"),
    ],
)
def test_config_25_redis_out_of_bounds_is_refused(keys: str, complaint: str) -> None:
    assert complaint in refusal(f"redis: {{{keys}}}")


@pytest.mark.parametrize(
    ("text", "cache"),
    [
        ("", None),
        ("cache: null", None),
        (
            "cache:",
            CacheConfiguration(
                maximum_size=10_000,
                expire_after_access_seconds=3600.0,
                expire_after_write_seconds=3600.0,
            ),
        ),
        (
            "cache: {maximumSize: 1, expireAfterAccess: 2, expireAfterWriteSeconds: 0}",
            CacheConfiguration(
                maximum_size=1, expire_after_access_seconds=2.0, expire_after_write_seconds=0.0
            ),
        ),
    ],
)
def test_a_cache_is_there_only_if_written(text: str, cache: object) -> None:
    assert storage(f"inMemory:\n{text}\n").cache == cache


def test_compression_without_a_name_is_lz4_and_none_when_it_is_not_written() -> None:
    assert storage("inMemory:\ncompression:\n").compression == "lz4"
    assert storage("inMemory:\ncompression: null\n").compression is None
    assert storage("inMemory:\n").compression is None


@pytest.mark.parametrize("compression", ["gzip", "bzip2", "deflate", "lz4"])
def test_a_compression_is_read(compression: str) -> None:
    assert storage(f"inMemory:\ncompression: {compression}\n").compression == compression


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("compression: gzip", "names no storage; add one of inMemory, redis, postgres, mysql"),
        ("inMemory:\nredis: {}\n", "names several: inMemory, redis; keep one storage"),
        ("postgrs: {}", "unknown storage 'postgrs'; did you mean 'postgres'?"),
        ("inMemory:\ncompresion: gzip\n", "compresion (text:2): unknown key; did you mean 'comp"),
        ("inMemory:\ncompression: zip\n", "must be one of gzip, bzip2, deflate, lz4, is 'zip'"),
        ("inMemory:\ncache: {maximumSize: 0}\n", "cache.maximumSize (text:2): must be > 0"),
        ("inMemory: null", "inMemory (text:1): must not be null"),
        ("inMemory: {compression: gzip}", "inMemory.compression (text:1): unknown key"),
    ],
)
def test_a_wrong_storage_is_refused(text: str, complaint: str) -> None:
    assert complaint in refusal(text)


def test_problems_of_the_store_and_beside_it_are_told_together() -> None:
    message = refusal("redis: {host: h}\ncompresion: gzip\ncache: {maximumSize: 0}\n")
    for path in ("redis.port", "compresion", "cache.maximumSize"):
        assert f"- {path} (text:" in message


def test_options_of_another_store_are_refused_by_hand() -> None:
    with pytest.raises(ConfigurationError, match="options: must be a RedisConfiguration for the"):
        StorageConfiguration("redis", InMemoryStorageConfiguration())


def test_a_store_of_another_wheel_is_known_once_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "unknown storage 'etcd'" in refusal("etcd: {}")
    info = tmp_path / "other-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[infinitic.storages]\netcd = other:Etcd\n")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = storage("etcd: {endPoint: 'h:1', apiToken: t, sizes: [1, 2.5, true]}")
    assert loaded.kind == "etcd"
    assert loaded.options == {"endPoint": "h:1", "apiToken": "t", "sizes": (1, 2.5, True)}
    assert "'apiToken': '***'" in repr(loaded)
