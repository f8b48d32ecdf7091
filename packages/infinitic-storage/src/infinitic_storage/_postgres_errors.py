"""Errors of the driver in the words of the storage ports."""

import psycopg

from infinitic_common.exceptions import StorageError, StorageUnavailable
from infinitic_storage._postgres_statements import StatementConflict

# Appendix A of PostgreSQL's manual: serialization_failure, deadlock_detected, lock_not_available.
_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
# Connection exceptions; insufficient resources; shutdowns and cancelled queries; system errors.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
# A server that only reads is one that is being replaced: read_only_sql_transaction.
_UNAVAILABLE = frozenset({"25006"})


def translated(error: psycopg.Error, address: str) -> StorageUnavailable | StorageError:
    """What the caller of a storage is told about an error of the driver.

    Args:
        error: The error of the driver.
        address: Where the server is.
    """
    state = error.sqlstate
    if state in _CONFLICTS:
        return StatementConflict(f"{address} is busy with other writers: {_text(error)}")
    if _is_passing(error):
        return StorageUnavailable(
            f"{address} cannot be used now: {_text(error)}; check that the server runs, and that "
            "host, port, username, password and database of the storage are right"
        )
    return StorageError(f"{address} refused a statement: {_text(error)} (SQLSTATE {state})")


def _is_passing(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(_UNAVAILABLE_CLASSES) or state in _UNAVAILABLE


def _text(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
