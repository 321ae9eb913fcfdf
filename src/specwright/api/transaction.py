"""The one transaction of a request that runs people's code: theirs as the caller, ours in between.

The session is the caller's throughout, and the database holds it back. Derived statements carry predicates of
their own, over rows that the caller need not see, so they run as the login, on the same connection. It is the
login of the derived statements, also where other sessions have one of their own: SQL that a stranger slipped
into a hook could become it.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession as AnySession
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.background import BackgroundTask

from specwright.api.exchange import Exchange, Work
from specwright.db.pool import DatabaseUnavailable
from specwright.db.session import HELD, LOGIN
from specwright.db.sqlstate import DRIVER_ERRORS, is_away, is_collision
from specwright.model.errors import SpecwrightError

LOG = logging.getLogger("specwright.sessions")

_ROLE = "SELECT set_config('role', $1, true)"
_AFTER_COMMIT = "specwright_after_commit"


class Interrupted(SpecwrightError):
    """Code that is a part of a transaction has ended it."""


class Transaction:
    """A begun transaction of a scoped session."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self._caller: str = session.sync_session.info["identity"][0]
        self._role = self._caller
        self._begun: Any = None
        #: What FastAPI calls background tasks: for after the commit.
        self.afterwards: list[Work] = []

    async def begin(self) -> None:
        """Connect."""
        await self.session.connection()
        self._begun = self.session.sync_session.get_transaction()

    @asynccontextmanager
    async def derived(self) -> AsyncIterator[Any]:
        """asyncpg's connection, for our own statements.

        Raises:
            DatabaseUnavailable: it broke, or another transaction was in the way.
        """
        await self._become(LOGIN)
        try:
            connection = await self.session.connection()
            raw = await connection.get_raw_connection()
            yield raw.driver_connection
        except BaseException as error:
            # Whoever cleans up behind us does so as the caller.
            with suppress(DBAPIError):
                await self._become(self._caller)
            if isinstance(error, DRIVER_ERRORS) and (is_away(error) or is_collision(error)):
                raise DatabaseUnavailable((str(error) or type(error).__name__).splitlines()[0]) from error
            raise
        await self._become(self._caller)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """The session in the hands of people's code: they may use it, and not end it.

        Raises:
            Interrupted: they did.
        """
        info = self.session.sync_session.info
        info[HELD] = True
        try:
            yield
            if self.session.sync_session.get_transaction() is not self._begun:
                raise Interrupted("A hook or action rolled the session back: raise an exception instead.")
            await self._become(self._caller)
        finally:
            info[HELD] = False

    async def unscope(self) -> None:
        """Let the session be the login's, which no grant holds back, until it is given back."""
        await self._become(LOGIN)

    async def _become(self, role: str) -> None:
        """Change the database role; what the session has not sent yet is sent as what it was."""
        if role != self._role:
            await self.session.flush()
            connection = await self.session.connection()
            await connection.exec_driver_sql(_ROLE, (role,))
            self._role = role


def after_commit(session: AnySession, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Call the function once the request's transaction is committed and its answer sent; never otherwise.

    A coroutine function is awaited, any other runs in a thread. What it raises is logged, and nobody is told.
    """
    waiting = session.sync_session.info.setdefault(_AFTER_COMMIT, [])
    waiting.append(BackgroundTask(function, *args, **kwargs))


def committed(session: AnySession, exchange: Exchange) -> None:
    """The session has been committed: what waited for it is done when the exchange is over."""
    exchange.afterwards += session.sync_session.info.pop(_AFTER_COMMIT, [])


async def finish(exchange: Exchange) -> None:
    """Do what was left for after the answer."""
    for work in exchange.afterwards:
        try:
            await work()
        except Exception:
            LOG.exception("work after a commit failed", extra={"request_id": exchange.request_id})
