"""Errors of the driver in the words of the storage ports."""

from infinitic_common.exceptions import StorageError, StorageUnavailable


class StatementConflict(StorageUnavailable):
    """A packet lost against other ones, and changed nothing."""


# The numbers are those of "Server Error Message Reference" and "Client Error Message Reference"
# in MySQL's manual; from 1900 to 1999 they are MariaDB's own.
_UNKNOWN_DATABASE = 1049
_PACKET_TOO_LARGE = 1153
_DEADLOCK = 1213
_PASSING = frozenset(
    {
        # Connecting: too many connections, out of resources, a host or user that is not let in.
        *(1040, 1041, 1042, 1043, 1044, 1045, 1129, 1130, 1203, 1226, 1698),
        # Losing the connection: shutdown, network errors, killed, timeouts.
        *(1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 3169, 4031),
        # The server at its limits: disk full, out of memory, table full, error of the engine.
        *(1021, 1030, 1037, 1038, 1114, 1135, 1969, 3024),
        # A lock that another writer, who may be gone, holds for too long.
        1205,
        # A server that only reads is one that is being replaced, one of a cluster not yet ready.
        *(1047, 1290, 1792, 1836, 3100, 3101, 3797),
        # The client's: cannot connect, gone away, lost, out of order.
        *(2002, 2003, 2004, 2005, 2006, 2012, 2013, 2014, 2026, 2055),
    }
)


def is_unknown_database(error: Exception) -> bool:
    """Whether there is no database of that name."""
    return _number(error) == _UNKNOWN_DATABASE


def translated(error: Exception, address: str) -> StorageUnavailable | StorageError:
    """What the caller of a storage is told about an error of the driver.

    Args:
        error: The error of the driver, or of the system.
        address: Where the server is.
    """
    number = _number(error)
    if number == _DEADLOCK:
        return StatementConflict(f"{address} is busy with other writers: {_text(error)}")
    # Without a number, or with 0: the connection had ended, or what came was no answer.
    if not number or number in _PASSING:
        return StorageUnavailable(
            f"{address} cannot be used now: {_text(error)}; check that the server runs, and that "
            "host, port, username, password and database of the storage are right"
        )
    if number == _PACKET_TOO_LARGE:
        return StorageError(f"{address}: {_text(error)}; raise max_allowed_packet of the server")
    return StorageError(f"{address} refused a statement: {_text(error)} (error {number})")


def _number(error: Exception) -> int:
    if isinstance(error, OSError):
        return 0
    number = error.args[0] if error.args else 0
    return number if isinstance(number, int) else 0


def _text(error: Exception) -> str:
    what = error.args[-1] if len(error.args) > 1 else error
    return " ".join(str(what).split()) or type(error).__name__
