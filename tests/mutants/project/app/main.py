"""What no spec can say, and what the policies hold back: sessions of hand-written code."""

from app.models import Task
from pydantic import BaseModel
from sqlalchemy import text

from specwright import Backend, SessionDep

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


@app.post("/api/v1/by-hand", include_in_schema=False)
async def run(statement: Statement, session: SessionDep) -> list[str]:
    """The first column of what it answers."""
    found = await session.execute(text(statement.sql))
    return [str(row[0]) for row in found] if found.returns_rows else []
