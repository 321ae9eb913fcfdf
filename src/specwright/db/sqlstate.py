"""What an error of the database says about trying again: by its SQLSTATE, never by its text.

https://www.postgresql.org/docs/current/errcodes-appendix.html; docs/reliability.md has the whole table.
"""

import socket

import asyncpg

#: What asyncpg and the network raise. Its TimeoutError is an OSError.
DRIVER_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

#: Connections refused or broken; disk, memory or connections used up.
_AWAY_CLASSES = {"08", "53"}

_AWAY = {
    "55P03": "a lock was not to be had in time",
    "57014": "cancelled, by its timeout most likely",
    "57P01": "the server is stopped, or the session ended by an administrator",
    "57P02": "the server crashed",
    "57P03": "the server is starting or stopping",
    "57P04": "the database was dropped",
    "57P05": "the session was idle for too long",
    "58030": "the disk failed",
}

#: The session is no longer where it was: on a server that has become a standby, or on another session of a
#: pooler, without its prepared statements. A new connection helps.
_ASTRAY = {"25006", "26000", "42P05"}

#: A table, column, type, operator or function that is not there, a value of another type, or no value for a
#: column that must have one: our statements fit the spec's database, and only that.
_ANOTHER = {"23502", "42P01", "42703", "42704", "42804", "42883"}

#: The server has rolled back for another's sake, and says that doing it again makes sense.
_COLLISIONS = {"40001", "40P01"}


def is_away(error: Exception) -> bool:
    """Whether the error blames the surroundings, not the statement.

    A cached plan that another process's migration made invalid counts: asyncpg prepares anew by itself but
    cannot inside a transaction, which has to be repeated as a whole.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        invalid = isinstance(error, asyncpg.InvalidCachedStatementError)
        return state[:2] in _AWAY_CLASSES or state in _AWAY or state in _ASTRAY or invalid
    return isinstance(error, TimeoutError | asyncpg.OutdatedSchemaCacheError)


def ends_session(error: Exception) -> bool:
    """Whether the server closes the connection after this, if the network has not told so yet."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith("57P")


def is_astray(error: Exception) -> bool:
    """Whether the pool's connections lead to the wrong place by now."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _ASTRAY


def is_of_another_version(error: Exception) -> bool:
    """Whether a derived statement meets a database that was migrated past it, or not up to it."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _ANOTHER


def is_collision(error: Exception) -> bool:
    """Whether another transaction was in the way: nothing was stored, and a repetition may succeed."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _COLLISIONS


def may_pass(error: Exception) -> bool:
    """Whether a connection that was not made might be made a moment later: a server wakes or restarts."""
    if isinstance(error, asyncpg.PostgresError):
        return is_away(error)
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    return isinstance(error, ConnectionError | FileNotFoundError | TimeoutError | asyncpg.InterfaceError)
