"""What hand-written routes are given: the caller, a session that the database scopes to them, and refusals.

`SessionDep` is one session for each request. It sees and changes what the grants let the caller, whatever the
code asks for; it is committed before the answer is sent, and rolled back by an exception.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, Request
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from specwright.api.problems import FieldError, Problem
from specwright.api.violations import problem_of
from specwright.api.visit import visit_of
from specwright.db.session import driver_error
from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.sql.policies import identity

LOG = logging.getLogger("specwright.sessions")


async def current_caller(request: Request) -> Caller:
    """Who asks. A credential that is not valid is a 401, even where anyone may go."""
    return await visit_of(request.scope).caller()


CallerDep = Annotated[Caller, Depends(current_caller)]


async def scoped_session(request: Request, caller: CallerDep) -> AsyncIterator[AsyncSession]:
    """A session whose every statement the database restricts to what the caller may."""
    service = visit_of(request.scope).service
    with _told(service.manifest):
        async with service.sessions.scoped(identity(service.manifest, caller)) as session:
            yield session


async def unscoped_session(request: Request, caller: CallerDep) -> AsyncIterator[AsyncSession]:
    """A session that no grant holds back. Each use is logged, with the route and the caller."""
    visit = visit_of(request.scope)
    LOG.warning(
        "%s uses an unscoped session",
        visit.route,
        extra={"request_id": request.scope["request_id"], "route": visit.route, "caller": caller.id},
    )
    with _told(visit.service.manifest):
        async with visit.service.sessions.unscoped() as session:
            yield session


#: Ends before the answer is sent, so that a commit that fails is told to the client.
SessionDep = Annotated[AsyncSession, Depends(scoped_session, scope="function")]
UnscopedSessionDep = Annotated[AsyncSession, Depends(unscoped_session, scope="function")]


def problem(status: int, code: str, detail: str = "", *, field: str | None = None) -> Problem:
    """A refusal for hand-written code to raise; the client gets it as application/problem+json.

    `code` is for programs, as `too_many_open_tasks`; `field` names the member of the body at fault.
    """
    errors = [] if field is None else [FieldError(field, code, detail)]
    return Problem(code, detail, errors=errors, status=status)


@contextmanager
def _told(manifest: Manifest) -> Iterator[None]:
    """What PostgreSQL refuses, in the words of the API."""
    try:
        yield
    except DBAPIError as error:
        cause = driver_error(error)
        if isinstance(cause, asyncpg.InsufficientPrivilegeError):
            LOG.warning("refused by the database: %s", cause)
            raise Problem("forbidden") from error
        deleting = (error.statement or "").lstrip()[:6].upper() == "DELETE"
        found = problem_of(manifest, "delete" if deleting else "", cause) if cause is not None else None
        if found is None:
            raise
        raise found from error
