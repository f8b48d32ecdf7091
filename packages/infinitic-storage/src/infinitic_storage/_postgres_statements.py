"""The statements of the Postgres storages: one for each method of the ports.

Three things are the same in all of them.

* Rows are locked in the order of the arrays, which callers sort: two batches that share keys wait
  for one another, and do not deadlock. Where one statement both deletes and writes, it first locks
  all its rows.
* A row is found through a lateral subquery behind ``OFFSET 0``. The plans are generic, made once
  for a connection, maybe while the table was empty: an ordinary join could then choose, and keep,
  to read the whole table for each batch.
* The version is compared again where the row is written: after waiting for another writer,
  Postgres evaluates that condition, and only that, on the row's new content.
"""

import attrs

from infinitic_common.exceptions import StorageUnavailable


class StatementConflict(StorageUnavailable):
    """A statement lost against other ones, and changed nothing."""


@attrs.frozen
class Statement:
    """A statement to prepare once for a connection.

    Attributes:
        name: Its name among the prepared ones.
        sql: Its text.
    """

    name: bytes
    sql: bytes


@attrs.frozen
class KeyValueStatements:
    """Statements on one table of records."""

    get: Statement
    put: Statement
    delete: Statement
    purge: Statement


@attrs.frozen
class KeySetStatements:
    """Statements on one table of sets."""

    get: Statement
    first_page: Statement
    next_page: Statement
    update: Statement


_LIVE = "(r.expires_at IS NULL OR r.expires_at > now())"
_FOUND = "CROSS JOIN LATERAL (SELECT ctid FROM {table} t WHERE t.key = i.key OFFSET 0) AS found"

_GET = "SELECT key, value, version FROM {table} r WHERE key = ANY($1::text[]) AND {live}"

# The parts run one after the other, each made to wait by counting the rows of the one before.
_PUT = """
WITH held AS (
    SELECT row.key FROM unnest($1::text[]) AS i(key)
    CROSS JOIN LATERAL (SELECT key FROM {table} t WHERE t.key = i.key FOR UPDATE) AS row
), updated AS (
    UPDATE {table} r
    SET value = i.value, version = i.version + 1, expires_at = i.expires_at, last_update = now()
    FROM unnest($2::text[], $3::bytea[], $4::bigint[], $5::timestamptz[])
        AS i(key, value, version, expires_at)
    {found}
    WHERE (SELECT count(*) FROM held) >= 0
        AND r.ctid = found.ctid AND r.version = i.version AND {live}
    RETURNING r.key
), deleted AS (
    DELETE FROM {table} r
    USING unnest($6::text[], $7::bigint[]) AS i(key, version)
    {found}
    WHERE (SELECT count(*) FROM updated) >= 0
        AND r.ctid = found.ctid AND r.version = i.version AND {live}
    RETURNING r.key
), inserted AS (
    INSERT INTO {table} AS r (key, value, version, expires_at)
    SELECT i.key, i.value, 1, i.expires_at
    FROM unnest($8::text[], $9::bytea[], $10::timestamptz[]) AS i(key, value, expires_at)
    WHERE (SELECT count(*) FROM deleted) >= 0
    ON CONFLICT (key) DO UPDATE
    SET value = EXCLUDED.value, version = 1, expires_at = EXCLUDED.expires_at, last_update = now()
    WHERE NOT {live}
    RETURNING r.key
)
SELECT key FROM updated UNION ALL SELECT key FROM deleted UNION ALL SELECT key FROM inserted
UNION ALL
SELECT i.key FROM unnest($11::text[]) AS i(key)
WHERE NOT EXISTS (SELECT FROM {table} r WHERE r.key = i.key AND {live})
"""

_DELETE = "DELETE FROM {table} WHERE key = ANY($1::text[])"

# A record that another worker is writing or purging is left alone.
_PURGE = """
DELETE FROM {table} WHERE expires_at <= now() AND key = ANY(ARRAY(
    SELECT key FROM {table} WHERE expires_at <= now()
    ORDER BY expires_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED
))
"""

_GET_SETS = "SELECT key, value FROM {table} WHERE key = ANY($1::text[])"
_FIRST_PAGE = """
SELECT value FROM {table} WHERE key = $1::text ORDER BY value LIMIT $2::bigint
"""
_NEXT_PAGE = """
SELECT value FROM {table} WHERE key = $1::text AND value > $3::text
ORDER BY value LIMIT $2::bigint
"""
_UPDATE_SETS = """
WITH held AS (
    SELECT row.key FROM unnest($1::text[], $2::text[]) AS i(key, value)
    CROSS JOIN LATERAL (
        SELECT key FROM {table} t WHERE t.key = i.key AND t.value = i.value FOR UPDATE
    ) AS row
), removed AS (
    DELETE FROM {table} r
    USING unnest($3::text[], $4::text[]) AS i(key, value)
    CROSS JOIN LATERAL (
        SELECT ctid FROM {table} t WHERE t.key = i.key AND t.value = i.value OFFSET 0
    ) AS found
    WHERE (SELECT count(*) FROM held) >= 0 AND r.ctid = found.ctid
    RETURNING r.key
)
INSERT INTO {table} (key, value)
SELECT i.key, i.value FROM unnest($5::text[], $6::text[]) AS i(key, value)
WHERE (SELECT count(*) FROM removed) >= 0
ON CONFLICT DO NOTHING
"""


def key_value_statements(table: str) -> KeyValueStatements:
    """The statements on a table of records, whose name is quoted."""
    return KeyValueStatements(
        get=_statement("get_records", _GET, table),
        put=_statement("put_records", _PUT, table),
        delete=_statement("delete_records", _DELETE, table),
        purge=_statement("purge_records", _PURGE, table),
    )


def key_set_statements(table: str) -> KeySetStatements:
    """The statements on a table of sets, whose name is quoted."""
    return KeySetStatements(
        get=_statement("get_sets", _GET_SETS, table),
        first_page=_statement("get_first_page", _FIRST_PAGE, table),
        next_page=_statement("get_next_page", _NEXT_PAGE, table),
        update=_statement("update_sets", _UPDATE_SETS, table),
    )


def _statement(name: str, template: str, table: str) -> Statement:
    found = _FOUND.format(table=table)
    return Statement(name.encode(), template.format(table=table, found=found, live=_LIVE).encode())
