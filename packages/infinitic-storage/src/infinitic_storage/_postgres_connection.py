"""One connection to Postgres, driven by the event loop through psycopg's face of libpq.

A cursor of psycopg, asynchronous or in a thread, costs 200 to 400 µs of CPU a call before the
first row; one prepared statement sent here costs 70 µs, see ``decisions/postgres-driver.md``.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

import psycopg
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from infinitic_storage._postgres_statements import Statement

_BINARY = int(Format.BINARY)
_SUCCESSES = frozenset({int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK)})

# A server that is silent for so many seconds is taken for gone.
_LONGEST_ANSWER = 30.0

# Plans are made once for a connection, so that a statement is not planned at each call, and only
# by index, so that they do not depend on how full the tables are when they are made.
_PLANNING = """
SELECT set_config(name, wanted.value, false)
FROM (VALUES
    ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'),
    ('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'),
    ('enable_memoize', 'off'), ('jit', 'off')
) AS wanted(name, value) JOIN pg_settings USING (name)
"""


class PostgresConnection:
    """A connection that executes one prepared statement at a time.

    An error of the connection, a timeout and a cancelled ``execute`` close it: what the server
    did with the statement is then unknown. An error of the statement leaves it open.

    Attributes:
        opened_at: When it was opened, in seconds by the loop's clock.
        used_at: When it was last used.
    """

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._socket = self._libpq.socket
        self._loop = asyncio.get_running_loop()
        self._prepared: set[bytes] = set()
        self._answer: asyncio.Future[PGresult] | None = None
        self._result: PGresult | None = None
        self._is_writing = False
        self._is_closed = False
        self.opened_at = self.used_at = self._loop.time()
        # Always there, so that the end of an idle connection is noticed when it happens.
        self._loop.add_reader(self._socket, self._on_readable)

    @classmethod
    async def open(cls, address: str) -> Self:
        """Connect.

        Args:
            address: Where to, as libpq's connection string.

        Raises:
            psycopg.Error: The server cannot be reached, or refuses.
        """
        connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
        try:
            await connection.execute(_PLANNING)
        except BaseException:
            await connection.close()
            raise
        return cls(connection)

    @property
    def is_closed(self) -> bool:
        """Whether it can no longer be used."""
        return self._is_closed

    async def execute(self, statement: Statement, parameters: Sequence[bytes]) -> PGresult:
        """Execute a statement with parameters in binary format; the result is binary too.

        Raises:
            psycopg.Error: The statement failed, or the connection.
        """
        if statement.name not in self._prepared:
            await self._ask(lambda: self._libpq.send_prepare(statement.name, statement.sql))
            self._prepared.add(statement.name)
        formats = [_BINARY] * len(parameters)
        result = await self._ask(
            lambda: self._libpq.send_query_prepared(statement.name, parameters, formats, _BINARY)
        )
        self.used_at = self._loop.time()
        return result

    def close(self) -> None:
        """Close the connection; once is enough."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._libpq.finish()

    async def _ask(self, send: Callable[[], None]) -> PGresult:
        answer: asyncio.Future[PGresult] = self._loop.create_future()
        self._answer = answer
        alarm = self._loop.call_later(_LONGEST_ANSWER, self._give_up)
        try:
            send()
            self._flush()
            result = await answer
        except BaseException:
            self.close()
            raise
        finally:
            alarm.cancel()
            self._answer = None
        if result.status not in _SUCCESSES:
            raise errors.error_from_result(result)
        return result

    def _flush(self) -> None:
        is_writing = bool(self._libpq.flush())
        if is_writing and not self._is_writing:
            self._loop.add_writer(self._socket, self._on_writable)
        elif self._is_writing and not is_writing:
            self._loop.remove_writer(self._socket)
        self._is_writing = is_writing

    def _on_writable(self) -> None:
        try:
            # A server that answers before it has read everything may wait for this side to read.
            self._libpq.consume_input()
            self._flush()
            self._collect()
        except psycopg.Error as error:
            self._break(error)

    def _on_readable(self) -> None:
        try:
            self._libpq.consume_input()
            self._collect()
        except psycopg.Error as error:
            self._break(error)

    def _collect(self) -> None:
        while self._answer is not None and not self._libpq.is_busy():
            result = self._libpq.get_result()
            if result is None:
                self._finish()
            else:
                self._result = result

    def _finish(self) -> None:
        if self._libpq.status != ConnStatus.OK or self._result is None:
            message = "the server closed the connection"
            raise psycopg.OperationalError(message)
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(self._result)
        self._result = None

    def _give_up(self) -> None:
        self._break(psycopg.OperationalError(f"no answer within {_LONGEST_ANSWER:.0f} s"))

    def _break(self, error: psycopg.Error) -> None:
        answer, self._answer = self._answer, None
        self.close()
        if answer is not None and not answer.done():
            answer.set_exception(error)
