"""Tasks, code first: the classes say what is stored, and here is who may do what."""

from datetime import timedelta
from typing import Annotated

from app.models import Comment, Project, Tag, Task
from pydantic import BaseModel, Field
from sqlmodel import func, select

from specwright import Backend, CallerDep, SessionDep, allow, named, owner, problem, role

backend = Backend()  # settings from the environment and .env; requirements from specs/

backend.resource(Project, grants=[allow("everything", to=owner(Project.owner_id))])
backend.resource(Tag, grants=[allow("everything", to=owner(Tag.owner_id))])
backend.resource(
    Task,
    grants=[
        allow("list", "read", "create", "delete", to=owner(Task.owner_id)),
        allow("update", "snooze", to=owner(Task.owner_id), when="status != 'done'"),
        allow("list", "read", to=role("admin", "looks after the place")),
    ],
    rules=["due is None or due > created_at (FR-004)"],
    fields={Task.title: "searchable", Task.description: "searchable"},
    calculated={"overdue": ("boolean", '= `due < now() and status != "done"`')},
)
backend.resource(
    Comment,
    grants=[
        allow("everything", to=owner(Comment.author_id)),
        allow("list", "read", to=named("task owner", "task.owner == caller")),
    ],
    fields={Comment.task_id: "immutable"},
)

app = backend.app


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
