"""What hand-written routes are given: the caller, a session that the database scopes to them, and refusals.

`SessionDep` is one session for each request. It sees and changes what the grants let the caller, whatever the
code asks for; it is committed before the answer is sent, and rolled back by an exception.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from specwright.api.problems import FieldError, Problem
from specwright.api.transaction import after_commit, committed
from specwright.api.violations import told
from specwright.api.visit import Visit, visit_of
from specwright.model.caller import Caller
from specwright.sql.identity import Identity, identity

__all__ = [
    "CallerDep",
    "SessionDep",
    "UnscopedSessionDep",
    "after_commit",
    "current_caller",
    "problem",
    "scoped_session",
    "unscoped_session",
]

LOG = logging.getLogger("specwright.sessions")


async def current_caller(request: Request) -> Caller:
    """Who asks. A credential that is not valid is a 401, even where anyone may go."""
    return await visit_of(request.scope).caller(request.path_params)


CallerDep = Annotated[Caller, Depends(current_caller)]


async def scoped_session(request: Request, caller: CallerDep) -> AsyncIterator[AsyncSession]:
    """A session whose every statement the database restricts to what the caller may."""
    visit = visit_of(request.scope)
    if visit.transaction is not None:
        yield visit.transaction.session
        return
    async with _opened(visit, caller, visit.service.sessions.scoped) as session:
        yield session


async def unscoped_session(request: Request, caller: CallerDep) -> AsyncIterator[AsyncSession]:
    """A session that no grant holds back. Each use is logged, with the route and the caller."""
    visit = visit_of(request.scope)
    LOG.warning(
        "%s uses an unscoped session",
        visit.route,
        extra={"request_id": request.scope["request_id"], "route": visit.route, "caller": caller.id},
    )
    if visit.transaction is not None:
        await visit.transaction.unscope()
        yield visit.transaction.session
        return
    async with _opened(visit, caller, visit.service.sessions.unscoped) as session:
        yield session


@asynccontextmanager
async def _opened(
    visit: Visit, caller: Caller, opening: Callable[[Identity], AbstractAsyncContextManager[AsyncSession]]
) -> AsyncIterator[AsyncSession]:
    """A session that is told whose it is; what is to follow a commit, follows."""
    manifest = visit.service.manifest
    with told(manifest):
        async with opening(identity(manifest, caller, visit.exchange.request_id)) as session:
            yield session
    committed(session, visit.exchange)


#: Ends before the answer is sent, so that a commit that fails is told to the client.
SessionDep = Annotated[AsyncSession, Depends(scoped_session, scope="function")]
UnscopedSessionDep = Annotated[AsyncSession, Depends(unscoped_session, scope="function")]


def problem(status: int, code: str, detail: str = "", *, field: str | None = None) -> Problem:
    """A refusal for hand-written code to raise; the client gets it as application/problem+json.

    `code` is for programs, as `too_many_open_tasks`; `field` names the member of the body at fault.
    """
    errors = [] if field is None else [FieldError(field, code, detail)]
    return Problem(code, detail, errors=errors, status=status)
