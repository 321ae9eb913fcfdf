"""How a connection is made: with patience for a server that wakes up, with care where a pooler answers."""

import asyncio
import random
from time import monotonic
from typing import Any
from uuid import uuid4

import asyncpg

from specwright.db.sqlstate import DRIVER_ERRORS, may_pass
from specwright.db.url import Dsn

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.4
#: A failure so many seconds after the one before begins another outage.
_FORGET = 30.0

#: What every transaction pooler keeps apart for its clients; some refuse to hear of any other parameter.
_PLAIN = ("TimeZone", "application_name")


class Connector:
    """Makes the connections of a pool, and remembers what it has learned about who answers.

    A serverless database refuses its first connection or keeps it waiting while it wakes. So a refused one is
    tried again, with jitter, for the first `patience` seconds of an outage; after them every attempt is told
    at once, and nobody queues for a database that is away.
    """

    def __init__(self, dsn: Dsn, *, statement_timeout: float, patience: float, application_name: str) -> None:
        self._dsn = dsn
        self._patience = patience
        self._settings = {
            "TimeZone": "UTC",
            "IntervalStyle": "iso_8601",
            "application_name": application_name,
        }
        if not dsn.pooled:
            self._settings["statement_timeout"] = str(int(statement_timeout * 1000))
        self._arguments = dsn.arguments
        self._nameless = False
        self._away_since = self._failed_at = float("-inf")

    @property
    def nameless(self) -> bool:
        """Whether prepared statements must not be kept by name, as the last connection has shown."""
        return self._nameless

    async def connect(self, *_: Any, **arguments: Any) -> Any:
        """A connection for asyncpg's pool.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: there is none to be had.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._careful(arguments)
            except DRIVER_ERRORS as error:
                if not (may_pass(error) and self._patient()):
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _patient(self) -> bool:
        now = monotonic()
        if now - self._failed_at > _FORGET:
            self._away_since = now
        self._failed_at = now
        return now - self._away_since < self._patience

    async def _careful(self, arguments: dict[str, Any]) -> Any:
        """A connection that uses named statements only where they stay with it.

        Behind a pooler that passes names through, two processes can come to use the same name on the same
        session: the one's parameters would be bound to the other's statement.
        """
        try:
            connection = await self._dial(arguments)
        except asyncpg.ProtocolViolationError:
            if len(self._settings) == len(_PLAIN):
                raise
            # "unsupported startup parameter": a pooler, even if its address does not tell.
            self._settings = {name: self._settings[name] for name in _PLAIN}
            connection = await self._dial(arguments)
        self._failed_at = float("-inf")
        if self._nameless:
            return connection
        try:
            if self._dsn.neon_direct or await _is_own(connection) or await _keeps_names(connection):
                return connection
        except BaseException:
            connection.terminate()
            raise
        self._nameless = True
        await connection.close(timeout=1)
        return await self._dial(arguments)

    async def _dial(self, arguments: dict[str, Any]) -> Any:
        given = self._arguments | arguments
        given["server_settings"] = self._arguments.get("server_settings", {}) | self._settings
        if self._nameless:
            given["statement_cache_size"] = 0
        return await asyncpg.connect(**given)


async def _is_own(connection: Any) -> bool:
    """Whether the session is the one that the connection was told of when it began.

    A pooler gives out numbers of its own. Asked without parameters, so without a prepared statement.
    """
    pid = int(connection.get_server_pid())
    return bool(await connection.execute(f"SELECT WHERE pg_backend_pid() = {pid}") == "SELECT 1")


async def _keeps_names(connection: Any) -> bool:
    """Whether the pooler gives prepared statements names of its own on the server, and so keeps them apart.

    PgBouncer does since 1.21 where max_prepared_statements is above 0, and so does Neon's.
    """
    name = f"specwright_{uuid4().hex}"
    async with connection.transaction():
        await connection.prepare("SELECT", name=name)
        passed = await connection.execute(f"SELECT FROM pg_prepared_statements WHERE name = '{name}'")
        if passed == "SELECT 0":
            return True
        await connection.execute(f"DEALLOCATE {name}")
    return False
