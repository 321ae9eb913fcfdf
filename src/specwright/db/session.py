"""Sessions for hand-written code: SQLAlchemy on a pool of its own, held back by the database.

A scoped transaction begins by taking a database role and telling who the caller is, both of it LOCAL: behind
a transaction pooler too, nothing is left for the next one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncSession as SQLAlchemySession
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction
from sqlmodel import Session as ModelSession
from sqlmodel.ext.asyncio.session import AsyncSession

from specwright.db.engine import Engine
from specwright.db.pool import DatabaseUnavailable
from specwright.db.sqlstate import is_away, is_collision
from specwright.db.url import Dsn
from specwright.model.errors import SpecwrightError

_KNOWN_ROLES = "SELECT suffix, name FROM specwright.database_roles"
_BEGIN = (
    "SELECT set_config('role', $1, true), set_config('specwright.caller', $2, true),"
    " set_config('specwright.roles', $3, true), set_config('specwright.claims', $4, true),"
    " set_config('specwright.tenant', $5, true), set_config('specwright.request', $6, true)"
)

#: The database role of the login itself.
LOGIN = "none"

#: In the `info` of a session that is a part of a greater whole, whether it must not be committed.
HELD = "specwright_held"

_UNPROTECTED = (
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InsufficientPrivilegeError,
)


class SessionsRefused(SpecwrightError):
    """The database has no policies, or none for this caller: nothing would hold a session back."""


class Identity(Protocol):
    """Whom a session is for, as the database is told."""

    @property
    def role(self) -> str:
        """The suffix of the database role."""
        ...

    @property
    def settings(self) -> tuple[str, str, str, str, str]:
        """The caller's id, roles (an array), claims (JSON), the key of their tenant, the request's id."""
        ...

    @property
    def own_row(self) -> str | None:
        """The statement that makes the caller's own row, where there is a table for it."""
        ...


class Sessions:
    """Opens sessions. Nothing is connected before the first statement of the first one.

    A session is committed when its block ends, and rolled back by an exception. DatabaseUnavailable is raised
    when the database is away; what PostgreSQL refuses passes through as SQLAlchemy's DBAPIError.
    """

    def __init__(
        self,
        dsn: Dsn,
        *,
        scoped: Dsn | None = None,
        size: int = 10,
        acquire_timeout: float = 2,
        statement_timeout: float = 10,
    ) -> None:
        """`scoped` is a login that may take the callers' database roles, and nothing else."""
        limits: dict[str, Any] = {
            "size": size,
            "acquire_timeout": acquire_timeout,
            "statement_timeout": statement_timeout,
        }
        self._own = Engine(dsn, **limits)
        self._scoped = self._own if scoped in (None, dsn) else Engine(scoped, **limits)
        self._roles: Mapping[str, str] = {}
        self._learning = asyncio.Lock()

    @asynccontextmanager
    async def scoped(self, identity: Identity) -> AsyncIterator[AsyncSession]:
        """A session that sees and changes what the grants let this caller.

        Raises:
            SessionsRefused: the database has no policies.
        """
        async with self._as(identity, self._scoped) as session:
            yield session

    @asynccontextmanager
    async def shared(self, identity: Identity) -> AsyncIterator[AsyncSession]:
        """The same on the database's own login, for a transaction in which statements of that one take part.

        Raises:
            SessionsRefused: the database has no policies.
        """
        async with self._as(identity, self._own) as session:
            yield session

    @asynccontextmanager
    async def unscoped(self, identity: Identity) -> AsyncIterator[AsyncSession]:
        """A session of the database's own login, which no grant holds back, and which knows who asks."""
        session = _AsyncPlain(await self._own.opened(), sync_session_class=_Told, expire_on_commit=False)
        session.sync_session.info["identity"] = (LOGIN, *identity.settings)
        async with _used(session):
            yield session

    async def close(self) -> None:
        """Close all connections."""
        for engine in {self._own, self._scoped}:
            await engine.close()

    @asynccontextmanager
    async def _as(self, identity: Identity, engine: Engine) -> AsyncIterator[AsyncSession]:
        role = self._roles.get(identity.role) or await self._learned(identity.role)
        session = _AsyncPlain(await engine.opened(), sync_session_class=_Scoped, expire_on_commit=False)
        session.sync_session.info |= {"identity": (role, *identity.settings), "own_row": identity.own_row}
        async with _used(session):
            yield session

    async def _learned(self, suffix: str) -> str:
        """The name of a database role; asked again, for a migration may have made it meanwhile."""
        async with self._learning:
            if suffix not in self._roles:
                self._roles = await self._known()
        if suffix not in self._roles:
            raise SessionsRefused(
                f"The database has no row-level security for callers of role {suffix}: run specwright migrate"
                " apply; specwright doctor tells more."
            )
        return self._roles[suffix]

    async def _known(self) -> Mapping[str, str]:
        connection = await self._own.connect()
        try:
            return dict(await connection.fetch(_KNOWN_ROLES))
        except _UNPROTECTED:
            return {}
        finally:
            await connection.close()


class _Plain(ModelSession):
    """SQLModel's session, without its warnings to those who use `execute` as SQLAlchemy teaches."""

    execute = Session.execute


class _AsyncPlain(AsyncSession):
    """The same for `await`."""

    sync_session_class = _Plain
    execute = SQLAlchemySession.execute


class _Told(_Plain):
    """A session whose every transaction begins by telling who asks."""


class _Scoped(_Told):
    """A session whose every transaction begins as its caller."""


@event.listens_for(_Told, "after_begin")
def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.nested:
        return
    autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    if autocommit and isinstance(session, _Scoped):
        raise SessionsRefused("A scoped session needs a transaction: AUTOCOMMIT would end it at once.")
    connection.exec_driver_sql(_BEGIN, session.info["identity"])


@event.listens_for(_Scoped, "before_commit")
def _kept(session: Session) -> None:
    if session.info.get(HELD) and not session.in_nested_transaction():
        raise SessionsRefused("A hook or action commits nothing: the request does, when all of it went well.")


@event.listens_for(_Scoped, "before_flush")
def _flushing(session: Session, *_: Any) -> None:
    if session.new or session.dirty:
        _make_own_row(session)


@event.listens_for(_Scoped, "do_orm_execute")
def _executing(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update:
        _make_own_row(state.session)


def _make_own_row(session: Session) -> None:
    """The caller's own row, which comes with their first write, and which no grant need allow."""
    statement = session.info.pop("own_row", None)
    if statement is None:
        return
    session.connection().exec_driver_sql(statement)


@asynccontextmanager
async def _used(session: AsyncSession) -> AsyncIterator[AsyncSession]:
    try:
        async with session:
            yield session
            await session.commit()
    except NoneFree as error:
        raise DatabaseUnavailable("no connection became free in time") from error
    except DBAPIError as error:
        cause = driver_error(error)
        if error.connection_invalidated or (cause is not None and (is_away(cause) or is_collision(cause))):
            raise DatabaseUnavailable(str(cause or error).splitlines()[0]) from error
        raise


def driver_error(error: DBAPIError) -> asyncpg.PostgresError | None:
    """What asyncpg raised, underneath SQLAlchemy's wrapping."""
    cause = getattr(error.orig, "__cause__", None)
    return cause if isinstance(cause, asyncpg.PostgresError) else None
