"""SQLAlchemy's engine on one login of the database: connected when first needed, reset between uses."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from specwright.db.checkout import LONGEST_IDLE
from specwright.db.connector import Connector
from specwright.db.moments import keep_moments
from specwright.db.pool import DatabaseUnavailable
from specwright.db.sqlstate import DRIVER_ERRORS
from specwright.db.url import Dsn


class Engine:
    """The connections of sessions, at most `size` of them."""

    def __init__(self, dsn: Dsn, *, size: int, acquire_timeout: float, statement_timeout: float) -> None:
        self._size = size
        self._acquire_timeout = acquire_timeout
        self._statement_timeout = statement_timeout
        self._connector = Connector(
            dsn,
            statement_timeout=statement_timeout,
            patience=acquire_timeout,
            application_name="specwright session",
        )
        self._engine: AsyncEngine | None = None
        self._answered = False
        self._opening = asyncio.Lock()

    async def opened(self) -> AsyncEngine:
        """The engine itself.

        Raises:
            DatabaseUnavailable: the database is away.
        """
        async with self._opening:
            if self._engine is None:
                if not self._answered:
                    # Whether a pooler answers decides how the engine is made.
                    await (await self.connect()).close()
                self._engine = self._make()
        return self._engine

    async def connect(self, *_: Any, **__: Any) -> Any:
        """A connection of asyncpg, of which the engine knows nothing.

        Raises:
            DatabaseUnavailable: there is none to be had.
        """
        try:
            connection = await self._connector.connect(command_timeout=self._statement_timeout + 2)
            await keep_moments(connection)
        except DRIVER_ERRORS as error:
            raise DatabaseUnavailable((str(error) or type(error).__name__).splitlines()[0]) from error
        self._answered = True
        return connection

    async def close(self) -> None:
        """Close all connections."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    def _make(self) -> AsyncEngine:
        arguments: dict[str, Any] = {
            "async_creator_fn": self.connect,
            "prepared_statement_name_func": lambda: f"__specwright_{uuid4().hex}",
        }
        if self._connector.nameless:
            arguments["prepared_statement_cache_size"] = 0
        engine = create_async_engine(
            "postgresql+asyncpg://",
            connect_args=arguments,
            pool_size=self._size,
            max_overflow=0,
            pool_timeout=self._acquire_timeout,
            pool_recycle=LONGEST_IDLE,
        )
        event.listen(engine.sync_engine, "reset", _reset)
        return engine


def _reset(connection: Any, _: Any, state: Any) -> None:
    """Leave nothing of a session to the next: no transaction, no role, no setting, no lock."""
    if not state.terminate_only:
        if not state.transaction_was_reset:
            connection.rollback()
        connection.run_async(_cleared)


async def _cleared(connection: asyncpg.Connection) -> None:
    await connection.execute(f"RESET ROLE;\n{connection.get_reset_query()}")
