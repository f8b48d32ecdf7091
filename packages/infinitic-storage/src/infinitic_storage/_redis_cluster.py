"""Scripts on a cluster of Redis servers: a batch is one script for each slot, all sent at once."""

from collections.abc import Sequence
from typing import Protocol, cast

from redis.asyncio import RedisCluster
from redis.crc import key_slot
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,  # noqa: A004 - the client's name of it
    MovedError,
    NoScriptError,
    RedisError,
    TimeoutError,  # noqa: A004 - the client's name of it
)

from infinitic_common.configuration import RedisConfiguration
from infinitic_storage._redis_pool import connection_options, most_connections, tls_options
from infinitic_storage._redis_scripts import KeyArguments, Script, script_arguments

_Group = list[int]
# What tells that a slot may be elsewhere by now.
_MOVES = (ConnectionError, TimeoutError, ClusterDownError, MovedError)


class _Pipeline(Protocol):
    """What is used of the client's pipeline, whose own types leave it open."""

    def execute_command(self, *command: str | bytes | int) -> object: ...

    async def execute(self, *, raise_on_error: bool) -> list[object]: ...


class ClusteredRedis:
    """A cluster, which is asked where its slots are when it is first used, and after failures.

    Args:
        configuration: One of its servers.
    """

    def __init__(self, configuration: RedisConfiguration) -> None:
        self._client = RedisCluster(
            host=configuration.host,
            port=configuration.port,
            max_connections=most_connections(configuration),
            ssl=configuration.ssl,
            **connection_options(configuration),
            **tls_options(configuration),
        )

    async def run(self, script: Script, items: Sequence[KeyArguments]) -> list[object]:
        """Run a script on the keys of each slot.

        Raises:
            redis.RedisError: A server cannot be reached, or refuses; scripts on other slots may
                have run.
        """
        groups = _by_slot(items)
        parts = [[items[place] for place in group] for group in groups]
        answers = await self._ask("EVALSHA", script.digest, parts)
        unknown = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            repeated = await self._ask("EVAL", script.text, [parts[i] for i in unknown])
            for i, answer in zip(unknown, repeated, strict=True):
                answers[i] = answer
        await self._raise_first(answers)
        return _in_order(groups, answers, len(items))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self, command: str, script: str, parts: Sequence[Sequence[KeyArguments]]
    ) -> list[object]:
        pipeline = cast("_Pipeline", self._client.pipeline())
        for part in parts:
            pipeline.execute_command(command, script, *script_arguments(part))
        return await pipeline.execute(raise_on_error=False)

    async def _raise_first(self, answers: Sequence[object]) -> None:
        errors = [answer for answer in answers if isinstance(answer, RedisError)]
        if any(isinstance(error, _MOVES) for error in errors):
            # The next call asks where the slots are.
            await self._client.aclose()
        if errors:
            raise errors[0]


def _by_slot(items: Sequence[KeyArguments]) -> list[_Group]:
    groups: dict[int, _Group] = {}
    for place, (key, _) in enumerate(items):
        groups.setdefault(key_slot(key), []).append(place)
    return list(groups.values())


def _in_order(groups: Sequence[_Group], answers: Sequence[object], count: int) -> list[object]:
    ordered: list[object] = [None] * count
    for group, answer in zip(groups, answers, strict=True):
        for place, one in zip(group, cast("list[object]", answer), strict=True):
            ordered[place] = one
    return ordered
