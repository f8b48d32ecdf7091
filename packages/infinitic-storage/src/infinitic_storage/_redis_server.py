"""A Redis server or cluster as the storages use it: opened when needed, its errors translated."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError

from infinitic_common.configuration import RedisConfiguration
from infinitic_common.exceptions import StorageError
from infinitic_storage._redis_cluster import ClusteredRedis
from infinitic_storage._redis_errors import translated
from infinitic_storage._redis_keys import RedisKeys
from infinitic_storage._redis_opening import check_format, mode_of, warn_of_losses
from infinitic_storage._redis_pool import RedisPool
from infinitic_storage._redis_scripts import KeyArguments, Script
from infinitic_storage._redis_single import SingleRedis


class _Scripts(Protocol):
    async def run(self, script: Script, items: Sequence[KeyArguments]) -> list[object]: ...

    async def close(self) -> None: ...


class RedisServer:
    """The server of a configuration, or the cluster it belongs to, used from one event loop.

    Args:
        configuration: Where it is, and what its keys start with.
    """

    def __init__(self, configuration: RedisConfiguration) -> None:
        self._configuration = configuration
        self._pool = RedisPool(configuration)
        self._opening = asyncio.Lock()
        self._scripts: _Scripts | None = None
        self._is_closed = False
        self._users: set[object] = set()
        self.keys = RedisKeys(configuration.key_prefix)

    @property
    def address(self) -> str:
        """Where the server is, for messages."""
        configuration = self._configuration
        place = f"{configuration.host}:{configuration.port}"
        return f"Redis at {place}, database {configuration.database}"

    async def run(self, script: Script, items: Sequence[KeyArguments]) -> list[object]:
        """Run a script on keys, and answer an item for each of them.

        Raises:
            StorageUnavailable: The server cannot be reached now.
            StorageError: The server refuses, its data has a format that is not known here, or
                this is closed.
        """
        if self._is_closed:
            message = f"the storage on {self.address} is closed: open another one"
            raise StorageError(message)
        try:
            scripts = self._scripts or await self._open()
            return await scripts.run(script, items)
        except RedisError as error:
            raise translated(error, self.address) from error

    def join(self, user: object) -> None:
        """Count one more user."""
        self._users.add(user)

    async def leave(self, user: object) -> None:
        """Count one user less; after the last one the connections close."""
        self._users.discard(user)
        if self._users or self._is_closed:
            return
        self._is_closed = True
        if self._scripts is not None:
            await self._scripts.close()
        await self._pool.aclose()

    async def _open(self) -> _Scripts:
        async with self._opening:
            if self._scripts is None:
                self._scripts = await self._opened()
            return self._scripts

    async def _opened(self) -> _Scripts:
        await self._pool.open_idle()
        single = SingleRedis(self._pool)
        scripts: _Scripts = single
        if await mode_of(single) == "cluster":
            scripts = self._cluster()
        try:
            await check_format(scripts, self.keys.format, self.address)
            await warn_of_losses(single, self.address)
        except BaseException:
            await scripts.close()
            raise
        return scripts

    def _cluster(self) -> ClusteredRedis:
        if self._configuration.database:
            message = (
                f"{self.address} is a cluster, which has only database 0: leave `database` out"
            )
            raise StorageError(message)
        return ClusteredRedis(self._configuration)
