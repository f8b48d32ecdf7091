"""What is used of the driver, PyMySQL, which ships no types and is an extra of this wheel."""

import ssl
from collections.abc import Sequence
from importlib import import_module
from socket import socket
from typing import Protocol, cast

from infinitic_storage._drivers import missing_driver

Cell = bytes | int | None
Row = tuple[Cell, ...]


class Cursor(Protocol):
    """The results of one call, one after the other."""

    @property
    def rowcount(self) -> int:
        """Rows written, or given."""
        ...

    def execute(self, query: bytes) -> int:
        """Send statements, and read the first result."""
        ...

    def fetchall(self) -> Sequence[Row]:
        """The rows of this result."""
        ...

    def nextset(self) -> bool | None:
        """Read the next result; None after the last one."""
        ...


class Connection(Protocol):
    """A connection, used by one thread at a time."""

    def connect(self, sock: socket) -> None:
        """Say hello through a socket that is connected."""
        ...

    def cursor(self) -> Cursor:
        """A place for results."""
        ...

    def close(self) -> None:
        """Say goodbye."""
        ...


class ConnectionClass(Protocol):
    """How a connection is made."""

    def __call__(  # noqa: PLR0913 - the driver's
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        database: str | None,
        ssl: ssl.SSLContext | None,
        charset: str,
        autocommit: bool,
        client_flag: int,
        read_timeout: float,
        write_timeout: float,
        program_name: str,
        defer_connect: bool,
    ) -> Connection:
        """A connection that is not connected yet."""
        ...


class _Driver(Protocol):
    Connection: ConnectionClass
    MySQLError: type[Exception]


def load_driver() -> tuple[ConnectionClass, type[Exception]]:
    """The class of connections, and the base of the driver's errors.

    Raises:
        StorageError: The driver is not installed.
    """
    try:
        driver = cast("_Driver", import_module("pymysql"))
    except ImportError as error:
        raise missing_driver(error, "MySQL", "mysql") from error
    return driver.Connection, driver.MySQLError
