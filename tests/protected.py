"""Databases made by migrations, with the policies of their manifest, and sessions of people on them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel.ext.asyncio.session import AsyncSession

from specwright.db.session import Sessions
from specwright.db.url import normalise
from specwright.migrate import rendering
from specwright.migrate.operations import Operation
from specwright.migrate.plan import plan
from specwright.migrate.session import session
from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.sql.identity import identity


async def migrate(url: str, before: Manifest, after: Manifest) -> None:
    """Bring a database from one manifest to the next."""
    await run(url, plan(before, after).operations)


async def run(url: str, operations: Iterable[Operation]) -> None:
    """Run the steps of a migration."""

    def work(connection: Connection) -> None:
        rendering.run(MigrationContext.configure(connection), operations)

    async with session(url) as connection:
        await connection.run_sync(work)


def build(url: str, manifest: Manifest) -> None:
    """Tables and policies of a manifest, in an empty database."""
    asyncio.run(migrate(url, Manifest(), manifest))


@asynccontextmanager
async def session_of(sessions: Sessions, manifest: Manifest, caller: Caller) -> AsyncIterator[AsyncSession]:
    """A scoped session, whose work is thrown away."""
    async with sessions.scoped(identity(manifest, caller)) as opened:
        yield opened
        await opened.rollback()


def sessions_on(url: str, **limits: float) -> Sessions:
    """Sessions on a database."""
    return Sessions(normalise(url), **limits)  # type: ignore[arg-type]
