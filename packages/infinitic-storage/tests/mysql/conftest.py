import uuid
from collections.abc import AsyncIterator, Iterator

import attrs
import pymysql
import pytest
from mysql_servers import Admin, ask

from infinitic_common.configuration import MySQLConfiguration
from infinitic_storage import MySQLStorage


@pytest.fixture
def own_database(
    mysql_server: MySQLConfiguration, mysql_admin: Admin
) -> Iterator[MySQLConfiguration]:
    """A database that does not exist yet, for one test."""
    name = f"test_{uuid.uuid4().hex}"
    yield attrs.evolve(mysql_server, database=name)
    ask(mysql_admin, f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
async def storage(own_database: MySQLConfiguration) -> AsyncIterator[MySQLStorage]:
    storage = MySQLStorage(own_database)
    yield storage
    await storage.close()


@pytest.fixture
def rival(mysql_server: MySQLConfiguration) -> Iterator[Admin]:
    """Another writer, in a transaction that the test ends."""
    connection = pymysql.connect(
        host=mysql_server.host,
        port=mysql_server.port,
        user=mysql_server.username,
        password=mysql_server.password or "",
    )
    with connection:
        yield connection
