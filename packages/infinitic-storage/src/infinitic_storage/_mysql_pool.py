"""Connections to one database, opened when needed and reused, each in a thread while it works."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.exceptions import StorageError
from infinitic_storage._mysql_connection import MySQLConnection
from infinitic_storage._mysql_driver import load_driver
from infinitic_storage._mysql_errors import StatementConflict, is_unknown_database, translated
from infinitic_storage._mysql_put import Result
from infinitic_storage._mysql_schema import create_database, ensure_tables

DEFAULT_SIZE = 4
# Between the attempts of a packet that deadlocked, in seconds.
_PAUSES = (0.01, 0.02, 0.05, 0.1)


class MySQLPool:
    """Connections to the database of a configuration.

    Database and tables are made before the first of them is used.

    Args:
        configuration: Where the server is, and how many connections are kept for how long.

    Raises:
        StorageError: The driver is not installed.
    """

    def __init__(self, configuration: MySQLConfiguration) -> None:
        _, self._error = load_driver()
        self._configuration = configuration
        # As many threads as connections: a job that runs has a connection at once.
        self._threads = ThreadPoolExecutor(
            configuration.maximum_pool_size or DEFAULT_SIZE, "infinitic-mysql"
        )
        self._idle: list[MySQLConnection] = []
        self._lock = Lock()
        self._making = Lock()
        self._is_made = False
        self._is_closed = False
        self._packet_limit: int | None = None
        self._users: set[object] = set()

    @property
    def address(self) -> str:
        """Where the server is, for messages."""
        configuration = self._configuration
        host = f"{configuration.host}:{configuration.port}"
        return f"MySQL at {host}, database {configuration.database!r}"

    async def packet_limit(self) -> int:
        """The largest packet that the server takes, in bytes.

        Raises:
            StorageUnavailable: The server cannot be reached now.
            StorageError: The server refuses, or the pool is closed.
        """
        if self._packet_limit is None:
            await self.execute([b"DO 0"])
        return self._packet_limit or 0

    async def execute(self, statements: Sequence[bytes]) -> list[Result]:
        """Execute statements in one packet; those of a packet that conflicts must undo together.

        Raises:
            StatementConflict: They lost against others five times, and changed nothing.
            StorageUnavailable: The server cannot be reached now.
            StorageError: The server refuses them, or the pool is closed.
        """
        for pause in _PAUSES:
            try:
                return await self._attempt(statements)
            except StatementConflict:
                # The one that won may not have its locks yet: do not snatch them away.
                await asyncio.sleep(pause)
        return await self._attempt(statements)

    def join(self, user: object) -> None:
        """Count one more user."""
        self._users.add(user)

    def leave(self, user: object) -> None:
        """Count one user less; after the last one the pool closes."""
        self._users.discard(user)
        if not self._users:
            self._close()

    def _close(self) -> None:
        with self._lock:
            # Connections in use close when they are given back.
            self._is_closed = True
            idle, self._idle = self._idle, []
        self._threads.shutdown(wait=False)
        for connection in idle:
            connection.close()

    async def _attempt(self, statements: Sequence[bytes]) -> list[Result]:
        if self._is_closed:
            message = f"the storage on {self.address} is closed: open another one"
            raise StorageError(message)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, statements)

    def _run(self, statements: Sequence[bytes]) -> list[Result]:
        try:
            connection = self._take()
            try:
                results = connection.execute(statements)
            except BaseException:
                # Also after an error of a statement: its transaction may still be open.
                connection.close()
                raise
        except (self._error, OSError) as error:
            raise translated(error, self.address) from error
        self._give_back(connection)
        return results

    def _take(self) -> MySQLConnection:
        while (connection := self._pop_idle()) is not None:
            if connection.is_alive:
                return connection
            connection.close()
        return self._open()

    def _pop_idle(self) -> MySQLConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _open(self) -> MySQLConnection:
        try:
            connection = self._connect()
        except RuntimeError as error:
            # How the driver says that the server's way of authentication needs another library.
            message = f'{self.address}: {error}; pip install "infinitic-storage[mysql]"'
            raise StorageError(message) from error
        try:
            with self._making:
                if not self._is_made:
                    ensure_tables(connection, self._configuration)
                    self._is_made = True
        except BaseException:
            connection.close()
            raise
        self._packet_limit = connection.packet_limit
        return connection

    def _connect(self) -> MySQLConnection:
        try:
            return MySQLConnection.open(self._configuration)
        except self._error as error:
            # One that was there before was dropped on purpose.
            if self._is_made or not is_unknown_database(error):
                raise
        without = MySQLConnection.open(self._configuration, database=False)
        try:
            create_database(without, self._configuration)
        finally:
            without.close()
        return MySQLConnection.open(self._configuration)

    def _give_back(self, connection: MySQLConnection) -> None:
        now = time.monotonic()
        with self._lock:
            surplus = self._unused(now)
            if self._is_closed or self._is_too_old(connection, now):
                surplus.append(connection)
            else:
                self._idle.append(connection)
        for one in surplus:
            one.close()

    def _is_too_old(self, connection: MySQLConnection, now: float) -> bool:
        lifetime = self._configuration.max_lifetime
        return lifetime is not None and now - connection.opened_at > lifetime / 1000

    def _unused(self, now: float) -> list[MySQLConnection]:
        timeout = self._configuration.idle_timeout
        surplus = list[MySQLConnection]()
        if timeout is None:
            return surplus
        # The last one given back is the first one taken: those unused for long are in front.
        while len(self._idle) > max(0, (self._configuration.minimum_idle or 0) - 1):
            if now - self._idle[0].used_at <= timeout / 1000:
                break
            surplus.append(self._idle.pop(0))
        return surplus
