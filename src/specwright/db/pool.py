"""Connections to the database: opened when first needed, and honest about a database that is away."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from specwright.db.checkout import LONGEST_IDLE, Checkout, is_lost
from specwright.db.connector import Connector
from specwright.db.moments import keep_moments
from specwright.db.sqlstate import DRIVER_ERRORS, ends_session, is_astray, is_away, is_collision
from specwright.db.url import Dsn
from specwright.model.errors import SpecwrightError

T = TypeVar("T")

#: How often a statement is repeated that the server rolled back for another's sake.
_REPEATS = 4


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
        self._patience = acquire_timeout
        connector = Connector(
            dsn,
            statement_timeout=statement_timeout,
            patience=acquire_timeout,
            application_name=application_name,
        )
        arguments = {
            "connect": connector.connect,
            "max_queries": 1 << 31,
            "max_inactive_connection_lifetime": LONGEST_IDLE,
            # The client's own limit stands behind the server's: a network may swallow packets silently, and
            # a pooler does not let a session have a limit.
            "command_timeout": statement_timeout + 2,
            "init": keep_moments,
            "reset": _leave_as_it_is,
        }
        self._checkout = Checkout(arguments, size, acquire_timeout)

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
        await self._checkout.close()

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
            await self._failed(connection, error)
            raise
        self._checkout.hand_on(connection)
        return outcome

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await self._take()
        try:
            yield connection
        except BaseException as error:
            await self._failed(connection, error)
            raise
        self._checkout.hand_on(connection)

    async def _take(self) -> Any:
        try:
            return await self._checkout.take()
        except TimeoutError:
            reason = f"no connection within {self._patience:g} seconds"
            raise DatabaseUnavailable(reason) from None
        except DRIVER_ERRORS as error:
            raise DatabaseUnavailable(_words(error)) from error

    async def _failed(self, connection: Any, error: BaseException) -> None:
        """Return a connection whose use ended in an error.

        Raises:
            DatabaseUnavailable: the error is one of the surroundings.
        """
        try:
            if isinstance(error, DRIVER_ERRORS):
                await self._judge(connection, error)
        finally:
            await self._checkout.give_back(connection)

    async def _judge(self, connection: Any, error: Exception) -> None:
        broken = is_lost(connection) or ends_session(error)
        if not broken and not is_away(error):
            return
        if broken or is_astray(error):
            # So are its neighbours, most likely.
            await self._checkout.expire()
        raise DatabaseUnavailable(_words(error), broken=broken) from error


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
