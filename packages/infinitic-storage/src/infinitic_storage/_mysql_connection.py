"""One connection to MySQL, used by one thread at a time."""

import select
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from typing import Self

from infinitic_common.configuration import MySQLConfiguration
from infinitic_common.exceptions import StorageError
from infinitic_storage._mysql_driver import Connection, load_driver
from infinitic_storage._mysql_put import Result

# A server that is silent for so many seconds is taken for gone; a lock is waited for less long.
_LONGEST_ANSWER = 30.0
_SETTINGS = (
    b"SET NAMES binary",
    b"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
    b"SET SESSION innodb_lock_wait_timeout = 20",
    # No gaps are locked then: inserts of different keys do not wait for one another.
    b"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    b"SELECT @@max_allowed_packet",
)
_DEFAULT_CONNECT_TIMEOUT = 10_000
# CLIENT_MULTI_STATEMENTS of the protocol.
_SEVERAL_STATEMENTS = 1 << 16


class MySQLConnection:
    """A connection, open until an error or ``close``.

    Attributes:
        opened_at: When it was opened, in seconds of ``time.monotonic``.
        used_at: When it was last used.
        packet_limit: The largest packet that the server takes, in bytes.
    """

    def __init__(self, connection: Connection, descriptor: int) -> None:
        self._connection = connection
        self._descriptor = descriptor
        self.opened_at = self.used_at = time.monotonic()
        self.packet_limit = 0
        limit = self.execute(_SETTINGS)[-1].rows[0][0]
        self.packet_limit = int(limit or 0)

    @classmethod
    def open(cls, configuration: MySQLConfiguration, *, database: bool = True) -> Self:
        """Connect.

        Args:
            configuration: Where to.
            database: Whether to use the configured database, rather than none.

        Raises:
            OSError: The server cannot be reached.
            Exception: The driver's error: the server refuses, or there is no such database.
        """
        milliseconds = configuration.connection_timeout or _DEFAULT_CONNECT_TIMEOUT
        address = (configuration.host, configuration.port)
        plain = socket.create_connection(address, milliseconds / 1000)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # The same number after TLS has taken the socket over.
        descriptor = plain.fileno()
        connection = _prepared(configuration, database=database)
        try:
            connection.connect(plain)
            return cls(connection, descriptor)
        except BaseException:
            connection.close()
            plain.close()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the server has not ended the connection while it was unused."""
        return not _is_readable(self._descriptor)

    def execute(self, statements: Sequence[bytes]) -> list[Result]:
        """Send the statements in one packet, and read a result for each.

        After an error the connection must be closed.

        Raises:
            StorageError: They are larger than the server takes.
            Exception: The driver's error; the statements after the one that failed did not run.
        """
        packet = b";".join(statements)
        if self.packet_limit and len(packet) >= self.packet_limit:
            message = (
                f"a statement of {len(packet)} bytes is larger than the server's limit of "
                f"{self.packet_limit}: raise its max_allowed_packet"
            )
            raise StorageError(message)
        cursor = self._connection.cursor()
        cursor.execute(packet)
        results = [Result(cursor.rowcount, cursor.fetchall())]
        while cursor.nextset():
            results.append(Result(cursor.rowcount, cursor.fetchall()))
        self.used_at = time.monotonic()
        return results

    def close(self) -> None:
        """Close the connection; once is enough."""
        self._connection.close()


def _is_readable(descriptor: int) -> bool:
    if sys.platform == "win32":
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _prepared(configuration: MySQLConfiguration, *, database: bool) -> Connection:
    make, _ = load_driver()
    return make(
        host=configuration.host,
        port=configuration.port,
        user=configuration.username,
        password=configuration.password or "",
        database=configuration.database if database else None,
        # Without a context TLS is used, unverified, where the server offers it.
        ssl=ssl.create_default_context() if configuration.ssl else None,
        charset="utf8mb4",
        autocommit=True,
        client_flag=_SEVERAL_STATEMENTS,
        read_timeout=_LONGEST_ANSWER,
        write_timeout=_LONGEST_ANSWER,
        program_name="infinitic",
        defer_connect=True,
    )
