"""The classes of the application, in SQLModel."""

import datetime as dt
import uuid
from typing import Any, Literal, Optional

import sqlalchemy as sa
from sqlalchemy import orm
from sqlmodel import Field, Relationship, SQLModel


class Row(SQLModel):
    """What every row has: the database makes its key and times, and counts its version."""

    id: uuid.UUID = Field(
        default=None, primary_key=True, sa_column_kwargs={"server_default": sa.FetchedValue()}
    )
    created_at: dt.datetime = Field(default=None, sa_column_kwargs={"server_default": sa.func.now()})
    updated_at: dt.datetime = Field(
        default=None, sa_column_kwargs={"server_default": sa.func.now(), "onupdate": sa.func.now()}
    )
    version: int = Field(default=1, sa_type=sa.BigInteger)

    @orm.declared_attr.directive
    @classmethod
    def __mapper_args__(cls: Any) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version, "eager_defaults": True}


class Project(Row, table=True):
    """What belongs together."""

    __tablename__ = "projects"
    __table_args__ = (sa.UniqueConstraint("owner_id", "name"),)

    name: str = Field(min_length=1, max_length=80)
    owner_id: str
    tasks: list["Task"] = Relationship(back_populates="project", passive_deletes="all")


class TaskTag(SQLModel, table=True):
    """A tag that a task has."""

    __tablename__ = "tasks_tags"

    task_id: uuid.UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    tag_id: uuid.UUID = Field(primary_key=True, foreign_key="tags.id", ondelete="CASCADE")


class Tag(Row, table=True):
    """A word for what is alike."""

    __tablename__ = "tags"
    __table_args__ = (sa.UniqueConstraint("owner_id", "name"),)

    name: str = Field(min_length=1, max_length=40)
    owner_id: str
    tasks: list["Task"] = Relationship(back_populates="tags", link_model=TaskTag, passive_deletes=True)


class Task(Row, table=True):
    """Something to do."""

    __tablename__ = "tasks"

    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=5000)
    status: Literal["todo", "doing", "done"] = Field(default="todo", sa_type=sa.Text)
    priority: int = Field(default=0, ge=0, le=5)
    due: dt.datetime | None = None
    owner_id: str
    project_id: uuid.UUID | None = Field(default=None, foreign_key="projects.id", ondelete="SET NULL")
    project: Optional["Project"] = Relationship(back_populates="tasks")
    tags: list["Tag"] = Relationship(back_populates="tasks", link_model=TaskTag, passive_deletes=True)


class Comment(Row, table=True):
    """A remark on a task. Its author owns it; the owner of the task reads it."""

    __tablename__ = "comments"

    body: str = Field(min_length=1, max_length=2000)
    task_id: uuid.UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    author_id: str
