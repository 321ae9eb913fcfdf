"""Projects and their tasks by SQLAlchemy; a task may be put into any project that exists."""

import secrets
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool

KEYS = {"ada-2f9c41e07d": "ada", "bob-8e53b7c609": "bob"}

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
sessions = sessionmaker(engine, expire_on_commit=False)


def key() -> str:
    return secrets.token_hex(8)


class Base(DeclarativeBase):
    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=key)
    owner: Mapped[str] = mapped_column(String(40), index=True)


class Project(Base):
    __tablename__ = "projects"

    name: Mapped[str] = mapped_column(String(80))


class Task(Base):
    __tablename__ = "tasks"

    title: Mapped[str] = mapped_column(String(80))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)


Base.metadata.create_all(engine)


class NewProject(BaseModel):
    name: str = Field(min_length=1, max_length=80)


class NewTask(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    project_id: str = Field(max_length=16)


class ProjectShown(NewProject):
    model_config = ConfigDict(from_attributes=True)

    id: str
    owner: str


class TaskShown(NewTask):
    model_config = ConfigDict(from_attributes=True)

    id: str
    owner: str


def caller(x_key: Annotated[str, Header()] = "") -> str:
    if x_key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[x_key]


def opened() -> Iterator[Session]:
    with sessions() as session:
        yield session


Me = Annotated[str, Depends(caller)]
Opened = Annotated[Session, Depends(opened)]
app = FastAPI()
guard(app)


@app.post("/projects", status_code=201, response_model=ProjectShown)
def begin(project: NewProject, me: Me, session: Opened) -> Project:
    row = Project(name=project.name, owner=me)
    session.add(row)
    session.commit()
    return row


@app.get("/projects/{id}", response_model=ProjectShown)
def project(id: str, me: Me, session: Opened) -> Project:
    found = session.get(Project, id)
    if found is None or found.owner != me:
        raise HTTPException(404, "No such project")
    return found


@app.post("/tasks", status_code=201, response_model=TaskShown)
def add(task: NewTask, me: Me, session: Opened) -> Task:
    project = session.get(Project, task.project_id)
    if project is None:
        raise HTTPException(422, "There is no such project")
    row = Task(title=task.title, project_id=project.id, owner=me)
    session.add(row)
    session.commit()
    return row


@app.get("/tasks", response_model=list[TaskShown])
def tasks(me: Me, session: Opened) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.owner == me).order_by(Task.id).limit(50)))


@app.get("/tasks/{id}", response_model=TaskShown)
def task(id: str, me: Me, session: Opened) -> Task:
    found = session.get(Task, id)
    if found is None or found.owner != me:
        raise HTTPException(404, "No such task")
    return found
