"""A migration's hold on a database: one transaction, one at a time, and errors in plain words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from specwright.db.url import Dsn, normalise
from specwright.model.errors import ConfigError

#: What all migrations of a database queue for: "specwrig" as a number.
_LOCK = int.from_bytes(b"specwrig", "big")

#: How long a step waits for a table that others use, before everything is given up.
_LOCK_TIMEOUT = "10s"

_REASONS = {
    "42P07": "it exists already, and Specwright did not make it: use an empty database, or drop it",
    "42P06": "it exists already, and Specwright did not make it: use an empty database, or drop it",
    "42501": "this user may not do it: use one that owns the tables (MIGRATION_DATABASE_URL)",
    "55P03": "somebody has been using the table all along: try again when it is quiet",
    "57014": "the server's statement_timeout is too short for it: raise it for this user",
}


@asynccontextmanager
async def session(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that holds the lock of all migrations; it commits at the end.

    Past Neon's pooler, since a migration needs a session of its own.

    Raises:
        ConfigError: the database is away, or refuses a step; nothing has changed then.
    """
    dsn = normalise(url).direct()
    engine = create_async_engine(
        dsn.sqlalchemy_url, connect_args=dsn.sqlalchemy_arguments, poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            # Not before: it would hold for the wait above, too.
            await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            yield connection
    except DBAPIError as error:
        raise ConfigError(_explained(error, dsn)) from error
    except (OSError, TimeoutError) as error:
        raise ConfigError(f"The database at {dsn} does not answer: {error}.") from error
    finally:
        await engine.dispose()


def _explained(error: DBAPIError, dsn: Dsn) -> str:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    cause = getattr(error.orig, "__cause__", None) or error.orig
    message = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    if error.connection_invalidated or (state[:2] in {"08", "28", "3D", "57"} and state not in _REASONS):
        return f"The database at {dsn} cannot be used: {message}."
    reason = _REASONS.get(state)
    if reason is None and state.startswith("23"):
        detail = getattr(cause, "detail", None)
        reason = f"rows that are there do not fit{f' ({detail})' if detail else ''}: mend them first"
    return f"The migration was given up and nothing has changed: {message}" + (
        f"; {reason}." if reason else "."
    )
