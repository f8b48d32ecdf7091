"""The statements of the MySQL storages, in a dialect that MySQL and MariaDB share.

* A call is one packet, whatever the number of keys: one round trip, and two waits for the GIL.
* An update of many rows finds its values by the position of the key in a list (``ELT``,
  ``FIELD``). Each winner is marked with the call's own number; only where fewer rows were written
  than asked for are the marked ones read back, in the same transaction.
* Rows are met in the order of the primary key: two batches that share keys wait for one another.
* A name is quoted with backticks, and values are literals, see ``_mysql_literals.py``.
"""

from collections.abc import Mapping, Sequence

from infinitic_storage._batch import Item, Pair
from infinitic_storage._mysql_literals import blob, integer, listed, optional, text

_NOW = b"TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"
_LIVE = b"(expires_at IS NULL OR expires_at > %b)" % _NOW
_EXPIRED = b"expires_at <= %b" % _NOW


class KeyValueStatements:
    """Statements on one table of records, whose name is quoted."""

    def __init__(self, table: bytes) -> None:
        self._table = table

    def get(self, keys: Sequence[str]) -> bytes:
        """Key, value and version of the records that are there."""
        return b"SELECT `key`, value, version FROM %b WHERE %b AND %b" % (
            self._by_key,
            _in(keys),
            _LIVE,
        )

    def update(self, items: Sequence[Item], mark: int) -> bytes:
        """Write where the version is the expected one."""
        keys = [text(key) for key, _ in items]
        values = [blob(write.value or b"") for _, write in items]
        versions = [integer(write.expected_version) for _, write in items]
        expiries = [optional(write.expires_at) for _, write in items]
        # MySQL assigns from left to right; nothing here reads what is assigned before it.
        return (
            b"UPDATE %b SET value = %b, version = version + 1, mark = %d, expires_at = %b, "
            b"last_update = UTC_TIMESTAMP() WHERE %b AND version = %b AND %b"
        ) % (
            self._by_key,
            _chosen(keys, values),
            mark,
            _chosen(keys, expiries),
            b"`key` IN (%b)" % listed(keys),
            _chosen(keys, versions),
            _LIVE,
        )

    def delete_version(self, item: Item) -> bytes:
        """Delete one record where its version is the expected one."""
        key, write = item
        version = integer(write.expected_version)
        return b"DELETE FROM %b WHERE %b AND version = %b AND %b" % (
            self._table,
            _in([key]),
            version,
            _LIVE,
        )

    def delete_expired(self, keys: Sequence[str]) -> bytes:
        """Delete those of some records that have expired."""
        # The sum keeps the index of expiries out of it, whose order is another one.
        return b"%b AND expires_at + 0 <= %b" % (self.delete(keys), _NOW)

    def insert(self, items: Sequence[Item], mark: int) -> bytes:
        """Write where there is no record."""
        rows = [
            b"(%b, %b, 1, %d, %b, UTC_TIMESTAMP())"
            % (text(key), blob(write.value or b""), mark, optional(write.expires_at))
            for key, write in items
        ]
        # Not INSERT IGNORE, which would also store less than was given.
        return (
            b"INSERT INTO %b (`key`, value, version, mark, expires_at, last_update) VALUES %b "
            b"ON DUPLICATE KEY UPDATE `key` = `key`"
        ) % (self._table, listed(rows))

    def marked(self, keys: Sequence[str], mark: int, condition: bytes) -> bytes:
        """The keys of the records that this call wrote, or none unless a condition holds."""
        return b"SELECT `key` FROM %b WHERE %b AND %b AND mark = %d" % (
            self._by_key,
            condition,
            _in(keys),
            mark,
        )

    def present(self, keys: Sequence[str]) -> bytes:
        """Those of some keys that have a record."""
        return b"SELECT `key` FROM %b WHERE %b AND %b" % (self._by_key, _in(keys), _LIVE)

    def delete(self, keys: Sequence[str]) -> bytes:
        """Delete records, whatever their versions."""
        # The form that takes the name of an index reads a small table whole all the same.
        return b"DELETE FROM %b WHERE %b" % (self._table, _in(keys))

    def expired(self, limit: int) -> bytes:
        """The keys of some records that have expired, oldest first."""
        return b"SELECT `key` FROM %b WHERE %b ORDER BY expires_at LIMIT %d" % (
            self._table,
            _EXPIRED,
            limit,
        )

    @property
    def _by_key(self) -> bytes:
        return b"%b FORCE INDEX (PRIMARY)" % self._table


class KeySetStatements:
    """Statements on one table of sets, whose name is quoted."""

    def __init__(self, table: bytes) -> None:
        self._table = table

    def get(self, keys: Sequence[str]) -> bytes:
        """Key and value of each member of some sets."""
        return b"SELECT `key`, value FROM %b FORCE INDEX (PRIMARY) WHERE %b" % (
            self._table,
            _in(keys),
        )

    def page(self, key: str, limit: int, cursor: str | None) -> bytes:
        """The first members of a set, or those after one."""
        after = b"" if cursor is None else b" AND value > %b" % text(cursor)
        return b"SELECT value FROM %b WHERE `key` = %b%b ORDER BY value LIMIT %d" % (
            self._table,
            text(key),
            after,
            limit,
        )

    def hold(self, pairs: Sequence[Pair]) -> bytes:
        """Lock those of some members that are there."""
        return b"SELECT COUNT(*) FROM %b FORCE INDEX (PRIMARY) WHERE %b FOR UPDATE" % (
            self._table,
            _in_sets(pairs),
        )

    def remove(self, pairs: Sequence[Pair]) -> bytes:
        """Remove members."""
        return b"DELETE FROM %b WHERE %b" % (self._table, _in_sets(pairs))

    def add(self, pairs: Sequence[Pair]) -> bytes:
        """Add members that are missing."""
        rows = [b"(%b, %b)" % (text(key), text(value)) for key, value in pairs]
        return b"INSERT INTO %b (`key`, value) VALUES %b ON DUPLICATE KEY UPDATE `key` = `key`" % (
            self._table,
            listed(rows),
        )


def _in(keys: Sequence[str]) -> bytes:
    return b"`key` IN (%b)" % listed(map(text, keys))


def _in_sets(pairs: Sequence[Pair]) -> bytes:
    # A list of pairs would be a scan of the whole table in some versions of MariaDB.
    values: Mapping[str, list[bytes]] = {key: [] for key, _ in pairs}
    for key, value in pairs:
        values[key].append(text(value))
    sets = [
        b"(`key` = %b AND value IN (%b))" % (text(key), listed(of_key))
        for key, of_key in values.items()
    ]
    return b"(%b)" % b" OR ".join(sets)


def _chosen(keys: Sequence[bytes], literals: Sequence[bytes]) -> bytes:
    """The literal of the row's key; just the literal where all are the same."""
    if all(literal == literals[0] for literal in literals):
        return literals[0]
    return b"ELT(FIELD(`key`, %b), %b)" % (listed(keys), listed(literals))
