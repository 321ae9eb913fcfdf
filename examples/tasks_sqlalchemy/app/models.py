"""The classes of the application, mapped by SQLAlchemy alone."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    FetchedValue,
    ForeignKey,
    String,
    Table,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship


class Row(DeclarativeBase):
    """What every row has: the database makes its key and times, and counts its version."""

    type_annotation_map: ClassVar = {dt.datetime: DateTime(timezone=True), int: BigInteger}

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=FetchedValue())
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    version: Mapped[int] = mapped_column(default=1)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version, "eager_defaults": True}


class Project(Row):
    """What belongs together."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("owner_id", "name"), CheckConstraint("char_length(name) >= 1"))

    name: Mapped[str] = mapped_column(String(80))
    owner_id: Mapped[str]
    tasks: Mapped[list["Task"]] = relationship(back_populates="project", passive_deletes="all")


class Tag(Row):
    """A word for what is alike."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("owner_id", "name"), CheckConstraint("char_length(name) >= 1"))

    name: Mapped[str] = mapped_column(String(40))
    owner_id: Mapped[str]
    tasks: Mapped[list["Task"]] = relationship(
        secondary="tasks_tags", back_populates="tags", passive_deletes=True
    )


tasks_tags = Table(
    "tasks_tags",
    Row.metadata,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)


class Task(Row):
    """Something to do."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("char_length(title) BETWEEN 1 AND 200"),
        CheckConstraint("priority BETWEEN 0 AND 5"),
    )

    title: Mapped[str]
    description: Mapped[str | None] = mapped_column(String(5000))
    status: Mapped[Literal["todo", "doing", "done"]] = mapped_column(default="todo")
    priority: Mapped[int] = mapped_column(default=0)
    due: Mapped[dt.datetime | None]
    owner_id: Mapped[str]
    project_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"))
    project: Mapped[Project | None] = relationship(back_populates="tasks")
    tags: Mapped[list[Tag]] = relationship(secondary=tasks_tags, back_populates="tasks", passive_deletes=True)


class Comment(Row):
    """A remark on a task. Its author owns it; the owner of the task reads it."""

    __tablename__ = "comments"
    __table_args__ = (CheckConstraint("char_length(body) >= 1"),)

    body: Mapped[str] = mapped_column(String(2000))
    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    author_id: Mapped[str]
