"""Idempotency keys: the answer to a request, stored in the transaction of its work.

A key is a row. Whoever works under it holds an advisory lock until the transaction ends, so that a second
request learns that the first is still running instead of waiting for it. Of two that meet all the same, the
primary key lets one commit.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    LargeBinary,
    Select,
    Text,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
    table,
    true,
)

KEYS = "specwright.idempotency_keys"
#: What two that work under one key at once violate.
PRIMARY_KEY = "idempotency_keys_pkey"

#: Hours that an answer is kept.
HOURS = 24
#: Expired rows that one look at a key takes away at most.
PURGED = 16

#: `id` stands for caller, method, path and key, and `request` for the body and the query: digests, so that
#: any length is taken and nothing can be read from them. Of a derived create the row is kept as it was made
#: (`made_key`, `version` and `body`), of everything else the answer.
DEFINITION = (
    f"CREATE TABLE IF NOT EXISTS {KEYS} ("
    "id bytea CONSTRAINT idempotency_keys_pkey PRIMARY KEY, request bytea NOT NULL,"
    " at timestamptz NOT NULL DEFAULT transaction_timestamp(), made_key text, version bigint,"
    " status smallint, headers text[], media_type text, body bytea)",
    f"CREATE INDEX IF NOT EXISTS idempotency_keys_at ON {KEYS} (at)",
)

_EXPIRED = f"at <= transaction_timestamp() - interval '{HOURS} hours'"

#: The row of $1, if it has not expired. On the way some expired ones go, $1 among them.
RECALL = f"""
WITH expired AS (
  DELETE FROM {KEYS} WHERE {_EXPIRED} AND (id = $1 OR id = ANY (ARRAY(
    SELECT id FROM {KEYS} WHERE {_EXPIRED} ORDER BY at LIMIT {PURGED} FOR UPDATE SKIP LOCKED)))
)
SELECT request, made_key, version, status, headers, media_type, body
FROM {KEYS} WHERE id = $1 AND NOT {_EXPIRED}"""  # noqa: S608 # constants of ours

#: Begin to work under $1 for the request $2, with the lock $3; no row when somebody else does, or has.
CLAIM = f"""INSERT INTO {KEYS} (id, request) SELECT $1, $2 WHERE pg_try_advisory_xact_lock($3)
ON CONFLICT (id) DO NOTHING RETURNING true"""

#: Store the answer of what was begun.
KEEP = f"UPDATE {KEYS} SET status = $2, headers = $3, media_type = $4, body = $5 WHERE id = $1"  # noqa: S608

#: Leave nothing of what was begun.
DROP = f"DELETE FROM {KEYS} WHERE id = $1"  # noqa: S608

_KEYS = table(
    "idempotency_keys",
    *map(column, ("id", "request", "made_key", "version", "body")),
    schema="specwright",
)


def attempt() -> FromClause:
    """Whether the lock `:key_lock` was free; it is ours from now on."""
    lock = bindparam("key_lock", type_=BigInteger(), required=True)
    return select(func.pg_try_advisory_xact_lock(lock).label("free")).cte("attempt")


def attempted(made: Select[Any], free: FromClause) -> Select[Any]:
    """What was made, beside whether the lock was `free`: one row, whose `key` is None if nothing was."""
    answer = made.cte("answer")
    return select(free.c.free, *answer.c).select_from(free.outerjoin(answer, true()))


def kept(made: Select[Any]) -> Select[Any]:
    """The row with `key`, `version` and `item` as it was made, kept under `:key_id` for `:key_request`."""
    answer = made.cte("made")
    row: list[ColumnElement[Any]] = [
        bindparam("key_id", type_=LargeBinary(), required=True),
        bindparam("key_request", type_=LargeBinary(), required=True),
        answer.c.key,
        answer.c.version,
        func.convert_to(answer.c.item, literal_column("'UTF8'", Text())),
    ]
    keep = insert(_KEYS).from_select([known.name for known in _KEYS.c], select(*row)).cte("kept")
    return select(*answer.c).add_cte(keep)
