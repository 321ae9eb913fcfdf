"""What no spec can say, and what the policies hold back: sessions of hand-written code."""

from app.models import Task
from fastapi import HTTPException
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from specwright import Backend, SessionDep

#: What PostgreSQL says where a policy holds a row back.
_FORBIDDEN = "42501"

backend = Backend()
app = backend.app


class Statement(BaseModel):
    """One that nobody has looked at."""

    sql: str


@backend.action(Task)
async def urge(task: Task) -> Task:
    """One step, if there is one."""
    task.priority = min(task.priority + 1, 4)
    return task


@backend.action(Task)
async def tidy() -> None:
    """Nothing, if that is granted."""


@backend.action(Task)
async def look() -> None:
    """Nothing, if that is granted."""


@app.post("/api/v1/by-hand", include_in_schema=False)
async def run(statement: Statement, session: SessionDep) -> list[str]:
    """The first column of what it answers."""
    try:
        found = await session.execute(text(statement.sql))
    except (StatementError, UnicodeError) as error:
        if getattr(getattr(error, "orig", None), "sqlstate", "") == _FORBIDDEN:
            raise
        raise HTTPException(422, "That is no statement.") from error
    return [str(row[0]) for row in found] if found.returns_rows else []
