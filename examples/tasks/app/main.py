"""Tasks: what the spec says, and here what no spec can say."""

from datetime import timedelta
from typing import Annotated

from app.models import Task
from pydantic import BaseModel, Field
from sqlmodel import func, select

from specwright import Backend, CallerDep, SessionDep, problem

backend = Backend()  # specs/ + settings from the environment and .env
app = backend.app  # a plain FastAPI app


@backend.before(Task, "create")
async def at_most_100_open(task: Task, session: SessionDep, caller: CallerDep) -> None:
    """A person with a hundred open tasks finishes one first."""
    mine = select(func.count()).select_from(Task).where(Task.owner_id == caller.id, Task.status != "done")
    if await session.scalar(mine) >= 100:
        raise problem(409, "too_many_open_tasks", "Finish something first: 100 tasks are open.")


@backend.action(Task)
async def snooze(task: Task, hours: Annotated[int, Field(ge=1, le=720)]) -> Task:
    """Put a task off."""
    if task.due is None:
        raise problem(409, "never_due", "There is nothing to put off: the task is never due.", field="due")
    task.due += timedelta(hours=hours)
    return task


class Stats(BaseModel):
    """How many tasks there are to do, and how many of them are late."""

    open: int
    overdue: int


@app.get("/api/v1/stats")
async def stats(session: SessionDep) -> Stats:
    """What is left to do. The query asks for all tasks that there are, and gets those of the caller."""
    late = func.count().filter(Task.due < func.now())
    found = await session.execute(select(func.count(), late).where(Task.status != "done"))
    count, overdue = found.one()
    return Stats(open=count, overdue=overdue)
