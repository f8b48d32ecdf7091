"""What is asked of a Redis server when it is first used: its kind, its data's format, its care."""

import logging
from collections.abc import Sequence
from typing import Protocol, cast

from redis.exceptions import ResponseError

from infinitic_common.exceptions import StorageError
from infinitic_storage._redis_scripts import CLAIM_FORMAT, KeyArguments, Script
from infinitic_storage._redis_single import SingleRedis

FORMAT = 1
"""How records and sets are kept; a number for each change that older code would misread."""

_logger = logging.getLogger(__name__)


class _Scripts(Protocol):
    async def run(self, script: Script, items: Sequence[KeyArguments]) -> list[object]: ...


async def mode_of(server: SingleRedis) -> str:
    """How a server runs: ``standalone``, ``sentinel`` or ``cluster``.

    Raises:
        redis.RedisError: The server cannot be reached, or refuses.
    """
    try:
        answer = await server.ask("HELLO")
    except ResponseError:
        # Older than Redis 6, or not allowed.
        return "standalone"
    pairs = dict(zip(answer[::2], answer[1::2], strict=True))
    return cast("bytes", pairs.get(b"mode", b"standalone")).decode()


async def check_format(scripts: _Scripts, key: bytes, address: str) -> None:
    """Mark the data as of this format, unless it is marked already.

    Raises:
        StorageError: It is of a format that is not known here.
        redis.RedisError: The server cannot be reached, or refuses.
    """
    (found,) = await scripts.run(CLAIM_FORMAT, [(key, (b"%d" % FORMAT,))])
    if found != b"%d" % FORMAT:
        text = cast("bytes", found).decode(errors="replace")
        message = (
            f"the data in {address} has format {text} (in the key {key.decode()!r}), and this "
            f"release of infinitic-storage knows format {FORMAT}: install the release that wrote "
            "it, or give the storage another `keyPrefix`"
        )
        raise StorageError(message)


async def warn_of_losses(server: SingleRedis, address: str) -> None:
    """Log how a server is set up to lose data, if it tells.

    Raises:
        redis.RedisError: The server cannot be reached.
    """
    try:
        info = await server.info()
    except ResponseError:
        # It may not be allowed to.
        return
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        _logger.warning(
            "%s drops records when its memory is full: set its maxmemory-policy to noeviction, "
            "not %s",
            address,
            policy,
        )
    if str(info.get("aof_enabled", 1)) == "0":
        _logger.warning(
            "%s may lose what was written when it restarts: set its appendonly to yes", address
        )
