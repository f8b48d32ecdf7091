"""Connections to one Redis server, opened when needed and reused."""

import asyncio
from typing import Protocol, TypedDict, cast

from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from infinitic_common.configuration import RedisConfiguration

_NO_LIMIT = 2**31


class ConnectionOptions(TypedDict):
    """How to connect to a server, wherever it is; the client's keyword arguments."""

    username: str | None
    password: str | None
    socket_timeout: float
    socket_connect_timeout: float
    socket_keepalive: bool
    client_name: str
    protocol: int
    retry: Retry


class TlsOptions(TypedDict, total=False):
    """How to trust a server; the client's keyword arguments."""

    ssl_cert_reqs: str
    ssl_check_hostname: bool


class _Connections(Protocol):
    """What is used of the client's pool, whose own types leave it open."""

    async def get_connection(self) -> AbstractConnection: ...


class RedisPool(BlockingConnectionPool):
    """Connections of which at most so many are open, and at most so many are kept unused.

    Who finds all of them in use waits, as long as for an answer.

    Args:
        configuration: Where the server is, and how many connections there may be.
    """

    def __init__(self, configuration: RedisConfiguration) -> None:
        limits = configuration.pool_config
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - the client leaves it open
            max_connections=most_connections(configuration),
            timeout=configuration.timeout / 1000,
            connection_class=SSLConnection if configuration.ssl else Connection,
            host=configuration.host,
            port=configuration.port,
            db=configuration.database,
            **connection_options(configuration),
            **tls_options(configuration),
        )
        self._max_idle = limits.max_idle if limits.max_idle >= 0 else _NO_LIMIT
        self._min_idle = limits.min_idle

    async def open_idle(self) -> None:
        """Open the connections that are to be kept ready.

        Raises:
            redis.RedisError: The server cannot be reached, or refuses.
        """
        pool = cast("_Connections", self)
        wanted = min(self._min_idle, self._max_idle, self.max_connections)
        opened = await asyncio.gather(
            *(pool.get_connection() for _ in range(wanted)), return_exceptions=True
        )
        for one in opened:
            if not isinstance(one, BaseException):
                await self.release(one)
        for one in opened:
            if isinstance(one, BaseException):
                raise one

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back; one that was unused for long leaves when there are too many."""
        await super().release(connection)
        # The last one released is the first one taken: those unused for long are in front.
        while len(self._available_connections) > self._max_idle:
            await self._available_connections.pop(0).disconnect()


def most_connections(configuration: RedisConfiguration) -> int:
    """How many connections there may be to a server."""
    limit = configuration.pool_config.max_total
    return limit if limit > 0 else _NO_LIMIT


def connection_options(configuration: RedisConfiguration) -> ConnectionOptions:
    """How to connect to each server of a configuration."""
    return {
        "username": configuration.username,
        "password": configuration.password,
        "socket_timeout": configuration.timeout / 1000,
        "socket_connect_timeout": configuration.timeout / 1000,
        "socket_keepalive": True,
        "client_name": "infinitic",
        "protocol": 2,
        # A write whose answer was lost may have happened: repeated, it would be refused, and who
        # wrote would take its own record for a rival's. Who calls knows how to read again.
        "retry": Retry(NoBackoff(), 0),
    }


def tls_options(configuration: RedisConfiguration) -> TlsOptions:
    """Trust a server that has a certificate for its name, of an authority that is known."""
    if not configuration.ssl:
        return {}
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
