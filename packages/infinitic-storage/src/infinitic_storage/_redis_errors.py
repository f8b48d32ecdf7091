"""Errors of Redis and its client in the words of the storage ports."""

from redis import exceptions

from infinitic_common.exceptions import StorageError, StorageUnavailable

_PASSING = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.TryAgainError,
    exceptions.AskError,
    exceptions.MovedError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    # What the client of a cluster raises when it finds none of its servers.
    exceptions.RedisClusterException,
)
# Codes without a class of their own: a script of somebody else runs for long, there are too few
# replicas, the disk is full.
_PASSING_CODES = ("BUSY ", "NOREPLICAS ", "MISCONF ")


def is_passing(error: exceptions.RedisError) -> bool:
    """Whether the same call may succeed later."""
    return isinstance(error, _PASSING) or str(error).startswith(_PASSING_CODES)


def translated(error: exceptions.RedisError, address: str) -> StorageUnavailable | StorageError:
    """What the caller of a storage is told about an error of the client.

    Args:
        error: The error of the client.
        address: Where the server is.
    """
    text = " ".join(str(error).split()) or type(error).__name__
    if is_passing(error):
        return StorageUnavailable(
            f"{address} cannot be used now: {text}; check that the server runs, and that host, "
            "port, username, password, database and ssl of the storage are right"
        )
    return StorageError(f"{address} refused a command: {text}")
