"""Connections to the database: opened when first needed, and honest about a database that is away."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeVar

import asyncpg

from specwright.db.connector import Connector
from specwright.db.moments import keep_moments
from specwright.db.sqlstate import DRIVER_ERRORS, ends_session, is_astray, is_away, is_collision
from specwright.db.url import Dsn
from specwright.model.errors import SpecwrightError

T = TypeVar("T")

#: How often a statement is repeated that the server rolled back for another's sake.
_REPEATS = 4


#: Seconds that a connection may lie idle: fewer than those after which a serverless database falls asleep.
LONGEST_IDLE = 240


class DatabaseUnavailable(SpecwrightError):
    """The database cannot serve now; trying again in `retry_after` seconds makes sense.

    `broken` says that a connection which had worked was lost.
    """

    def __init__(self, reason: str, *, broken: bool = False, retry_after: int = 1) -> None:
        super().__init__(f"The database is not available: {reason}")
        self.broken = broken
        self.retry_after = retry_after


class Database:
    """A pool for our own statements: sessions are not reset between uses, so none may leave a trace.

    Nothing is connected before the first statement: an application starts while its database is away. Every
    method raises DatabaseUnavailable when it is, or when other transactions are in the way again and again;
    other errors of asyncpg, such as a violated constraint, pass through untouched.
    """

    def __init__(
        self,
        dsn: Dsn,
        *,
        size: int = 10,
        acquire_timeout: float = 2,
        statement_timeout: float = 10,
        application_name: str = "specwright",
    ) -> None:
        self._acquire_timeout = acquire_timeout
        connector = Connector(
            dsn,
            statement_timeout=statement_timeout,
            patience=acquire_timeout,
            application_name=application_name,
        )
        self._arguments = {
            "connect": connector.connect,
            "min_size": 0,
            "max_size": size,
            "max_queries": 1 << 31,
            "max_inactive_connection_lifetime": LONGEST_IDLE,
            # The client's own limit stands behind the server's: a network may swallow packets silently, and
            # a pooler does not let a session have a limit.
            "command_timeout": statement_timeout + 2,
            "init": keep_moments,
            "reset": _leave_as_it_is,
        }
        self._pool: Any = None
        #: Taken from the pool and free: taking and returning costs as much as a short statement.
        self._at_hand: list[tuple[Any, float]] = []
        self._waiting = 0
        self._opening = asyncio.Lock()

    async def fetch(self, sql: str, args: Sequence[object] = (), *, read: bool = False) -> list[Any]:
        """All rows of a statement. A `read` whose connection breaks is sent once more on a fresh one."""
        rows: list[Any] = await self._run("fetch", sql, args, read)
        return rows

    async def fetchrow(self, sql: str, args: Sequence[object] = (), *, read: bool = False) -> Any:
        """The first row of a statement, or None. A `read` whose connection breaks is sent once more."""
        return await self._run("fetchrow", sql, args, read)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """An asyncpg connection in a transaction: committed at the end, rolled back by an exception.

        `atomically` is better for what can be repeated.
        """
        try:
            async with self._connection() as connection, connection.transaction():
                yield connection
        except asyncpg.PostgresError as error:
            if is_collision(error):
                raise DatabaseUnavailable(_words(error)) from error
            raise

    async def atomically(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """The outcome of the work in a transaction; done again when the server rolled it back."""

        async def once() -> T:
            async with self._connection() as connection, connection.transaction():
                return await work(connection)

        return await _repeated(once)

    async def ready(self) -> None:
        """Make sure that the database answers."""
        await self.fetchrow("SELECT 1", read=True)

    async def close(self) -> None:
        """Close all connections; those still in use get a moment to finish."""
        if self._pool is None:
            return
        await self._empty_hands()
        pool, self._pool = self._pool, None
        try:
            async with asyncio.timeout(5):
                await pool.close()
        except (TimeoutError, *DRIVER_ERRORS):
            pool.terminate()

    async def _run(self, method: str, sql: str, args: Sequence[object], read: bool) -> Any:
        async def once() -> Any:
            return await self._once(method, sql, args)

        try:
            return await _repeated(once)
        except DatabaseUnavailable as away:
            if not (read and away.broken):
                raise
        return await _repeated(once)

    async def _once(self, method: str, sql: str, args: Sequence[object]) -> Any:
        connection = await self._take()
        try:
            outcome = await getattr(connection, method)(sql, *args)
        except BaseException as error:
            away = await self._away(connection, error) if isinstance(error, DRIVER_ERRORS) else None
            await self._give_back(connection)
            if away is not None:
                raise away from error
            raise
        if self._waiting or self._pool is None:
            await self._give_back(connection)
        else:
            self._at_hand.append((connection, monotonic()))
        return outcome

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await self._take()
        try:
            yield connection
        except DRIVER_ERRORS as error:
            if away := await self._away(connection, error):
                raise away from error
            raise
        finally:
            await self._give_back(connection)

    async def _take(self) -> Any:
        """A connection at hand, or one of the pool's, waited for no longer than the limit."""
        while self._at_hand:
            connection, since = self._at_hand.pop()
            if monotonic() - since < LONGEST_IDLE and not _lost(connection):
                return connection
            await self._give_back(connection)
        pool = await self._opened()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._acquire_timeout):
                return await pool.acquire()
        except TimeoutError:
            reason = f"no connection within {self._acquire_timeout:g} seconds"
            raise DatabaseUnavailable(reason) from None
        except DRIVER_ERRORS as error:
            raise DatabaseUnavailable(_words(error)) from error
        finally:
            self._waiting -= 1

    async def _give_back(self, connection: Any) -> None:
        """Return a connection to the pool, where others may wait for it."""
        if self._pool is not None:
            with suppress(*DRIVER_ERRORS):
                # The limit is for a cancelled statement, whose end the server might never tell.
                await self._pool.release(connection, timeout=self._acquire_timeout)

    async def _away(self, connection: Any, error: Exception) -> DatabaseUnavailable | None:
        """The error as one of the surroundings, if it is one."""
        broken = _lost(connection) or ends_session(error)
        if not broken and not is_away(error):
            return None
        if (broken or is_astray(error)) and self._pool is not None:
            # So are its neighbours, most likely.
            await self._pool.expire_connections()
            await self._empty_hands()
        return DatabaseUnavailable(_words(error), broken=broken)

    async def _empty_hands(self) -> None:
        while self._at_hand:
            await self._give_back(self._at_hand.pop()[0])

    async def _opened(self) -> Any:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(**self._arguments)
        return self._pool


def _lost(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # asyncpg took the broken connection back by itself.
        return True


async def _repeated(once: Callable[[], Awaitable[T]]) -> T:
    """What `once` gives; tried again when another transaction was in the way, which left nothing behind."""
    for repeat in range(_REPEATS):
        try:
            return await once()
        except asyncpg.PostgresError as error:
            if not is_collision(error):
                raise
        await asyncio.sleep(random.uniform(0, 0.02) * 2**repeat)
    try:
        return await once()
    except asyncpg.PostgresError as error:
        if is_collision(error):
            raise DatabaseUnavailable(_words(error)) from error
        raise


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


async def _leave_as_it_is(_connection: Any) -> None:
    """Instead of asyncpg's reset, which costs a round trip for each use."""
