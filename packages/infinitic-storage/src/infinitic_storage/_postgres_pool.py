"""Connections to one database, opened when needed and reused."""

import asyncio
from collections.abc import Sequence

import psycopg
from psycopg.pq.abc import PGresult

from infinitic_common.configuration import PostgresConfiguration
from infinitic_common.exceptions import StorageError
from infinitic_storage._postgres_connection import PostgresConnection
from infinitic_storage._postgres_errors import translated
from infinitic_storage._postgres_schema import address_of, ensure_schema
from infinitic_storage._postgres_statements import Statement, StatementConflict

DEFAULT_SIZE = 4
# Between the attempts of a statement that deadlocked, in seconds.
_PAUSES = (0.02, 0.05)


class PostgresPool:
    """Connections to the database of a configuration, used from one event loop.

    Database, schema and tables are made before the first of them is opened.

    Args:
        configuration: Where the server is, and how many connections are kept for how long.
    """

    def __init__(self, configuration: PostgresConfiguration) -> None:
        self._configuration = configuration
        self._slots = asyncio.Semaphore(configuration.maximum_pool_size or DEFAULT_SIZE)
        self._idle: list[PostgresConnection] = []
        self._making = asyncio.Lock()
        self._is_made = False
        self._is_closed = False
        self._users: set[object] = set()

    @property
    def address(self) -> str:
        """Where the server is, for messages."""
        configuration = self._configuration
        host = f"{configuration.host}:{configuration.port}"
        return f"Postgres at {host}, database {configuration.database!r}"

    async def execute(self, statement: Statement, parameters: Sequence[bytes]) -> PGresult:
        """Execute a statement.

        Raises:
            StatementConflict: It lost against other statements three times, and changed nothing.
            StorageUnavailable: The server cannot be reached now.
            StorageError: The server refuses it, or the pool is closed.
        """
        for pause in _PAUSES:
            try:
                return await self._attempt(statement, parameters)
            except StatementConflict:
                # The one that won may not have its locks yet: do not snatch them away.
                await asyncio.sleep(pause)
        return await self._attempt(statement, parameters)

    def join(self, user: object) -> None:
        """Count one more user."""
        self._users.add(user)

    def leave(self, user: object) -> None:
        """Count one user less; after the last one the pool closes."""
        self._users.discard(user)
        if not self._users:
            self._close()

    def _close(self) -> None:
        # Connections in use close when they are given back.
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    async def _attempt(self, statement: Statement, parameters: Sequence[bytes]) -> PGresult:
        try:
            async with self._slots:
                connection = await self._take()
                try:
                    return await connection.execute(statement, parameters)
                finally:
                    self._give_back(connection)
        except psycopg.Error as error:
            raise translated(error, self.address) from error

    async def _take(self) -> PostgresConnection:
        if self._is_closed:
            message = f"the storage on {self.address} is closed: open another one"
            raise StorageError(message)
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed:
                return connection
        await self._make_schema()
        return await PostgresConnection.open(address_of(self._configuration))

    async def _make_schema(self) -> None:
        async with self._making:
            if not self._is_made:
                await ensure_schema(self._configuration)
                self._is_made = True

    def _give_back(self, connection: PostgresConnection) -> None:
        now = asyncio.get_running_loop().time()
        if self._is_closed or self._is_too_old(connection, now):
            connection.close()
        if not connection.is_closed:
            self._idle.append(connection)
        self._close_unused(now)

    def _is_too_old(self, connection: PostgresConnection, now: float) -> bool:
        lifetime = self._configuration.max_lifetime
        return lifetime is not None and now - connection.opened_at > lifetime / 1000

    def _close_unused(self, now: float) -> None:
        timeout = self._configuration.idle_timeout
        if timeout is None:
            return
        # The last one given back is the first one taken: those unused for long are in front.
        while len(self._idle) > (self._configuration.minimum_idle or 0):
            if now - self._idle[0].used_at <= timeout / 1000:
                return
            self._idle.pop(0).close()
