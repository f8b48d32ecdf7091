"""Scripts on one Redis server: a batch is one script."""

from collections.abc import Sequence
from typing import Protocol, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from infinitic_storage._redis_pool import RedisPool
from infinitic_storage._redis_scripts import KeyArguments, Script, script_arguments


class _Client(Protocol):
    """What is used of the client, whose own types leave it open."""

    async def execute_command(self, *command: str | bytes | int) -> object: ...

    async def info(self) -> dict[str, object]: ...


class SingleRedis:
    """One server.

    Args:
        pool: The connections to it.
    """

    def __init__(self, pool: RedisPool) -> None:
        self._client = cast("_Client", Redis(connection_pool=pool))

    async def run(self, script: Script, items: Sequence[KeyArguments]) -> list[object]:
        """Run a script once, on all the keys.

        Raises:
            redis.RedisError: The server cannot be reached, or refuses.
        """
        arguments = script_arguments(items)
        try:
            return await self.ask("EVALSHA", script.digest, *arguments)
        except NoScriptError:
            return await self.ask("EVAL", script.text, *arguments)

    async def close(self) -> None:
        """Do nothing: the pool is somebody else's."""

    async def ask(self, *command: str | bytes | int) -> list[object]:
        """Execute a command whose answer is a list.

        Raises:
            redis.RedisError: The server cannot be reached, or refuses.
        """
        return cast("list[object]", await self._client.execute_command(*command))

    async def info(self) -> dict[str, object]:
        """What the server tells about itself.

        Raises:
            redis.RedisError: The server cannot be reached, or refuses.
        """
        return await self._client.info()
