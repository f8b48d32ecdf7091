"""Where state is kept: memory, Redis, Postgres, MySQL or what another wheel announces."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from attrs import Factory, field, frozen

from infinitic_common._configuration.checks import Above, AtLeast, Matches, NotBlank
from infinitic_common._configuration.choice import Choice
from infinitic_common._configuration.nodes import Node
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.reading import At
from infinitic_common._configuration.setting import masked, masked_options
from infinitic_common._configuration.settings import Settings, choice_told
from infinitic_common.discovery import STORAGES

Host = Annotated[str, NotBlank()]
Port = Annotated[int, Above(0)]
Milliseconds = Annotated[int, Above(0)]

_MYSQL_DATABASE = Matches(
    r"[A-Za-z_][A-Za-z0-9_]{0,63}", "a letter or _, then up to 63 letters, digits or _"
)
_MYSQL_TABLE = Matches(
    r"[A-Za-z][A-Za-z0-9_$#]{0,63}", "a letter, then up to 63 letters, digits, _, $ or #"
)
_POSTGRES_NAME = Matches(
    r"[A-Za-z_][A-Za-z0-9_]{0,62}", "a letter or _, then up to 62 letters, digits or _"
)
_POSTGRES_TABLE = Matches(
    r"[A-Za-z_][A-Za-z0-9_$#]{0,62}", "a letter or _, then up to 62 letters, digits, _, $ or #"
)
_REDIS_PREFIX = Matches(
    r"[A-Za-z0-9_.{}-]{1,64}", "1 to 64 letters, digits, or characters of _ . - { }"
)


@frozen(kw_only=True)
class InMemoryStorageConfiguration(Settings):
    """A store in the memory of one process.

    Attributes:
        unused: Stores with different values of it share no data.
    """

    unused: str | None = None


@frozen(kw_only=True)
class RedisPoolConfiguration(Settings):
    """Redis connections kept open.

    Attributes:
        max_total: Most connections at once; -1 for no limit.
        max_idle: Most connections kept without use; -1 for no limit.
        min_idle: Connections kept ready.
    """

    max_total: Annotated[int, AtLeast(-1)] = -1
    max_idle: Annotated[int, AtLeast(-1)] = 8
    min_idle: Annotated[int, AtLeast(0)] = 0


@frozen(kw_only=True)
class RedisConfiguration(Settings):
    """A Redis server.

    Attributes:
        host: Its host.
        port: Its port.
        username: User to authenticate as, if any.
        password: Password, if any.
        database: Index of the database.
        timeout: Longest wait for connecting and for an answer, in milliseconds.
        ssl: Whether to use TLS.
        pool_config: Connections kept open.
        key_prefix: What the keys start with; stores with different ones share no data.
    """

    host: Host
    port: Port
    username: str | None = None
    password: str | None = field(default=None, repr=masked)
    database: Annotated[int, AtLeast(0)] = 0
    timeout: Milliseconds = 2000
    ssl: bool = False
    pool_config: RedisPoolConfiguration = field(factory=RedisPoolConfiguration)
    key_prefix: Annotated[str, _REDIS_PREFIX] = "infinitic"


@frozen(kw_only=True)
class SqlConfiguration(Settings):
    """What the SQL databases have in common.

    Attributes:
        host: Host of the server.
        port: Its port.
        username: User to connect as.
        password: Password, if any.
        maximum_pool_size: Most connections at once; None for the pool's default.
        minimum_idle: Connections kept ready.
        idle_timeout: How long an unused connection is kept, in milliseconds.
        connection_timeout: Longest wait for a connection, in milliseconds.
        max_lifetime: How long a connection is used, in milliseconds.
    """

    MOVED_KEYS = {"user": "username"}  # noqa: RUF012 - read-only by the base's declaration

    host: Host
    port: Port
    username: Annotated[str, NotBlank()]
    password: str | None = field(default=None, repr=masked)
    maximum_pool_size: Annotated[int, Above(0)] | None = None
    minimum_idle: Annotated[int, AtLeast(0)] | None = None
    idle_timeout: Milliseconds | None = None
    connection_timeout: Milliseconds | None = None
    max_lifetime: Milliseconds | None = None


@frozen(kw_only=True)
class PostgresConfiguration(SqlConfiguration):
    """A Postgres server; database and schema are created if missing.

    Attributes:
        database: Name of the database.
        schema: Name of the schema.
        key_set_table: Table of key sets.
        key_value_table: Table of values.
    """

    database: Annotated[str, _POSTGRES_NAME] = "postgres"
    schema: Annotated[str, _POSTGRES_NAME] = "infinitic"
    key_set_table: Annotated[str, _POSTGRES_TABLE] = "key_set_storage"
    key_value_table: Annotated[str, _POSTGRES_TABLE] = "key_value_storage"


@frozen(kw_only=True)
class MySQLConfiguration(SqlConfiguration):
    """A MySQL or MariaDB server; the database is created if missing.

    Attributes:
        database: Name of the database.
        key_set_table: Table of key sets.
        key_value_table: Table of values.
        ssl: Whether TLS is required, and the server's certificate verified; if not, TLS is used
            unverified where the server offers it.
    """

    database: Annotated[str, _MYSQL_DATABASE] = "infinitic"
    key_set_table: Annotated[str, _MYSQL_TABLE] = "key_set_storage"
    key_value_table: Annotated[str, _MYSQL_TABLE] = "key_value_storage"
    ssl: bool = False


@frozen(kw_only=True)
class CacheConfiguration(Settings):
    """A cache in the process, in front of a store.

    Attributes:
        maximum_size: Most entries.
        expire_after_access_seconds: How long an entry stays after its last use.
        expire_after_write_seconds: How long an entry stays after it was written.
    """

    maximum_size: Annotated[int, Above(0)] = 10_000
    expire_after_access_seconds: Annotated[float, AtLeast(0)] = field(
        default=3600.0,
        metadata={"key": "expireAfterAccess", "aliases": ("expireAfterAccessSeconds",)},
    )
    expire_after_write_seconds: Annotated[float, AtLeast(0)] = field(
        default=3600.0,
        metadata={"key": "expireAfterWrite", "aliases": ("expireAfterWriteSeconds",)},
    )


StorageOptions = (
    InMemoryStorageConfiguration
    | RedisConfiguration
    | PostgresConfiguration
    | MySQLConfiguration
    | Mapping[str, object]
)

STORAGE_CHOICE = Choice(
    what="storage",
    group=STORAGES,
    known={
        "inMemory": InMemoryStorageConfiguration,
        "redis": RedisConfiguration,
        "postgres": PostgresConfiguration,
        "mysql": MySQLConfiguration,
    },
    others=("compression", "cache"),
)


def _default_options(storage: "StorageConfiguration") -> StorageOptions:
    return InMemoryStorageConfiguration() if storage.kind == "inMemory" else {}


@frozen
class StorageConfiguration(Settings):
    """A store with its options.

    Attributes:
        kind: Name of its entry point: ``inMemory``, ``redis``, ``postgres``, ``mysql`` or another.
        options: The options of that store; plain data for one that another wheel announces.
        compression: How values are compressed when written; None for not at all. The key without
            a value means ``lz4``.
        cache: A cache in front of it; None for none.
    """

    kind: Annotated[str, NotBlank()]
    options: StorageOptions = field(
        default=Factory(_default_options, takes_self=True), repr=masked_options
    )
    compression: Literal["gzip", "bzip2", "deflate", "lz4"] | None = field(
        default=None, metadata={"when_empty": "lz4"}
    )
    cache: CacheConfiguration | None = None

    def __str__(self) -> str:
        """Tell what was chosen, for logs."""
        compressed = f", compressed by {self.compression}" if self.compression else ""
        cached = f", behind a cache: {self.cache}" if self.cache else ""
        return f"{choice_told(self.kind, self.options)}{compressed}{cached}"

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        return STORAGE_CHOICE.conflict(self.kind, self.options)

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``."""
        return STORAGE_CHOICE.read(cls, node, at)
