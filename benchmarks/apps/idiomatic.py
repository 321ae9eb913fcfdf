"""What tutorials teach: FastAPI, an async SQLModel session a request, `response_model`."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import DateTime
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload
from sqlmodel import Field, Relationship, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from specwright.db.url import normalise

SECRET = os.environ["AUTH_SECRET"]
_DSN = normalise(os.environ["DATABASE_URL"])

Status = Literal["todo", "doing", "done"]


def _now() -> datetime:
    return datetime.now(UTC)


class TaskBase(SQLModel):
    """What a client may send."""

    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=5000)
    priority: int = Field(default=0, ge=0, le=5)
    due: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))  # type: ignore[call-overload] # an instance is taken too
    project_id: UUID | None = None


class TaskCreate(TaskBase):
    """A new task."""

    status: Status = "todo"


class TaskUpdate(SQLModel):
    """Changes of a task."""

    title: str | None = Field(default=None, min_length=1, max_length=200)
    priority: int | None = Field(default=None, ge=0, le=5)


class TaskPublic(TaskBase):
    """A task as clients see it."""

    id: UUID
    status: Status
    owner_id: str
    created_at: datetime
    updated_at: datetime


class ProjectPublic(SQLModel):
    """A project as clients see it."""

    id: UUID
    name: str
    owner_id: str
    created_at: datetime
    updated_at: datetime


class TagPublic(SQLModel):
    """A tag as clients see it."""

    id: UUID
    name: str
    owner_id: str
    created_at: datetime
    updated_at: datetime


class RelatedTask(TaskPublic):
    """A task with its project and its tags."""

    project: ProjectPublic | None
    tags: list[TagPublic]


class TaskList(SQLModel):
    """A page of tasks."""

    items: list[TaskPublic]


class RelatedTaskList(SQLModel):
    """A page of tasks with what they are related to."""

    items: list[RelatedTask]


class Project(SQLModel, table=True):
    """A stored project."""

    __tablename__ = "projects"
    id: UUID = Field(primary_key=True)
    name: str
    owner_id: str
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))  # type: ignore[call-overload] # an instance is taken too
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))  # type: ignore[call-overload] # an instance is taken too


class TaskTag(SQLModel, table=True):
    """A stored link of a task to a tag."""

    __tablename__ = "tasks_tags"
    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id")
    tag_id: UUID = Field(primary_key=True, foreign_key="tags.id")


class Tag(SQLModel, table=True):
    """A stored tag."""

    __tablename__ = "tags"
    id: UUID = Field(primary_key=True)
    name: str
    owner_id: str
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))  # type: ignore[call-overload] # an instance is taken too
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))  # type: ignore[call-overload] # an instance is taken too


class Task(TaskBase, table=True):
    """A stored task."""

    __tablename__ = "tasks"
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    status: str = "todo"
    owner_id: str
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))  # type: ignore[call-overload] # an instance is taken too
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))  # type: ignore[call-overload] # an instance is taken too
    version: int = 1
    project_id: UUID | None = Field(default=None, foreign_key="projects.id")
    project: Project | None = Relationship()
    tags: list[Tag] = Relationship(
        link_model=TaskTag,
        sa_relationship_kwargs={"order_by": "(Tag.created_at.desc(), Tag.id.desc())"},
    )


engine = create_async_engine(
    _DSN.sqlalchemy_url, connect_args=_DSN.sqlalchemy_arguments, pool_size=10, max_overflow=0
)
sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
app = FastAPI()
bearer = HTTPBearer()


async def get_session() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with sessions() as session:
        yield session


def get_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    """The caller, by a verified token."""
    try:
        claims = jwt.decode(
            credentials.credentials, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]}
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    return str(claims["sub"])


SessionDep = Annotated[AsyncSession, Depends(get_session)]
UserDep = Annotated[str, Depends(get_user)]


@app.get("/api/v1/tasks", response_model=TaskList | RelatedTaskList)
async def list_tasks(
    session: SessionDep,
    user: UserDep,
    status: Status | None = None,
    priority__gte: int | None = None,
    sort: str | None = None,
    include: Literal["", "project,tags"] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> TaskList | RelatedTaskList:
    """The caller's tasks."""
    query = select(Task).where(Task.owner_id == user)
    if status is not None:
        query = query.where(Task.status == status)
    if priority__gte is not None:
        query = query.where(Task.priority >= priority__gte)
    order = col(Task.priority) if sort == "-priority" else col(Task.created_at)
    query = query.order_by(order.desc(), col(Task.id).desc()).limit(limit)
    if include:
        query = query.options(selectinload(Task.project), selectinload(Task.tags))  # type: ignore[arg-type] # they are attributes of the class
        return RelatedTaskList(items=(await session.exec(query)).all())  # type: ignore[arg-type] # response_model reads the attributes
    rows = await session.exec(query)
    return TaskList(items=rows.all())  # type: ignore[arg-type] # response_model reads the attributes


@app.get("/api/v1/tasks/{task_id}", response_model=TaskPublic)
async def read_task(task_id: UUID, session: SessionDep, user: UserDep) -> Task:
    """One task of the caller's."""
    task = await session.get(Task, task_id)
    if task is None or task.owner_id != user:
        raise HTTPException(404)
    return task


@app.post("/api/v1/tasks", response_model=TaskPublic, status_code=201)
async def create_task(body: TaskCreate, session: SessionDep, user: UserDep) -> Task:
    """A new task of the caller's."""
    if body.project_id is not None:
        project = await session.get(Project, body.project_id)
        if project is None or project.owner_id != user:
            raise HTTPException(422)
    task = Task.model_validate(body, update={"owner_id": user})
    session.add(task)
    await session.commit()
    return task


@app.patch("/api/v1/tasks/{task_id}", response_model=TaskPublic)
async def update_task(task_id: UUID, body: TaskUpdate, session: SessionDep, user: UserDep) -> Task:
    """Change a task of the caller's."""
    task = await session.get(Task, task_id)
    if task is None or task.owner_id != user:
        raise HTTPException(404)
    if task.status == "done":
        raise HTTPException(403)
    task.sqlmodel_update(body.model_dump(exclude_unset=True))
    task.updated_at = _now()
    task.version += 1
    session.add(task)
    await session.commit()
    return task
