"""The format of a table of a SQL database, as the comment on the table tells it."""

import re

from infinitic_common.exceptions import StorageError

_COMMENT = re.compile(r"infinitic format (\d+)")


def comment_of(version: int) -> str:
    """The comment on a table of a format."""
    return f"infinitic format {version}"


def version_in(comment: str) -> int | None:
    """The format that a comment tells; None when it tells none."""
    told = _COMMENT.fullmatch(comment)
    return int(told[1]) if told else None


def check_version(table: str, version: int, newest: int) -> None:
    """Refuse a table that a later release made or upgraded.

    Args:
        table: Its name, for the message.
        version: Its format.
        newest: The newest format that is known here.

    Raises:
        StorageError: Its format is newer.
    """
    if version > newest:
        message = (
            f"the table {table} has format {version}, and this release of infinitic-storage knows "
            f"formats up to {newest}: install the release that the other workers use"
        )
        raise StorageError(message)
